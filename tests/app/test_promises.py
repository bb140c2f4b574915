"""A threshold is changed in the folder: what was promised before stays, and all who report say the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from callrouter.app.history import PlanHistory
from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.versions import PlanVersions
from callrouter.asterisk.ended_row import ended_call, read_row
from callrouter.core.call import Call, CallerId, replace
from callrouter.core.facts import CallEnded
from callrouter.core.service_level import Formula, Promise, ServiceLevelTarget
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.metrics import EngineMetrics
from callrouter.periods import Period
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.store.database import Database
from callrouter.store.figures.model import ClientStats
from callrouter.store.plans import find_plan
from callrouter.store.stats import read_stats
from callrouter.store.writing.writer import Writer

from ..api.stories import TUESDAY, abandoned, after, answered  # noqa: TID252  # tests are no installed package
from ..cli.test_main import run  # noqa: TID252

TREE = """\
client: a
numbers: ["01 99 00 00 10"]
timezone: {timezone}
language: fr
service_level: {{ within: {within}, formula: {formula} }}
fallback: {{ node: bye }}
start: bye
nodes:
  bye:
    hangup: {{ prompt: {{ say: "Au revoir" }} }}
"""
FROM, TO = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)


class Service:
    """An engine's plans, their history and its metrics, over a folder and a record."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database
        self.history = PlanHistory(database, folder)
        loader = Loader(folder, PaperSpeech())
        self.plans = ServedPlans(loader.load(), loader, LiveCalls(), now=lambda: TUESDAY, on_swap=self.history.note)
        disk = DiskPlans(LivePlans(folder / "live"), PaperSpeech(), region="FR", now=lambda: TUESDAY)
        self.versions = PlanVersions(self.plans, disk, database, PaperSpeech())
        self.registry = CollectorRegistry()
        self.metrics = EngineMetrics(self.registry, version="1", target_of=self._target_of)

    def _target_of(self, call: Call) -> ServiceLevelTarget | None:
        plan = self.versions.at_hand(call.client, call.plan_version)
        return plan.service_level if plan else None

    async def promises(self, within: str, formula: str = "strict", timezone: str = "Europe/Paris") -> None:
        """Save the file, and let it go live."""
        write(self.folder, within, formula, timezone)
        await self.plans.reload()
        await self.history.flush()

    async def ends(self, *calls: Call) -> None:
        """Calls that walked the version in service."""
        walked = [replace(call, client="a", plan_version=self.plans.plans["a"].version) for call in calls]
        await self.recorded(*walked)

    async def recorded(self, *calls: Call) -> None:
        """Recorded and counted."""
        writer = Writer(self.database)
        assert await writer.write(list(calls)) == []
        writer.close()
        self.metrics.observe([CallEnded(call=call) for call in calls])

    def counted(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"callrouter_{name}_total", {"client": "a"})

    async def figures(self) -> ClientStats:
        (one,) = (await read_stats(self.database, Period.between(FROM, TO), now=TO)).clients
        return one


def write(folder: Path, within: str, formula: str = "strict", timezone: str = "Europe/Paris") -> None:
    (folder / "a.yaml").write_text(TREE.format(within=within, formula=formula, timezone=timezone))


@pytest.fixture
async def service(database: Database, tmp_path: Path) -> Service:
    folder = tmp_path / "served"
    folder.mkdir()
    write(folder, "20s")
    made = Service(folder, database)
    await made.history.flush()
    return made


async def test_a_changed_threshold_changes_no_past_figure(service: Service, database: Database) -> None:
    await service.ends(answered("1", wait=8), answered("2", wait=30), abandoned("3"))
    (before,) = (await service.figures()).promises

    await service.promises("40s", "answered_only")
    assert (await service.figures()).promises == [before]
    # Of another caller: who gave up and rings again was reached.
    again = replace(answered("4", wait=30, start=after(600)), caller=CallerId(number="+33612340099"))
    await service.ends(again, abandoned("5", start=after(600)))

    found = await service.figures()
    first, second = found.promises
    assert first == before
    assert first.promise == Promise(within_seconds=20, formula=Formula.STRICT, timezone="Europe/Paris")
    assert first.service_level == pytest.approx(1 / 3)
    assert second.service_level == 1.0
    assert second.target.within_seconds == 40
    assert (found.target, found.service_level, found.figures.counts.answered_within) == (None, None, 2)


async def test_prometheus_counts_by_the_same_promises(service: Service) -> None:
    """Each counter is the sum over the record's promises, whenever the threshold changed."""
    await service.ends(answered("1", wait=8), answered("2", wait=30), abandoned("3", wait=2), abandoned("4", wait=25))
    await service.promises("40s")
    await service.ends(answered("5", wait=30, start=after(600)), abandoned("6", wait=25, start=after(600)))

    figures = (await service.figures()).figures

    counts = figures.counts
    for name, count in {
        "calls_offered": figures.counts.offered,
        "calls_answered": counts.answered,
        "calls_answered_within": counts.answered_within,
        "calls_abandoned": counts.abandoned,
        "calls_abandoned_within": counts.abandoned_within,
        "calls_short_abandoned": counts.short_abandoned,
    }.items():
        assert service.counted(name) == count, name
    assert (counts.answered_within, counts.abandoned_within) == (2, 2)


async def test_an_edit_that_promises_the_same_is_one_promise(service: Service, database: Database) -> None:
    """Versions refer to it; there and back again makes no third."""
    first = service.plans.plans["a"].version
    await service.ends(answered("1"))
    path = service.folder / "a.yaml"
    path.write_text(path.read_text().replace("Au revoir", "Bonne nuit"))
    await service.plans.reload()
    await service.history.flush()
    await service.ends(answered("2"))
    assert service.plans.plans["a"].version != first

    assert len((await service.figures()).promises) == 1
    await service.promises("40s")
    await service.promises("20s")
    async with database.connection() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM promises"))).scalar_one() == 2


async def test_a_zone_is_part_of_the_promise(service: Service) -> None:
    """Days are counted in it."""
    await service.ends(answered("1"))
    await service.promises("20s", timezone="Indian/Reunion")
    await service.ends(answered("2", start=after(60)))

    zones = [part.promise and part.promise.timezone for part in (await service.figures()).promises]
    assert zones == ["Europe/Paris", "Indian/Reunion"]


async def test_a_call_nobody_saw_is_judged_by_the_plan_it_is_recorded_with(service: Service) -> None:
    """Asterisk's fallback served it, without a state: its number's plan in service when its row is read."""
    await service.promises("40s")
    plan = service.plans.for_did("+33199000010")
    epoch = int(TUESDAY.timestamp())
    row = read_row(f"{epoch}-1-2", f"v2|{epoch + 60}|16|+33199000010|a|+33612340001|1||//|agent-1/{epoch}/30/|")
    assert row is not None
    call = ended_call(row, None, plan, "FR")
    await service.recorded(call)

    (part,) = (await service.figures()).promises
    assert call.plan_version == plan.version
    assert part.promise == plan.promise
    assert service.counted("calls_offered") == part.figures.counts.offered


async def test_a_caller_of_an_unknown_number_is_told_apart(service: Service) -> None:
    """The plan for numbers that no client has promises nobody anything."""
    unknown = service.plans.for_did("+33199999999")
    await service.recorded(replace(abandoned("1"), client=unknown.client, plan_version=unknown.version))

    (part,) = (await service.figures()).promises
    assert part.promise is None
    assert "no promise is known" in part.basis


async def test_a_version_that_the_release_before_kept_gets_its_promise(service: Service, database: Database) -> None:
    """It ran while the schema was ours already; one of its versions is in service at our start, one is not."""
    first = service.plans.plans["a"].version
    await service.promises("40s")
    second = service.plans.plans["a"].version
    async with database.connection() as connection:
        await connection.execute(text("UPDATE plans SET promise_id = NULL"))
        await connection.execute(
            text("INSERT INTO plans (client, version, document, first_live_at) VALUES ('a', 'odd', 'client: [', now())")
        )

    again = Service(service.folder, database)
    await again.history.flush()

    kept = [await find_plan(database, "a", version) for version in (first, second, "odd")]
    assert [one and one.promise and one.promise.within_seconds for one in kept] == [20, 40, None]


async def test_commands_need_no_folder(service: Service, database_url: str, tmp_path: Path) -> None:
    """`stats` and `explain` answer from the record: here nothing else is."""
    await service.ends(answered("1", wait=30))
    await service.promises("40s")
    await service.ends(answered("2", wait=30, start=after(60)))
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    env = {"CALLROUTER_DATABASE_URL": database_url, "TZ": "Europe/Paris"}

    def ask(*arguments: str) -> str:
        done = run(*arguments, cwd=nowhere, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    told = await asyncio.to_thread(ask, "stats", "--from", "2026-11-24", "--to", "2026-11-25")
    explained = await asyncio.to_thread(ask, "explain", "1")

    rows = [line.split() for line in told.splitlines()]
    assert [row[:5] for row in rows if row[0] == "a"] == [["a", "2", "2", "2", "0"]]
    assert "by promise" in told
    assert [row[10] for row in rows if row[0] == "promise"] == ["0.0%", "100.0%"]
    shared = "short abandon below 5 s, waiting from entry into service; 80.0% promised, Europe/Paris"
    assert told.splitlines()[-2:] == [
        f"Service level by strict: T = 20 s, {shared} (a promise 1)",
        f"Service level by strict: T = 40 s, {shared} (a promise 2)",
    ]
    assert explained.splitlines()[0].endswith("at 2026-11-24 10:00:00 (Europe/Paris)")
    assert explained.splitlines()[-1].startswith("(lines of version ")
