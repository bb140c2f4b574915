"""What would go, what goes now, and what went."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.cli.callbacks.listed import AsJson
from callrouter.cli.messages.work import with_record
from callrouter.cli.progress import working
from callrouter.errors import UsageError
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.retention.history import PastRun, read_runs
from callrouter.store.retention.running import Planned, Run, plan_run

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AtOnce = Annotated[
    bool, typer.Option("--at-once", help="Rules that are shorter since less than a day count, too: you have looked.")
]


def plan(as_json: AsJson = False) -> None:
    """Say what would be deleted now, and what rules that do not count yet would delete. Deletes nothing."""

    async def work(database: Database, settings: Settings, now: datetime) -> list[Planned]:
        with working() as say:
            say("rows are counted")
            return await plan_run(database, settings.retention, now)

    planned = with_record(work)
    if as_json:
        from callrouter.api.retention.schemas import PlannedOut, PlanOut

        typer.echo(PlanOut(planned=[PlannedOut.of(one) for one in planned]).model_dump_json(indent=2))
        return
    for one in planned:
        typer.echo(_planned(one))
    if not planned:
        typer.echo("Nothing is older than it is to be kept.")


def run(at_once: AtOnce = False, yes: Yes = False) -> None:
    """Delete what is older than it is to be kept, now, and not only when the worker does it."""
    planned = with_record(lambda database, settings, now: plan_run(database, settings.retention, now))
    for one in planned:
        typer.echo(_planned(one))
    many = sum(one.many for one in planned if at_once or one.counts_at is None)
    if many and not yes:
        typer.confirm(f"Delete these {many}? They are in no backup that is made from now on", abort=True)

    async def work(database: Database, settings: Settings, _now: datetime) -> Run | None:
        from callrouter.app.worker.parts import keeper_of
        from callrouter.runtime.clock import SystemClock
        from callrouter.store.access.trail import AuditTrail

        await keep(database, done_here("retention.run", "at once" if at_once else ""))
        clock = SystemClock(settings.clock_shift_seconds)
        keeper = keeper_of(settings, database, clock, AuditTrail(database), lambda: True)
        with working() as say:
            return await keeper.run_now(at_command_line(), at_once=at_once, say=say)

    done = with_record(work)
    if done is None:
        raise UsageError("another run goes on: callrouter retention runs shows how far it is")
    typer.echo(_counted({kind.value: number for kind, number in done.deleted.items()}, done.held_back))


def runs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show the last deletions: when, how long, how many of what."""

    async def work(database: Database, _settings: Settings, _now: datetime) -> list[PastRun]:
        return await read_runs(database, limit)

    found = with_record(work)
    if as_json:
        from callrouter.api.retention.schemas import RunOut, RunsOut

        typer.echo(RunsOut(runs=[RunOut.of(one) for one in found]).model_dump_json(indent=2))
        return
    for one in found:
        ended = "is not over" if one.ended_at is None else f"{(one.ended_at - one.began_at).total_seconds():.0f} s"
        said = one.error or _counted({kind.value: many for kind, many in one.deleted.items()}, one.held_back)
        typer.echo(f"{one.began_at:%Y-%m-%d %H:%M:%S}Z  {ended:>11}  {one.asked_by}: {said}")
    if not found:
        typer.echo("Nothing was deleted yet: the worker looks once a day.")


def _planned(one: Planned) -> str:
    when = "" if one.counts_at is None else f", from {one.counts_at:%Y-%m-%d %H:%M}Z on"
    return f"{one.client or 'nobody'}: {one.many} {one.kind} before {one.before_at:%Y-%m-%d} ({one.days} days{when})"


def _counted(deleted: dict[str, int], held_back: int) -> str:
    said = ", ".join(f"{many} {kind}" for kind, many in deleted.items() if many) or "nothing"
    held = f"; {held_back} were held back, since somebody waits for them" if held_back else ""
    return f"{said} deleted{held}"
