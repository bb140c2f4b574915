"""`callrouter pbx`: what is done on the PBX's own host, and to the PBX as a whole."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Final

import typer

from callrouter.api.engine_client import EngineAway, EngineClient, EngineRefused
from callrouter.api.pbx.draining import DrainOut
from callrouter.app.leading.started import will_say_started
from callrouter.app.lifetime import end_with, run
from callrouter.app.pbx.unit import make_unit, run_pbx
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.cli.usage import Command, Group
from callrouter.dialplan.issues import how_many
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.settings import load_settings
from callrouter.settings.token import token_to_ask_with

LOOK_SECONDS: Final = 1.0
"""How often a PBX that is drained is looked at."""

pbx = typer.Typer(
    cls=Group,
    help="Bring queues and telephones to Asterisk, on its own host; drain it before a planned restart.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@pbx.command(cls=Command)
def apply(
    once: Annotated[bool, typer.Option("--once", help="Apply what there is now, and end.")] = False,
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
    says_started: Annotated[int, typer.Option(hidden=True)] = -1,
) -> None:
    """Apply what the engine hands over: the teams of shared/queues.yaml, the telephones of shared/agents.yaml."""
    if with_parent:
        end_with(with_parent)
    will_say_started(says_started)
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


@pbx.command(cls=Command)
def drain(
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until no call is left.")] = True,
) -> None:
    """Have Asterisk refuse new calls (503), and wait for those in progress: before a planned restart, which ends it."""
    found = _ask("POST")
    typer.echo(f"Asterisk takes no new call by {', '.join(map(safe_text, found.in_maintenance))}.")
    said = ""
    while wait and (found.calls or found.channels):
        left = f"{how_many(found.calls, 'call')}, {how_many(found.channels, 'channel')}"
        if left != said:
            typer.echo(f"{left} left")
        said = left
        time.sleep(LOOK_SECONDS)
        found = _ask("GET")
    if not found.calls and not found.channels:
        typer.echo("No call is left: stop Asterisk now. It takes calls again once restarted, or after `pbx undrain`.")


@pbx.command(cls=Command)
def undrain() -> None:
    """Have Asterisk take new calls again."""
    found = _ask("DELETE")
    typer.echo(f"Asterisk takes new calls by {', '.join(map(safe_text, found.trunks))}.")


def _ask(method: str) -> DrainOut:
    settings = load_settings()
    client = EngineClient(settings.engine_base_url, token_to_ask_with(settings))
    try:
        return asyncio.run(client.ask(DrainOut, method, "/pbx/drain", may_refuse={409, 503}))
    except (EngineAway, EngineRefused) as error:
        typer.echo(f"callrouter: {safe_text(str(error))}", err=True)
        raise typer.Exit(1) from None
