"""`callrouter dialplan`: what was live when, back to an earlier version, and a whole folder into service."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.status import StatusOut
from callrouter.app.publishing import Refusal, Rollback, documents_of, publish_documents, rollback_to
from callrouter.app.storage import open_database
from callrouter.cli.audit import done_here, keep_if_there, somebody
from callrouter.cli.usage import Command, Group
from callrouter.dialplan.issues import how_many
from callrouter.errors import SettingsError
from callrouter.logs import safe_text
from callrouter.settings import Settings, load_settings
from callrouter.settings.token import token_to_ask_with
from callrouter.store.plans import WentLive, read_history
from callrouter.store.tables import AuditOutcome

dialplan = typer.Typer(
    cls=Group,
    help="See what was live when, go back to a version, or publish a folder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

By = Annotated[str, typer.Option("--by", help="Who does it, for the history; by default who is logged in here.")]


@dialplan.command(cls=Command)
def history(
    client: Annotated[str | None, typer.Argument(metavar="CLIENT", help="Only this client's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show which version went live when, why, and by whom, the newest first."""
    found = asyncio.run(_history(load_settings(), client, limit))
    if as_json:
        rows = [{**asdict(one), "live_at": one.live_at.isoformat()} for one in found]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not found:
        typer.echo("Nothing was live yet." if client is None else f"{safe_text(client)} was never live here.")
        raise typer.Exit(0 if client is None else 1)
    width = max(len(one.client) for one in found)
    for one in found:
        when = f"{one.live_at.astimezone():%Y-%m-%d %H:%M:%S}"
        by = f" by {one.by}" if one.by else ""
        typer.echo(safe_text(f"{when}  {one.client:<{width}}  {one.version or '(withdrawn)':<12}  {one.why}{by}"))


@dialplan.command(cls=Command)
def rollback(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Whose plan.")],
    version: Annotated[
        str | None,
        typer.Argument(metavar="VERSION", help="As `history` shows it, or its beginning; by default the one before."),
    ] = None,
    by: By = "",
    force: Annotated[bool, typer.Option("--force", help="Also when the file was changed since it went live.")] = False,
) -> None:
    """Write a client's earlier file back to the folder, after checking that it passes today, and load it."""
    settings = load_settings()
    try:
        done = asyncio.run(_rollback(settings, client, version, by or somebody(), force=force))
    except Refusal as refusal:
        keep_if_there(settings, done_here("dialplan.rollback", version or "", AuditOutcome.REFUSED, client=client))
        _refuse(refusal)
    keep_if_there(settings, done_here("dialplan.rollback", done.version, client=client))
    typer.echo(safe_text(done.sentence))
    _load_now(settings)


@dialplan.command(cls=Command)
def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of clients' files with the shared ones.")],
    by: By = "",
    delete: Annotated[bool, typer.Option("--delete", help="Withdraw the clients DIR does not hold.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also over what was saved meanwhile; kept beside.")] = False,
) -> None:
    """Put a folder into service as one set, if all of it passes; otherwise nothing. For those who deploy from CI."""
    settings = load_settings()
    try:
        documents, by = documents_of(folder), by or somebody()
        done = publish_documents(settings, documents, by=by, delete=delete, force=force, origin=folder)
    except Refusal as refusal:
        keep_if_there(settings, done_here("dialplan.publish", str(folder.absolute()), AuditOutcome.REFUSED))
        _refuse(refusal)
    keep_if_there(settings, done_here("dialplan.publish", str(folder.absolute())))
    typer.echo(safe_text(done))
    _load_now(settings)


def _refuse(refusal: Refusal) -> None:
    for issue in refusal.issues:
        typer.echo(safe_text(str(issue)))
    typer.echo(safe_text(f"callrouter: {refusal}"), err=True)
    raise typer.Exit(1)


def _load_now(settings: Settings) -> None:
    """Ask the engine to load; it may be away, or ours may be another token: then it is said how it goes live."""
    try:
        token = token_to_ask_with(settings)
    except SettingsError:
        how = "at once" if settings.watch else "with the next SIGHUP to the engine"
        typer.echo(f"The engine loads it {how} (without CALLROUTER_API_TOKEN it cannot be asked).")
        return
    client = EngineClient(settings.engine_base_url, token)
    try:
        found = asyncio.run(client.reload())
    except EngineAway as error:
        typer.echo(f"callrouter: the files are in place, but {error}", err=True)
        raise typer.Exit(1) from None
    _say(found)


def _say(found: StatusOut) -> None:
    dialplans = found.dialplans
    served, refusals = how_many(len(dialplans.plans), "client"), how_many(len(dialplans.refused), "file")
    typer.echo(f"In service: {served}; {refusals} refused.")
    for refused in dialplans.refused:
        for issue in refused.issues:
            typer.echo(safe_text(f"  {issue.sentence}"))
    if dialplans.refused or dialplans.failure:
        raise typer.Exit(1)


async def _history(settings: Settings, client: str | None, limit: int) -> list[WentLive]:
    async with open_database(settings, create=False) as database:
        return await read_history(database, client, limit=limit)


async def _rollback(settings: Settings, client: str, version: str | None, by: str, *, force: bool) -> Rollback:
    async with open_database(settings, create=False) as database:
        return await rollback_to(settings, database, client, version, by=by, force=force)
