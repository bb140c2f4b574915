"""The commands as one Typer application: those that do not parse their own arguments."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from callrouter import __version__
from callrouter.cli import COMMANDS, load


def run() -> None:
    """Run the command of this process's arguments."""
    typer.main.get_command(app)(prog_name="callrouter")


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


def _summary(name: str) -> Any:
    stub = typer.Typer(add_completion=False)
    stub.command(name, help=COMMANDS[name][1])(lambda: None)
    return typer.main.get_command(stub)


def _load(name: str) -> Any:
    """The command itself: a Typer application, or a function to make one of."""
    found = load(name)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    single = typer.Typer(
        add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}, pretty_exceptions_enable=False
    )
    single.command(name, help=found.__doc__ or COMMANDS[name][1])(found)
    return typer.main.get_command(single)
