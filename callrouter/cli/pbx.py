"""`callrouter pbx`: what is done on the PBX's own host."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from callrouter.app.lifetime import end_with, run
from callrouter.app.pbx.unit import make_unit, run_pbx
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.cli.usage import Command, Group
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.settings import load_settings
from callrouter.settings.token import token_to_ask_with

pbx = typer.Typer(
    cls=Group,
    help="Bring queues and telephones to Asterisk, on its own host.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@pbx.command(cls=Command)
def apply(
    once: Annotated[bool, typer.Option("--once", help="Apply what there is now, and end.")] = False,
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Apply what the engine hands over: the teams of shared/queues.yaml, the telephones of shared/agents.yaml."""
    if with_parent:
        end_with(with_parent)
    settings = load_settings()
    token = token_to_ask_with(settings)
    if once:
        asyncio.run(make_unit(settings, token).once())
        typer.echo(f"Applied to the PBX of {settings.pbx_dir}.")
    else:
        run(run_pbx(settings, token))


@pbx.command(cls=Command)
def phone(name: Annotated[str, typer.Argument(help="The telephone, as shared/agents.yaml names it.")]) -> None:
    """Show what a telephone has to be told: its user and its secret. Nothing else shows the secret."""
    folder = PbxFolder(load_settings().pbx_dir)
    secret = folder.secret(name)
    if secret is None:
        raise UsageError(
            f"the PBX of {folder.etc} has no telephone {safe_text(name, 80)}: `callrouter teams` lists them"
        )
    typer.echo(f"user: {name}\nsecret: {secret}")
