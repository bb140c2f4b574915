"""`callrouter messages`: what callers want somebody to know, and what became of it.

`listed` shows messages, one with its whole trail, and a client's forms; `taken` takes one, `changed` corrects, settles
and reassigns them; `delivery` shows who was told, and has them told again. `screen` is how one looks, `work` what these
share.
"""

import typer

from callrouter.cli.messages.changed import correct, done, reassign, reopen
from callrouter.cli.messages.delivery import acknowledge, again, attention, trail
from callrouter.cli.messages.listed import forms, list_all, show
from callrouter.cli.messages.taken import take
from callrouter.cli.usage import Command, Group

messages = typer.Typer(
    cls=Group,
    help="Show what callers want somebody to know, take a message, and say what became of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
messages.command("list", cls=Command)(list_all)
messages.command(cls=Command)(show)
messages.command(cls=Command)(forms)
messages.command(cls=Command)(take)
messages.command(cls=Command)(done)
messages.command(cls=Command)(reopen)
messages.command(cls=Command)(correct)
messages.command(cls=Command)(reassign)
messages.command(cls=Command)(trail)
messages.command(cls=Command)(attention)
messages.command(cls=Command)(acknowledge)
messages.command(cls=Command)(again)
