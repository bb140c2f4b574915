"""`callrouter deliveries`: what web services are told of calls, and were not; `listed` shows it, and sends it again."""

import typer

from callrouter.cli.deliveries.listed import again, list_all
from callrouter.cli.usage import Command, Group

deliveries = typer.Typer(
    cls=Group,
    help="Show what web services should have been told of calls and were not, and send it again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
deliveries.command("list", cls=Command)(list_all)
deliveries.command(cls=Command)(again)
