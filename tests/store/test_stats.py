"""The figures of a period, each call judged by what the version of the plan promised that it walked."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from callrouter.core.call import Call, Clocks, Disposition, replace
from callrouter.core.service_level import Formula, Promise, ServiceLevelTarget
from callrouter.periods import Moment, Period
from callrouter.store.calls import list_calls
from callrouter.store.database import Database
from callrouter.store.figures.model import Figures, PromiseStats
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.stats import read_stats
from callrouter.store.writing.writer import Writer

MakeCall = Callable[..., Call]
Write = Callable[[list[Call]], Awaitable[None]]
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
VERSION = "5f2d3c9a10be"
"""That of the calls that are made here."""
USUAL = Promise(timezone="Europe/Paris")
STRICT = Promise(within_seconds=60, short_abandon_seconds=20, formula=Formula.STRICT, timezone="Europe/Paris")
DEFAULT = ServiceLevelTarget()


@pytest.fixture
def write(database: Database) -> Write:
    """Puts calls into the database."""

    async def put(calls: list[Call]) -> None:
        writer = Writer(database)
        assert await writer.write(calls) == []
        writer.close()

    return put


async def goes_live(database: Database, client: str, version: str, promise: Promise | None) -> None:
    """A version of a client's plan, kept with what it promises."""
    plan = StoredPlan(client=client, version=version, document="", first_live_at=MONDAY, promise=promise)
    went = WentLive(client=client, version=version, live_at=MONDAY, why="saved")
    await remember_live(database, [plan], [went])


def _random_calls(make_call: MakeCall, random: Random, size: int) -> list[Call]:
    calls = []
    for number in range(size):
        disposition = random.choice(list(Disposition))
        ringing_at = MONDAY + timedelta(seconds=number)
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
        calls.append(
            make_call(
                number,
                client=random.choice(["a", "b", "c"]),
                disposition=disposition,
                queue_visits=(visit,) if entered else (),
                dials=(),
                messages=(),
                clocks=Clocks(
                    ringing_at=ringing_at, entered_service_at=entered_at if entered else None, ended_at=ended_at
                ),
            )
        )
    return calls


def check(figures: Figures, calls: Sequence[Call], targets: Mapping[str, ServiceLevelTarget]) -> None:
    """Recompute every count, share, mean and percentile from the journeys, each by the target of its version."""
    waits = {call.call_id: call.waiting_seconds(call.clocks.ended_at or MONDAY) for call in calls}
    answered = [c for c in calls if c.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)]
    abandoned = [c for c in calls if c.disposition is Disposition.ABANDONED]
    within = [c for c in answered if waits[c.call_id] <= targets[c.plan_version].within_seconds]
    left_within = [c for c in abandoned if waits[c.call_id] <= targets[c.plan_version].within_seconds]
    short = [c for c in abandoned if waits[c.call_id] < targets[c.plan_version].short_abandon_seconds]
    offered = [c for c in calls if c.offered]
    counts = figures.counts
    assert len(calls) == figures.received == sum(figures.by_disposition.values())
    assert Counter(c.disposition for c in calls) == Counter(dict(figures.by_disposition))
    assert (counts.offered, counts.answered, counts.abandoned) == (len(offered), len(answered), len(abandoned))
    assert (counts.answered_within, counts.abandoned_within, counts.short_abandoned) == (
        len(within),
        len(left_within),
        len(short),
    )
    assert figures.pickup_rate == pytest.approx(len(answered) / (len(offered) - len(short)))
    assert figures.abandon_rate == pytest.approx((len(abandoned) - len(short)) / (len(offered) - len(short)))
    for found, of in ((figures.waiting, answered), (figures.abandoned_waiting, abandoned)):
        some = [waits[c.call_id] for c in of]
        assert found.mean_seconds == pytest.approx(statistics.fmean(some))
        assert found.max_seconds == max(some)
        assert found.p50_seconds == pytest.approx(statistics.median(some))
        assert found.p90_seconds == pytest.approx(statistics.quantiles(some, n=10, method="inclusive")[-1])
    assert figures.aht_seconds == pytest.approx(statistics.fmean(c.talk_seconds() for c in answered))
    assert figures.service_levels[Formula.STRICT] == len(within) / len(offered)


async def test_the_figures_are_those_of_the_calls(database: Database, make_call: MakeCall, write: Write) -> None:
    """Recomputed from the journeys read back, each client by its own promise; without one, by the default."""
    await goes_live(database, "a", VERSION, USUAL)
    await goes_live(database, "b", VERSION, STRICT)
    await write(_random_calls(make_call, Random(7), 600))

    found = await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY)

    assert [one.client for one in found.clients] == ["a", "b", "c"]
    for one, promise in zip(found.clients, (USUAL, STRICT, None), strict=True):
        target = promise or DEFAULT
        calls = (await list_calls(database, client=one.client, limit=1000)).calls
        check(one.figures, calls, dict.fromkeys((VERSION,), target))
        (part,) = one.promises
        assert (part.promise, part.figures) == (promise, one.figures)
        assert one.target == target
        assert one.service_level == one.figures.service_levels[target.formula]
        assert f"T = {target.within_seconds:g} s" in one.basis
        assert ("no promise is known" in one.basis) is (promise is None)
        (alone,) = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY, client=one.client)).clients
        assert (alone.promises[0].promise, alone.figures.counts) == (promise, one.figures.counts)


async def test_a_period_with_several_promises_is_told_by_promise(
    database: Database, make_call: MakeCall, write: Write
) -> None:
    """Each part by its own, in the order in which they were made; no service level of all."""
    versions = {"1": USUAL, "2": USUAL, "3": STRICT, "4": None}
    for version, promise in versions.items():
        await goes_live(database, "a", version, promise)
    calls = _random_calls(make_call, Random(11), 800)
    calls = [replace(call, client="a", plan_version=str(1 + number // 200)) for number, call in enumerate(calls)]
    await write([*calls, make_call(900, client="b")])

    one, other = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY)).clients

    assert [part.promise for part in one.promises] == [USUAL, STRICT, None]
    for part, those in zip(one.promises, (calls[:400], calls[400:600], calls[600:]), strict=True):
        check(part.figures, those, dict.fromkeys(versions, part.target))
        assert part.service_level == part.figures.service_levels[part.target.formula]
    check(one.figures, calls, {version: promise or DEFAULT for version, promise in versions.items()})
    assert (one.target, one.service_level) == (None, None)
    assert one.basis == "3 promises in this period: each has a service level of its own"
    assert len(other.promises) == 1


async def test_later_versions_change_no_figure(database: Database, make_call: MakeCall, write: Write) -> None:
    """What was promised to whoever called yesterday stays what it was."""
    await goes_live(database, "a", VERSION, USUAL)
    await write([replace(call, client="a") for call in _random_calls(make_call, Random(3), 60)])
    (before,) = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY)).clients

    await goes_live(database, "a", "later", STRICT)

    (after,) = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY)).clients
    assert (after.target, after.service_level, after.figures.counts) == (
        before.target,
        before.service_level,
        before.figures.counts,
    )


async def test_no_calls_are_no_zero(database: Database, make_call: MakeCall, write: Write) -> None:
    """Without calls there is no share; a client asked for is there all the same, and periods do not overlap."""
    await write([make_call(1), make_call(2, ringing_at=TUESDAY)])

    day = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY)).clients
    assert [one.figures.received for one in day] == [1]
    assert (await read_stats(database, Period.between(MONDAY - timedelta(days=1), MONDAY), now=MONDAY)).clients == []
    (one,) = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY, client="etude-lenoir")).clients
    assert (
        one.figures.received,
        one.figures.counts.offered,
        one.service_level,
        one.figures.pickup_rate,
        one.figures.waiting.mean_seconds,
        one.figures.waiting.p90_seconds,
    ) == (0, 0, None, None, None, None)
    assert one.target == DEFAULT


async def test_a_client_without_calls_shows_what_it_is_promised_now(database: Database) -> None:
    """By the version that went live last, whatever its name."""
    await goes_live(database, "a", "2", USUAL)
    await goes_live(database, "a", "1", STRICT)
    (one,) = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY, client="a")).clients

    assert one.promises == [PromiseStats(promise=STRICT, figures=one.figures)]
    assert one.target == STRICT


async def test_each_client_has_the_days_of_its_own_zone(database: Database, make_call: MakeCall, write: Write) -> None:
    """A call an hour over three days, in which Paris has one of 25 hours; of nobody's number: as most clients."""
    for client, zone in {"paris": "Europe/Paris", "lyon": "Europe/Paris", "moufia": "Indian/Reunion"}.items():
        await goes_live(database, client, VERSION, Promise(timezone=zone))
    since = datetime(2026, 10, 24, 0, 30, tzinfo=UTC)
    for client in ("paris", "moufia", "unknown-did"):
        await write(
            [
                make_call(100 * len(client) + hour, client=client, ringing_at=since + timedelta(hours=hour))
                for hour in range(72)
            ]
        )

    day = Period(Moment.parse("2026-10-25"))
    found = await read_stats(database, day, now=TUESDAY)
    assert {one.client: one.figures.received for one in found.clients} == {"moufia": 24, "paris": 25, "unknown-did": 25}
    assert {one.client: one.from_at.isoformat() for one in found.clients} == {
        "moufia": "2026-10-25T00:00:00+04:00",
        "paris": "2026-10-25T00:00:00+02:00",
        "unknown-did": "2026-10-25T00:00:00+02:00",
    }
    assert (found.from_at, found.to_at) == (
        datetime(2026, 10, 24, 20, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    )
    for one in found.clients:
        alone = await read_stats(database, day, now=TUESDAY, client=one.client)
        assert alone.clients == [one]

    instants = Period.between(since, since + timedelta(hours=10))
    assert [one.figures.received for one in (await read_stats(database, instants, now=TUESDAY)).clients] == [10] * 3
    month = await read_stats(database, Period.month("2026-10"), now=TUESDAY)
    assert [one.figures.received for one in month.clients] == [72] * 3
