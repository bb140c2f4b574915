"""Calls go when their time is over, and figures stay: also when days are made again, and when calls come late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from callrouter.core.call import Call
from callrouter.core.retention.rule import NOTHING_SAID, Kind, Retention
from callrouter.core.service_level import Promise
from callrouter.errors import DaysAlone
from callrouter.periods import Period
from callrouter.permissions import By
from callrouter.store.access.keeping import Keeper
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.trail import AuditTrail
from callrouter.store.calls import list_calls
from callrouter.store.consumption.issuing import issue
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping
from callrouter.store.figures.model import Stats
from callrouter.store.figures.rebuilding import mark_days, rebuild_clients
from callrouter.store.figures.verifying import compare_days, compare_traces
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.retention.history import read_runs
from callrouter.store.retention.keeper import RetentionKeeper
from callrouter.store.retention.running import Retaining, plan_run
from callrouter.store.retention.watch import RetentionWatch
from callrouter.store.stats import read_figures, read_stats
from tests.store.consumption.made import has_tariff
from tests.store.figures.test_rebuilding import OCTOBER, rebuild_all, same, some_call, write
from tests.store.figures.test_verifying import all_of

NOW = datetime(2026, 12, 17, 12, 0, tzinfo=UTC)
"""Sixty-two days after the sixteenth of October."""
BORDER = datetime(2026, 10, 16, tzinfo=ZoneInfo("Europe/Paris"))
MANY = 400
TWO_MONTHS = Retention(calls=62)


async def goes_live(database: Database, client: str, retention: Retention, *, zone: str = "Europe/Paris") -> None:
    """A version with that rule; of the promise that all have."""
    version = f"{retention.calls}-{retention.messages}-{zone}"
    plan = StoredPlan(
        client=client,
        version=version,
        document="",
        first_live_at=NOW,
        promise=Promise(timezone=zone),
        retention=retention,
    )
    await remember_live(database, [plan], [WentLive(client=client, version=version, live_at=NOW, why="saved")])


def retaining(
    database: Database, folder: Path, *, at: datetime = NOW, operators: Retention = NOTHING_SAID
) -> Retaining:
    """What runs at that time, in small steps."""
    recordings = Recordings(database, folder, AuditTrail(database))
    return Retaining(database, recordings, operators, now=lambda: at, batch=50, rest_seconds=0)


@pytest.fixture
async def house(database: Database, make_call: Callable[..., Call]) -> Database:
    """October of two clients, with all that hangs on their calls; days are made."""
    for client in ("paris", "lyon"):
        await goes_live(database, client, Retention())
    random = Random(5)
    found = [some_call(make_call, random, number, client=("paris", "lyon")[number % 2]) for number in range(MANY)]
    await write(database, found)
    await rebuild_all(database)
    return database


async def count(database: Database, table: str, which: str = "true") -> int:
    async with database.connection() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table} WHERE {which}"))).scalar_one())


async def figures(database: Database) -> tuple[Stats, list[str]]:
    """October: all that is kept of it, by day, hour and number."""
    groupings = (Grouping.DAY, Grouping.HOUR, Grouping.DID)
    by_each = [repr(await read_figures(database, OCTOBER, by=[grouping], now=NOW)) for grouping in groupings]
    return await read_stats(database, OCTOBER, now=NOW), by_each


async def test_a_rule_waits_a_day_and_then_figures_stay(house: Database, tmp_path: Path) -> None:
    """Whatever hangs on a call goes with it; what is kept of days, and what reports say, is what it was."""
    before = await figures(house)
    await goes_live(house, "paris", TWO_MONTHS)
    waits = await retaining(house, tmp_path, at=NOW - timedelta(hours=25)).run("command:anna")
    assert (waits.deleted[Kind.CALLS], await count(house, "calls")) == (0, MANY)
    (planned,) = await plan_run(house, Retention(), NOW - timedelta(hours=25))
    assert (planned.client, planned.kind, planned.days, planned.counts_at) == (
        "paris",
        Kind.CALLS,
        62,
        NOW - timedelta(hours=1),
    )
    old = await count(house, "calls", f"client = 'paris' AND ringing_at < '{BORDER.isoformat()}'")
    assert planned.many in (old, old - await _on_the_fifteenth(house))

    done = await retaining(house, tmp_path).run("callrouter")

    assert (done.deleted[Kind.CALLS], done.held_back) == (old, 0)
    assert await count(house, "calls") == MANY - old
    for table in ("queue_visits", "offers"):
        assert await count(house, table, "call_id NOT IN (SELECT call_id FROM calls)") == 0
    assert await count(house, "legs", "split_part(leg_id, '/', 1) NOT IN (SELECT call_id FROM calls)") == 0
    assert await count(house, "figure_marks") == 0
    after = await figures(house)
    same(after[0], before[0])
    assert after[1] == before[1]
    last, first = await read_runs(house)
    assert (last.deleted[Kind.CALLS], last.clients["paris"]["calls"]["many"], last.error) == (old, old, "")
    assert (first.deleted[Kind.CALLS], first.asked_by) == (0, "command:anna")
    watch = RetentionWatch(house)
    await watch.look()
    assert watch.seen is not None
    assert (watch.seen.deleted["calls"], watch.seen.failed) == (old, False)


async def _on_the_fifteenth(database: Database) -> int:
    at = f"ringing_at >= '{BORDER.isoformat()}'::timestamptz - interval '1 day'"
    return await count(database, "calls", f"client = 'paris' AND {at} AND ringing_at < '{BORDER.isoformat()}'")


@pytest.fixture
async def gone(house: Database, tmp_path: Path) -> tuple[Database, tuple[Stats, list[str]]]:
    """After the first half of October went; and what the figures were before."""
    before = await figures(house)
    await goes_live(house, "paris", TWO_MONTHS)
    await retaining(house, tmp_path).run("command:anna", at_once=True)
    return house, before


async def test_days_whose_calls_are_gone_are_never_made_again(
    gone: tuple[Database, tuple[Stats, list[str]]], tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    """By command, by a mark, by another time zone, or by a call that comes late: that one goes with the next run."""
    house, before = gone
    await rebuild_clients(house, ["paris"])
    await mark_days(house, BORDER - timedelta(days=20), BORDER + timedelta(days=20))
    await rebuild_all(house)
    after = await figures(house)
    assert after[1] == before[1]
    assert (await all_of(compare_days(house, BORDER - timedelta(days=30), NOW)))[1] == []
    assert (await all_of(compare_traces(house, BORDER - timedelta(days=30), NOW)))[1] == []

    late = make_call(9_000, client="paris", ringing_at=BORDER - timedelta(days=3))
    await write(house, [late])
    assert (await figures(house))[1] == before[1]
    await rebuild_all(house)
    assert (await figures(house))[1] == before[1]
    assert await count(house, "calls", "call_id = 'call-009000'") == 1
    await retaining(house, tmp_path).run("callrouter")
    assert await count(house, "calls", "call_id = 'call-009000'") == 0

    kept = await count(house, "figure_days", "client = 'paris' AND first_at < '2026-10-15 22:00+00'")
    await goes_live(house, "paris", TWO_MONTHS, zone="America/New_York")
    await rebuild_all(house)
    assert await count(house, "figure_days", "client = 'paris' AND first_at < '2026-10-15 22:00+00'") == kept > 0
    assert (await all_of(compare_days(house, BORDER - timedelta(days=30), NOW)))[1] == []


async def test_a_month_whose_calls_are_all_gone_is_one_row_again(
    gone: tuple[Database, tuple[Stats, list[str]]], tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    """While some of its calls were there its days stood by themselves; nothing of it is ever made again."""
    house, before = gone
    october = "client = 'paris' AND month = '2026-10-01'"
    assert await count(house, "figure_months", october) == 0
    await retaining(house, tmp_path, at=NOW + timedelta(days=30)).run("callrouter")
    assert await count(house, "calls", "client = 'paris'") == 0
    await rebuild_all(house)
    assert await count(house, "figure_months", october) > 0
    assert await count(house, "figure_days", "client = 'paris' AND day < '2026-11-01'") == 0
    assert (await figures(house))[1] == before[1]

    late = make_call(9_000, client="paris", ringing_at=BORDER - timedelta(days=3))
    await write(house, [late])
    await rebuild_clients(house, ["paris"])
    await mark_days(house, BORDER - timedelta(days=20), BORDER + timedelta(days=20))
    assert (await figures(house))[1] == before[1]
    await rebuild_all(house)
    assert (await figures(house))[1] == before[1]
    await goes_live(house, "paris", TWO_MONTHS, zone="America/New_York")
    kept = await count(house, "figure_months", october)
    for _ in range(2):
        totals = await read_figures(house, OCTOBER, by=[Grouping.CLIENT], now=NOW)
        assert sum(one.figures.received for one in totals.groups) == before[0].clients[0].figures.received + (
            before[0].clients[1].figures.received
        )
        await rebuild_all(house)
    assert await count(house, "figure_months", october) == kept
    from_noon = Period.between(BORDER - timedelta(days=2, hours=12), BORDER)
    with pytest.raises(DaysAlone):
        await read_stats(house, from_noon, client="paris", now=NOW)


async def test_what_is_not_billed_yet_stays(house: Database, tmp_path: Path) -> None:
    """Of a client with a tariff; whatever is over when its invoice is there goes with the next run."""
    await goes_live(house, "paris", TWO_MONTHS)
    await has_tariff(house, client="paris", since=date(2026, 10, 1))
    for expected in (await count(house, "calls", "client = 'paris' AND ringing_at >= '2026-09-30 22:00+00'"), 0):
        late = NOW + timedelta(days=90)
        await retaining(house, tmp_path, at=late).run("command:anna", at_once=True)
        assert await count(house, "calls", "client = 'paris'") == expected
        for month in (date(2026, 10, 1), date(2026, 11, 1)):
            await issue(house, "paris", month, name="Paris", by=By(principal="command:anna"), now=late)
    assert await count(house, "consumption_items") > 0


async def test_a_part_of_such_a_day_is_refused(gone: tuple[Database, tuple[Stats, list[str]]]) -> None:
    house, _ = gone
    noon = BORDER - timedelta(days=2, hours=12)
    period = Period.between(noon, BORDER)
    with pytest.raises(DaysAlone, match="calls of paris before 2026-10-16 are deleted"):
        await read_stats(house, period, client="paris", now=NOW)


async def test_pages_are_read_and_calls_written_meanwhile(
    house: Database, tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    """Nothing is lost, nothing fails, and figures are exact at every moment; whoever is killed is gone on from."""
    await goes_live(house, "paris", TWO_MONTHS)
    await goes_live(house, "lyon", TWO_MONTHS)
    old = await count(house, "calls", f"ringing_at < '{BORDER.isoformat()}'")
    before = (await figures(house))[1]
    killed = retaining(house, tmp_path)
    steps = 0

    async def dies() -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            raise RuntimeError("killed")

    killed._deleter._between = dies
    with pytest.raises(RuntimeError):
        await killed.run("command:anna", at_once=True)
    left = await count(house, "calls", f"ringing_at < '{BORDER.isoformat()}'")
    assert 0 < left < old
    over = asyncio.Event()

    async def reads() -> int:
        pages = 0
        while not over.is_set() or not pages:
            assert (await figures(house))[1] == before
            page = await list_calls(house, limit=20)
            assert len(page.calls) == 20
            pages += 1
        return pages

    async def writes() -> int:
        number = 20_000
        while not over.is_set() or number == 20_000:
            await write(house, [make_call(number, client="paris", ringing_at=NOW - timedelta(seconds=number - 20_000))])
            await rebuild_all(house)
            number += 1
        return number - 20_000

    async with asyncio.TaskGroup() as group:
        read, written = group.create_task(reads()), group.create_task(writes())
        done = await retaining(house, tmp_path).run("callrouter")
        over.set()
    assert done.deleted[Kind.CALLS] == left
    assert await count(house, "calls", "call_id >= 'call-020000'") == written.result() > 0 < read.result()
    assert (await figures(house))[1] == before
    assert [one.error for one in await read_runs(house)] == ["", "it was interrupted: the next run went on"]


async def test_what_somebody_waits_for_is_held_back(
    database: Database, tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    """An open wish to be called back, and a message nobody has taken on; a trace and a transcript go by themselves."""
    all_of_it = Retention(calls=62, messages=62, traces=1, transcripts=1)
    await goes_live(database, "cabinet-moreau", all_of_it)
    await write(database, [make_call(number, ringing_at=BORDER - timedelta(days=number)) for number in (1, 2, 3)])
    wish = """
        INSERT INTO callbacks (call_id, position, client, number, node, asked_at, state)
        VALUES ('call-000001', 1, 'cabinet-moreau', '+33612340001', 'offer', now(), 'open')
    """
    async with database.connection() as connection:
        await connection.execute(text(wish))
        await connection.execute(text("UPDATE messages SET transcript = 'Bonjour' WHERE call_id = 'call-000001'"))
        await connection.execute(
            text("UPDATE dispatches SET state = 'told', due_at = NULL WHERE message_id NOT LIKE 'call-000001%'")
        )
    had = await count(database, "messages")
    assert had == 3

    done = await retaining(database, tmp_path).run("command:anna", at_once=True)

    assert (done.deleted[Kind.CALLS], done.deleted[Kind.MESSAGES], done.held_back) == (2, 2, 2)
    assert done.deleted[Kind.TRACES] == 3
    assert await count(database, "messages", "call_id = 'call-000001' AND transcript IS NULL") == 1
    assert await count(database, "recordings") == 1
    page = await list_calls(database, limit=5)
    assert [(one.call_id, one.visits) for one in page.calls] == [("call-000001", ())]
    assert (await all_of(compare_traces(database, BORDER - timedelta(days=30), NOW)))[1] == []
    assert await count(database, "happenings") == 0


async def test_no_mistake_destroys(database: Database, tmp_path: Path, make_call: Callable[..., Call]) -> None:
    """A slip that is mended within a day, a file that is gone, and a setting that is: nothing goes."""
    await write(database, [make_call(1, ringing_at=NOW - timedelta(days=300))])
    year = Retention(calls=365, traces=365)
    await goes_live(database, "cabinet-moreau", year)
    hour = timedelta(hours=1)
    await retaining(database, tmp_path, at=NOW - 60 * hour).run("callrouter")
    await retaining(database, tmp_path, at=NOW - 30 * hour).run("callrouter")
    await goes_live(database, "cabinet-moreau", Retention(calls=63, traces=365))
    await retaining(database, tmp_path, at=NOW - 2 * hour).run("callrouter")
    await goes_live(database, "cabinet-moreau", year)
    await retaining(database, tmp_path, at=NOW).run("callrouter")
    await goes_live(database, "cabinet-moreau", Retention(calls=63, traces=365))
    await retaining(database, tmp_path, at=NOW + 23 * hour).run("callrouter")  # it is asked for since now, not before
    gone = WentLive(client="cabinet-moreau", version=None, live_at=NOW, why="saved")
    await remember_live(database, [], [gone])
    short = Retention(calls=62)
    for hours in (24, 50, 80):
        await retaining(database, tmp_path, at=NOW + hours * hour, operators=short).run("callrouter")
    assert await count(database, "calls") == 1
    rules = "SELECT days FROM retention_rules WHERE client = 'cabinet-moreau' AND kind = 'calls'"
    async with database.connection() as connection:
        assert (await connection.execute(text(rules))).scalar_one() == 365
        with pytest.raises(Exception, match="destroys_nothing"):
            await connection.execute(text("UPDATE retention_rules SET days = 0"))


async def test_the_worker_looks_after_recordings_and_all_else(
    database: Database, tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    """One run: a recording whose time is over goes, and so does what the operator has set."""
    await write(database, [make_call(1, ringing_at=NOW - timedelta(days=300))])
    (tmp_path / "rec-1.wav").write_bytes(b"RIFF")
    await rebuild_all(database)
    recordings = Recordings(database, tmp_path, AuditTrail(database))
    keeper = Keeper(database, tmp_path, recordings, keep_days=30, now=lambda: NOW)
    operators = Retention(calls=62, recordings=30, messages=None)
    kept = RetentionKeeper(
        database, recordings, keeper, operators, works=lambda: True, now=lambda: NOW, round_seconds=0.02
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(kept.run())
        while not any(run.ended_at for run in await read_runs(database)):
            await asyncio.sleep(0.02)
        task.cancel()
    assert not (tmp_path / "rec-1.wav").exists()
    assert await count(database, "calls") == 1  # its rule is of today

    async with keeper.alone() as alone:
        assert alone
        assert await kept.run_now("command:anna", at_once=True, say=lambda _text: None) is None
    run = await kept.run_now("command:anna", at_once=True, say=lambda _text: None)
    assert run is not None
    assert (run.deleted[Kind.CALLS], await count(database, "messages")) == (1, 1)
