"""`callrouter consumption`: what clients pay.

`tariffs` checks and sets them, `billing` shows and issues what a month costs, `traced` follows a line to its calls, and
a call to its invoices; `asked` are the words that these share.
"""

import typer

from callrouter.cli.consumption.billing import issue, list_all, preview, show, what_if
from callrouter.cli.consumption.tariffs import check, end, set_, tariff
from callrouter.cli.consumption.traced import explain, items
from callrouter.cli.usage import Command, Group

consumption = typer.Typer(
    cls=Group,
    help="Set clients' tariffs, issue what they pay for a month, and follow each line to its calls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
consumption.command(cls=Command)(check)
consumption.command("set", cls=Command)(set_)
consumption.command(cls=Command)(end)
consumption.command(cls=Command)(tariff)
consumption.command(cls=Command)(preview)
consumption.command("what-if", cls=Command)(what_if)
consumption.command(cls=Command)(issue)
consumption.command("list", cls=Command)(list_all)
consumption.command(cls=Command)(show)
consumption.command(cls=Command)(items)
consumption.command(cls=Command)(explain)
