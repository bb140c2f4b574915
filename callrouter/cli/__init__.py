"""The `callrouter` command: one module for each verb, imported only when it is called.

up · engine · web       run it (both parts, or one)
check · route           question the clients' files, without Asterisk or PostgreSQL
explain · stats         question the record
db · settings           the database's schema; the settings and where they come from

A command that cannot do its work says so in one sentence on standard error and ends with 2 when a setting or a
client's file is wrong, with 1 otherwise.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from callrouter import __version__
from callrouter.errors import CallrouterError, DialplanError, SettingsError

EXIT_FAILED: Final = 1
EXIT_MISCONFIGURED: Final = 2
EXIT_INTERRUPTED: Final = 130
"""As shells say it: 128 and the number of SIGINT."""

COMMANDS: Final = {
    "up": ("callrouter.cli.up:up", "Run everything on this machine: engine, web and, by default, PostgreSQL."),
    "engine": ("callrouter.cli.engine:engine", "Run the engine: the link to Asterisk, and the calls."),
    "web": ("callrouter.cli.web:web", "Run the API."),
    "check": ("callrouter.cli.check:check", "Check the clients' files, and say all that is wrong with them."),
    "route": ("callrouter.cli.route:route", "Walk a client's tree as a caller would, without a telephone."),
    "explain": ("callrouter.cli.explain:explain", "Say why a call ended where it did."),
    "stats": ("callrouter.cli.stats:stats", "Show each client's figures for a period."),
    "db": ("callrouter.cli.db:app", "Upgrade the database's schema, or show it."),
    "settings": ("callrouter.cli.settings:settings", "Show all settings and where each comes from."),
}


class _LazyGroup(TyperGroup):
    """Knows each command's name and summary; imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """For the list of commands a summary is enough."""
        return _summary(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return (name, _load(name), rest) if name else (name, command, rest)


app = typer.Typer(
    cls=_LazyGroup,
    help="Call routing for a telephone answering service, on Asterisk and PostgreSQL.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def main() -> None:
    """Run the command of this process's arguments, and exit."""
    try:
        typer.main.get_command(app)(prog_name="callrouter")
    except CallrouterError as error:
        typer.echo(f"callrouter: {error}", err=True)
        sys.exit(EXIT_MISCONFIGURED if isinstance(error, SettingsError | DialplanError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output (head, less) has had enough; the interpreter's own flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def _summary(name: str) -> Any:
    stub = typer.Typer(add_completion=False)
    stub.command(name, help=COMMANDS[name][1])(lambda: None)
    return typer.main.get_command(stub)


def _load(name: str) -> Any:
    """The command itself: a Typer application, or a function to make one of."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    single = typer.Typer(
        add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}, pretty_exceptions_enable=False
    )
    single.command(name, help=found.__doc__ or COMMANDS[name][1])(found)
    return typer.main.get_command(single)
