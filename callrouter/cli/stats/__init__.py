"""`callrouter stats`: each client's figures for a period, and whether they rest on what happened.

`shown` shows them, `kept` makes what is kept of days again, and compares it.
"""

import typer

from callrouter.cli.stats.kept import rebuild, verify
from callrouter.cli.stats.shown import show
from callrouter.cli.usage import Command, Group

stats = typer.Typer(
    cls=Group,
    help=show.__doc__,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
stats.callback()(show)
stats.command(cls=Command)(rebuild)
stats.command(cls=Command)(verify)
