"""`callrouter retention`: what is deleted because its time is over; `commands` shows it, and has it done."""

import typer

from callrouter.cli.retention.commands import plan, run, runs
from callrouter.cli.usage import Command, Group

retention = typer.Typer(
    cls=Group,
    help="Show what is older than it is to be kept, delete it now, and see what was deleted when.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
retention.command(cls=Command)(plan)
retention.command(cls=Command)(run)
retention.command(cls=Command)(runs)
