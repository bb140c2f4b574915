"""What is kept of days gives the figures of the calls: late ones, corrected ones, and while both are made and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import Call, Clocks, Disposition, Revision, replace
from callrouter.core.service_level import Promise
from callrouter.periods import Moment, Period
from callrouter.store.database import Database
from callrouter.store.figures import cutting
from callrouter.store.figures.asking import Grouping
from callrouter.store.figures.folding import fold_some
from callrouter.store.figures.model import Group, Stats
from callrouter.store.figures.rebuilding import known_clients, mark_days, read_backlog, rebuild_clients, rebuild_some
from callrouter.store.figures.verifying import compare_days
from callrouter.store.figures.zones import read_zones
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.stats import read_figures, read_stats
from callrouter.store.writing.writer import Writer

MakeCall = Callable[..., Call]
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
OCTOBER = Period.month("2026-10")
JUST_OVER = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
"""October is over, and its days still stand by themselves."""
CLOCKS_CHANGE = date(2026, 10, 25)
ZONES = {"paris": "Europe/Paris", "lyon": "Europe/Paris", "delhi": "Asia/Kolkata", "reunion": "Indian/Reunion"}


async def goes_live(database: Database, client: str, version: str, promise: Promise, *formerly: str) -> None:
    """A version of a client's plan, kept with what it promises."""
    plan = StoredPlan(
        client=client, version=version, document="", first_live_at=NOW, promise=promise, formerly=formerly
    )
    await remember_live(database, [plan], [WentLive(client=client, version=version, live_at=NOW, why="saved")])


async def write(database: Database, calls: Sequence[Call]) -> None:
    """Puts them into the record."""
    writer = Writer(database)
    assert await writer.write(list(calls)) == []
    writer.close()


async def rebuild_all(database: Database, marks: int = 40, *, now: datetime = NOW) -> int:
    """Until nothing is left; how many days were made."""
    days = 0
    while not (done := await rebuild_some(database, marks, now=now)).did_nothing:
        days += done.days
    return days


def some_call(make_call: MakeCall, random: Random, number: int, **fields: Any) -> Call:
    """One that rang in October, or just beside it."""
    first = datetime(2026, 9, 30, 12, 0, tzinfo=UTC)
    disposition = fields.pop("disposition", random.choice(list(Disposition)))
    ringing_at = fields.pop("ringing_at", first + timedelta(seconds=random.randrange(32 * 86_400)))
    entered_at = ringing_at + timedelta(seconds=random.choice([3, 8]))
    reached = disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
    entered = reached or disposition is Disposition.ABANDONED or random.random() < 0.3
    waited = timedelta(seconds=random.choice([0, 4.999999, 5, 19.9, 20, 20.000001, 60, 200]))
    ended_at = entered_at + waited + timedelta(seconds=random.randrange(90))
    visit = replace(
        make_call(1).queue_visits[0],
        entered_at=entered_at,
        answered_at=entered_at + waited if reached else None,
        left_at=ended_at if reached else entered_at + waited,
    )
    return make_call(
        number,
        client=fields.pop("client", random.choice([*ZONES, "nobody"])),
        did=random.choice(["+33140000001", "+33140000002"]),
        plan_version=random.choice(["v1", "v2"]),
        disposition=disposition,
        queue_visits=(visit,) if entered else (),
        dials=(),
        messages=(),
        clocks=Clocks(ringing_at=ringing_at, entered_service_at=entered_at if entered else None, ended_at=ended_at),
        **fields,
    )


@pytest.fixture
async def house(database: Database) -> Database:
    """Clients in several zones, each with two promises."""
    for client, zone in ZONES.items():
        await goes_live(database, client, "v1", Promise(timezone=zone))
        await goes_live(database, client, "v2", Promise(timezone=zone, within_seconds=60, short_abandon_seconds=21))
    return database


async def uncounted(database: Database) -> None:
    """Nothing is kept any more: all is counted from the calls."""
    async with database.connection() as connection:
        await connection.execute(text("UPDATE figure_zones SET basis = ''"))
        await connection.execute(text("TRUNCATE figure_days, figure_queue_days, figure_months, figure_queue_months"))


def rounded(value: Any) -> Any:
    """Sums of parts differ in their last digits."""
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


def same(found: Stats, expected: Stats) -> None:
    """The same figures."""
    assert repr(_short(found)) == repr(_short(expected))


def _short(stats: Stats) -> list[object]:
    return [
        (one.client, one.from_at, one.to_at, figures_of(one.figures), [figures_of(p.figures) for p in one.promises])
        for one in stats.clients
    ]


def figures_of(figures: Any) -> object:
    """Without the last digits of sums."""
    waits = [
        [None if value is None else round(value, 6) for value in (w.mean_seconds, w.p50_seconds, w.p95_seconds)]
        for w in (figures.waiting, figures.abandoned_waiting)
    ]
    aht = None if figures.aht_seconds is None else round(figures.aht_seconds, 6)
    return figures.received, dict(figures.by_disposition), figures.counts, dict(figures.service_levels), waits, aht


PERIODS = [
    OCTOBER,
    Period(Moment(CLOCKS_CHANGE), Moment(CLOCKS_CHANGE + timedelta(days=1))),
    Period.between(datetime(2026, 10, 3, 7, 20, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    Period.between(datetime(2026, 10, 3, 7, 20, tzinfo=UTC), datetime(2026, 10, 3, 9, 30, tzinfo=UTC)),
]


async def test_kept_days_give_the_figures_of_the_calls(house: Database, make_call: MakeCall) -> None:
    """Of months, of the day of 25 hours, and of periods that begin and end in the midst of days."""
    random = Random(5)
    await write(house, [some_call(make_call, random, number) for number in range(3000)])
    from_calls = [await read_stats(house, period, now=NOW) for period in PERIODS]

    assert await rebuild_all(house, now=JUST_OVER) > 100
    async with house.connection() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM figure_marks"))).scalar_one() == 0
    for period, expected in zip(PERIODS, from_calls, strict=True):
        same(await read_stats(house, period, now=NOW), expected)
    assert await rebuild_all(house) == 0
    assert await kept_rows(house) == (False, True)
    for period, expected in zip(PERIODS, from_calls, strict=True):
        same(await read_stats(house, period, now=NOW), expected)
    for client in ("paris", "nobody", "stranger"):
        kept = await read_stats(house, OCTOBER, now=NOW, client=client)
        await uncounted(house)
        same(kept, await read_stats(house, OCTOBER, now=NOW, client=client))
        await rebuild_all(house)


async def kept_rows(database: Database) -> tuple[bool, bool]:
    """Whether something of October is kept by days, and by the month."""
    async with database.connection() as connection:
        days = text("SELECT EXISTS (SELECT FROM figure_days WHERE day BETWEEN '2026-10-01' AND '2026-10-31')")
        months = text("SELECT EXISTS (SELECT FROM figure_months WHERE month = '2026-10-01')")
        return (await connection.execute(days)).scalar_one(), (await connection.execute(months)).scalar_one()


GROUPINGS = [
    [Grouping.CLIENT],
    [Grouping.DID, Grouping.CLIENT],
    [Grouping.DAY],
    [Grouping.WEEKDAY, Grouping.HOUR],
    [Grouping.MONTH],
    [Grouping.CLIENT, Grouping.HOUR],
    [Grouping.CLIENT, Grouping.DAY],
    [Grouping.VERSION],
    [Grouping.VERSION, Grouping.WEEKDAY, Grouping.DID],
    [],
]


async def test_groups_are_those_of_the_calls(house: Database, make_call: MakeCall) -> None:
    """Recomputed from the calls, hours by the clock that the client has on the wall; kept by days, and by months; and
    with days of months that are marked.
    """
    random = Random(6)
    calls = [some_call(make_call, random, number) for number in range(1500)]
    await write(house, calls)
    await rebuild_all(house, now=JUST_OVER)
    for by in GROUPINGS:
        await _check_groups(house, calls, by)
    await rebuild_all(house)
    assert await kept_rows(house) == (False, True)
    for by in GROUPINGS:
        await _check_groups(house, calls, by)
    calls += [some_call(make_call, random, number) for number in range(1500, 1530)]
    await write(house, calls[1500:])
    for by in GROUPINGS:
        await _check_groups(house, calls, by)


async def _check_groups(house: Database, calls: Sequence[Call], by: list[Grouping]) -> None:
    found = await read_figures(house, OCTOBER, by=by, now=NOW)
    expected: dict[tuple[Any, ...], list[Call]] = {}
    for call in calls:
        at = call.clocks.ringing_at.astimezone(ZoneInfo(ZONES.get(call.client, "Europe/Paris")))
        if at.month == 10:
            values = {
                Grouping.CLIENT: call.client,
                Grouping.DID: call.did,
                Grouping.VERSION: call.plan_version,
                Grouping.DAY: at.date(),
                Grouping.WEEKDAY: at.isoweekday(),
                Grouping.MONTH: at.date().replace(day=1),
                Grouping.HOUR: at.hour,
            }
            expected.setdefault(tuple(values[one] for one in by), []).append(call)
    assert [one.keys for one in found.groups] == sorted(expected)
    for one in found.groups:
        _check(one, expected[one.keys])
    _check(found.total, [call for its in expected.values() for call in its])


def _check(group: Group, calls: Sequence[Call]) -> None:
    waits = sorted(
        call.waiting_seconds(call.clocks.ended_at or NOW)
        for call in calls
        if call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
    )
    talked = sum(
        call.talk_seconds() for call in calls if call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
    )
    figures = group.figures
    assert figures.received == len(calls)
    assert figures.counts.offered == sum(call.offered for call in calls)
    assert figures.counts.answered == len(waits)
    assert figures.waiting.max_seconds == (waits[-1] if waits else None)
    assert figures.waiting.mean_seconds == (pytest.approx(sum(waits) / len(waits)) if waits else None)
    assert figures.aht_seconds == (pytest.approx(talked / len(waits)) if waits else None)


@pytest.mark.parametrize("now", [JUST_OVER, NOW], ids=["days", "months"])
async def test_a_late_call_is_in_the_very_next_answer(house: Database, make_call: MakeCall, now: datetime) -> None:
    """Before its day is made again, and after."""
    random = Random(7)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(200)])
    await rebuild_all(house, now=now)
    kept = await kept_rows(house)
    before = await read_stats(house, OCTOBER, now=NOW, client="paris")
    late = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)
    await write(house, [some_call(make_call, random, 900, client="paris", ringing_at=late)])

    at_once = await read_stats(house, OCTOBER, now=NOW, client="paris")
    assert at_once.clients[0].figures.received == before.clients[0].figures.received + 1
    assert await rebuild_all(house, now=now) == 1
    same(await read_stats(house, OCTOBER, now=NOW, client="paris"), at_once)
    assert await kept_rows(house) == kept
    assert [one async for one in compare_days(house, NOW - timedelta(days=90), NOW) if one.wrong] == []


@pytest.mark.parametrize("months", [False, True], ids=["days", "months"])
async def test_a_corrected_call_leaves_the_day_it_was_on(house: Database, make_call: MakeCall, months: bool) -> None:
    """Both days are marked; also where it leaves the month that had no other."""
    random = Random(8)
    first, then = datetime(2026, 9, 9, 8, 0, tzinfo=UTC), datetime(2026, 10, 12, 8, 0, tzinfo=UTC)
    call = some_call(make_call, random, 1, client="paris", ringing_at=first)
    await write(house, [call])
    await rebuild_all(house, now=NOW if months else first)
    again = some_call(make_call, random, 1, client="paris", ringing_at=then, revision=Revision(call.revision.epoch, 99))
    await write(house, [again])

    for _ in range(2):
        found = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW, clients=["paris"])
        assert [one.keys for one in found.groups] == [(date(2026, 10, 12),)]
        september = await read_figures(house, Period.month("2026-09"), by=[], now=NOW, clients=["paris"])
        assert september.total.figures.received == 0
        await rebuild_all(house)


async def test_a_zone_that_changes_has_its_days_made_again(house: Database, make_call: MakeCall) -> None:
    """The figures are right before, too."""
    random = Random(9)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(300)])
    await rebuild_all(house)
    await goes_live(house, "paris", "v3", Promise(timezone="America/Cayenne"))

    at_once = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW)
    assert (await read_backlog(house)).clients >= 1
    await rebuild_all(house)
    made = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW)
    assert [(one.keys, figures_of(one.figures)) for one in made.groups] == [
        (one.keys, figures_of(one.figures)) for one in at_once.groups
    ]
    assert (await read_backlog(house)).clients == 0


async def test_days_are_made_again_when_asked(house: Database, make_call: MakeCall) -> None:
    """Whatever was written into what is kept."""
    random = Random(10)
    await write(house, [some_call(make_call, random, number) for number in range(200)])
    await rebuild_all(house)
    right = await read_stats(house, OCTOBER, now=NOW)
    async with house.connection() as connection:
        await connection.execute(text("UPDATE figure_days SET received = received + 1"))
        await connection.execute(text("UPDATE figure_months SET received = received + 1"))
    await mark_days(house, NOW - timedelta(days=90), NOW)
    await rebuild_all(house)
    same(await read_stats(house, OCTOBER, now=NOW), right)


@pytest.mark.parametrize("now", [JUST_OVER, NOW], ids=["days", "months"])
async def test_late_calls_rebuilds_and_reads_race(house: Database, make_call: MakeCall, now: datetime) -> None:
    """Every answer has all calls that were committed before it was asked, whoever rebuilds meanwhile, whether days are
    made again in their month's row or by themselves.
    """
    random = Random(11)
    committed = 0

    async def writes() -> None:
        nonlocal committed
        for number in range(60):
            late = datetime(2026, 10, random.randrange(1, 8), random.randrange(24), 5, tzinfo=UTC)
            await write(house, [some_call(make_call, random, number, client="paris", ringing_at=late)])
            committed += 1

    async def rebuilds() -> None:
        while committed < 60:
            await rebuild_some(house, now=now)
            await asyncio.sleep(0)

    async def reads() -> None:
        while committed < 60:
            at_least = committed
            found = await read_stats(house, Period.month("2026-10"), now=NOW, client="paris")
            assert at_least <= found.clients[0].figures.received <= committed + 1

    async with asyncio.TaskGroup() as group:
        for work in (writes, rebuilds, rebuilds, reads):
            group.create_task(work())
    await rebuild_all(house, now=now)
    kept = await read_stats(house, OCTOBER, now=NOW)
    assert [one async for one in compare_days(house, NOW - timedelta(days=90), NOW) if one.wrong] == []
    await uncounted(house)
    same(kept, await read_stats(house, OCTOBER, now=NOW))


async def test_a_month_with_a_mark_is_not_put_together(house: Database, make_call: MakeCall) -> None:
    """Its days are made first; a release that keeps days otherwise is asked nothing."""
    random = Random(12)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(50)])
    await rebuild_all(house, now=JUST_OVER)
    async with house.connection() as connection:
        await connection.execute(
            text("INSERT INTO figure_marks (client, quarter_at) VALUES ('paris', '2026-10-20 12:00+00')")
        )
        await connection.execute(text("LOCK TABLE figure_zones IN SHARE ROW EXCLUSIVE MODE"))
        assert await fold_some(connection, await read_zones(connection), NOW) == 0
    assert await kept_rows(house) == (True, False)
    await rebuild_all(house)
    assert await kept_rows(house) == (False, True)


@pytest.mark.parametrize("now", [JUST_OVER, NOW], ids=["days", "months"])
async def test_many_clients_are_made_together(
    house: Database, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    """What is kept is the same, also where calls come between one month and the next, and where somebody asks."""
    monkeypatch.setattr("callrouter.store.figures.rebuilding.MANY", 3)
    monkeypatch.setattr("callrouter.store.figures.cutting.ALL_CALLS_AT_ONCE", 100)
    random = Random(13)
    await write(house, [some_call(make_call, random, number) for number in range(600)])
    added: list[Call] = []

    def meanwhile(_: str) -> None:
        added.append(some_call(make_call, random, 600 + len(added)))

    await rebuild_all(house, now=now)
    async with house.connection() as connection:
        await connection.execute(text("UPDATE figure_days SET received = 0"))
        await connection.execute(text("UPDATE figure_months SET received = 0"))
    assert await rebuild_clients(house, await known_clients(house), now=now, said=meanwhile) > 100
    assert len(added) >= 6  # months of zones
    await write(house, added)
    at_once = await read_stats(house, OCTOBER, now=NOW)
    await rebuild_all(house, now=now)
    same(await read_stats(house, OCTOBER, now=NOW), at_once)
    assert [one async for one in compare_days(house, NOW - timedelta(days=90), NOW) if one.wrong] == []
    await uncounted(house)
    same(await read_stats(house, OCTOBER, now=NOW), at_once)


class _KilledError(Exception):
    """Somebody pulled the plug."""


async def test_whoever_is_interrupted_leaves_nothing_half_made(
    house: Database, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a zone changed, some months were made in it, and it changed back, or was asked for all the time."""
    monkeypatch.setattr("callrouter.store.figures.rebuilding.MANY", 1)
    random = Random(14)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(300)])
    right = await read_stats(house, OCTOBER, now=NOW)
    paris = ZoneInfo("Europe/Paris")
    days = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW, zone=paris)
    await rebuild_all(house)
    await goes_live(house, "paris", "v3", Promise(timezone="Pacific/Noumea"))

    def killed(said: str) -> None:
        if said.startswith("2 of"):
            raise _KilledError

    with pytest.raises(_KilledError):
        await rebuild_clients(house, ["paris"], now=NOW, said=killed)
    meanwhile = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW, zone=paris)
    assert [(one.keys, figures_of(one.figures)) for one in meanwhile.groups] == [
        (one.keys, figures_of(one.figures)) for one in days.groups
    ]
    assert (await read_backlog(house)).clients == 1
    await goes_live(house, "paris", "v4", Promise(timezone="Europe/Paris"))
    same(await read_stats(house, OCTOBER, now=NOW), right)
    assert (await read_backlog(house)).clients == 1
    await rebuild_all(house)
    same(await read_stats(house, OCTOBER, now=NOW), right)
    assert [one async for one in compare_days(house, NOW - timedelta(days=90), NOW) if one.wrong] == []


async def test_a_zone_may_change_while_all_are_made(
    house: Database, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another round makes the client's days in the new zone; whoever goes on with the old one leaves it alone."""
    random = Random(15)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(300)])
    await rebuild_all(house)
    alone, entered = cutting.alone, 0

    @asynccontextmanager
    async def interrupted(database: Database) -> AsyncIterator[AsyncConnection]:
        nonlocal entered
        entered += 1
        if entered == 3:
            await goes_live(house, "paris", "v3", Promise(timezone="Pacific/Noumea"))
            monkeypatch.setattr("callrouter.store.figures.rebuilding.MANY", 10)
            await rebuild_all(house)
        async with alone(database) as connection:
            yield connection

    monkeypatch.setattr("callrouter.store.figures.rebuilding.MANY", 1)
    monkeypatch.setattr(cutting, "alone", interrupted)
    await rebuild_clients(house, ["paris"], now=NOW)
    assert entered > 3
    assert (await read_backlog(house)).clients == 0
    kept = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW)
    assert [one async for one in compare_days(house, NOW - timedelta(days=90), NOW) if one.wrong] == []
    await uncounted(house)
    counted = await read_figures(house, OCTOBER, by=[Grouping.DAY], now=NOW)
    assert [(one.keys, figures_of(one.figures)) for one in kept.groups] == [
        (one.keys, figures_of(one.figures)) for one in counted.groups
    ]


async def test_days_may_be_marked_that_a_release_before_keeps(house: Database, make_call: MakeCall) -> None:
    """It keeps days in another form, and leaves rows of months alone."""
    random = Random(17)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(100)])
    await rebuild_all(house)
    right = await read_stats(house, OCTOBER, now=NOW)
    async with house.connection() as connection:
        await connection.execute(text("UPDATE figure_zones SET basis = 'Europe/Paris'"))
    assert await mark_days(house, NOW - timedelta(days=90), NOW) > 0
    same(await read_stats(house, OCTOBER, now=NOW), right)
    await rebuild_all(house)
    same(await read_stats(house, OCTOBER, now=NOW), right)


@pytest.mark.parametrize("spoils", ["doubled", "without rings"])
async def test_what_the_release_before_made_meanwhile_is_made_again(
    house: Database, make_call: MakeCall, spoils: str
) -> None:
    """Days beside the row of their month, or visits of which nobody says how often each was offered."""
    random = Random(16)
    await write(house, [some_call(make_call, random, number, client="paris") for number in range(200)])
    right = await read_stats(house, OCTOBER, now=NOW)
    await rebuild_all(house, now=JUST_OVER)
    async with house.connection() as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE old ON COMMIT DROP AS SELECT * FROM figure_days"))
        if spoils == "doubled":
            while await fold_some(connection, await read_zones(connection), NOW):
                pass
            await connection.execute(text("INSERT INTO figure_days SELECT * FROM old WHERE day = '2026-10-09'"))
        else:
            await connection.execute(text("UPDATE figure_queue_days SET rings = ''"))
    await rebuild_all(house)
    same(await read_stats(house, OCTOBER, now=NOW), right)
    assert await kept_rows(house) == (False, True)
    assert [one async for one in compare_days(house, NOW - timedelta(days=90), NOW) if one.wrong] == []
