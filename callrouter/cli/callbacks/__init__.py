"""`callrouter callbacks`: who is to be called back, who gave up, and what came of calling them.

`listed` shows them, `said` takes what people say who called.
"""

import typer

from callrouter.cli.callbacks.listed import abandoned, list_all
from callrouter.cli.callbacks.said import follow_up, settle
from callrouter.cli.usage import Command, Group

callbacks = typer.Typer(
    cls=Group,
    help="Show who is to be called back and who gave up, and say what came of calling them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
callbacks.command("list", cls=Command)(list_all)
callbacks.command(cls=Command)(settle)
callbacks.command(cls=Command)(abandoned)
callbacks.command("follow-up", cls=Command)(follow_up)
