"""`callrouter person`: what is known of one telephone number; `commands` finds, exports and erases it."""

import typer

from callrouter.cli.person.commands import erase, export, find, receipt
from callrouter.cli.usage import Command, Group

person = typer.Typer(
    cls=Group,
    help="Find, export and erase all that is known of a telephone number.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
person.command(cls=Command)(find)
person.command(cls=Command)(export)
person.command(cls=Command)(erase)
person.command(cls=Command)(receipt)
