"""The list of commands, and the one Typer application that knows them all and imports the one that is called."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, Final

import typer

from callrouter import __version__, garbage
from callrouter.cli.usage import Command, Group

COMMANDS: Final = {
    "up": "Run everything on this machine: engine, web, worker and, by default, PostgreSQL.",
    "engine": "Run the engine: the link to Asterisk, and the calls.",
    "web": "Run the API.",
    "worker": "Tell people of messages, until somebody acknowledges, and systems of calls.",
    "upgrade": "Restart two engines one after the other, after a release was installed: calls go on.",
    "check": "Check the clients' files, and say all that is wrong with them.",
    "schema": "Show the JSON Schema of the clients' files, or their reference.",
    "route": "Walk a client's tree as a caller would, without a telephone.",
    "show": "Draw a client's tree, or a week of its hours.",
    "diff": "Say what changes for whom between two versions of the clients' files.",
    "teams": "Show the folder's teams and telephones, as the PBX is to have them.",
    "pbx": "Bring queues and telephones to Asterisk, on its own host.",
    "agents": "See where agents stand, log them in or out, pause them, give them a PIN.",
    "explain": "Say why a call ended where it did.",
    "callbacks": "Show who is to be called back and who gave up, and say what came of calling them.",
    "messages": "Show what callers want somebody to know, take a message, and say what became of it.",
    "deliveries": "Show what web services should have been told of calls and were not, and send it again.",
    "stats": "Show each client's figures for a period.",
    "report": "Print the figures of a period by client, number, queue, day, hour …: on screen, as PDF, XLSX, CSV.",
    "consumption": "Set clients' tariffs, issue what they pay for a month, and follow each line to its calls.",
    "staffing": "Show how many agents a line needs, half hour by half hour, for what is promised.",
    "status": "Show the engine's state, the plans in service, and what is wrong.",
    "dialplan": "See what was live when, go back to a version, or publish a folder.",
    "token": "Make, list and revoke the API's tokens.",
    "audit": "Show who listened, played or changed what, and who was refused.",
    "retention": "Show what is older than it is kept, delete it now, and see what was deleted when.",
    "person": "Find, export and erase all that is known of a telephone number.",
    "db": "Upgrade the database's schema, or show it.",
    "settings": "Show all settings and where each comes from.",
}
"""Each command with its summary: `callrouter.cli.NAME` holds a function NAME, or a Typer NAME of several commands."""

_OF_ALL: Final[dict[str, Any]] = {
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
}


class _LazyGroup(Group):
    """Lists the commands by their summaries, and imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command as the list of commands shows it."""
        return _command(cmd_name, lambda: None, COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return (name, _imported(name), rest) if name else (name, command, rest)


app = typer.Typer(
    cls=_LazyGroup,
    help="Call routing for a telephone answering service, on Asterisk and PostgreSQL.",
    no_args_is_help=True,
    **_OF_ALL,
)


def run() -> None:
    """Run the command of this process's arguments, and exit."""
    typer.main.get_command(app)(prog_name="callrouter")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callrouter {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the release and exit.")
    ] = False,
) -> None:
    """Call routing for a telephone answering service, on Asterisk and PostgreSQL."""


def _imported(name: str) -> Any:
    """The command itself."""
    found = getattr(importlib.import_module(f"callrouter.cli.{name}"), name)
    garbage.code_is_loaded()  # what a command makes from here on is collected as everywhere
    return typer.main.get_command(found) if isinstance(found, typer.Typer) else _command(name, found, found.__doc__)


def _command(name: str, function: Any, description: str) -> Any:
    single = typer.Typer(**_OF_ALL)
    single.command(name, cls=Command, help=description)(function)
    return typer.main.get_command(single)
