"""The day so far, as Prometheus is shown it: exactly what `read_stats` says of the same calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.call import Call, Disposition
from callrouter.core.service_level import Formula, Promise
from callrouter.periods import Moment, Period
from callrouter.store.database import Database
from callrouter.store.figures.today import TodayWatch, read_today
from callrouter.store.gaps import close_gaps, open_gap
from callrouter.store.stats import read_stats
from tests.store.figures.test_rebuilding import ZONES, goes_live, rebuild_all, some_call, write

TODAY = Period(Moment(0), None)
EVENING = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
"""Before midnight in Paris, after it in Delhi and on Réunion; of the next day Paris has 25 hours."""


@pytest.fixture
async def busy(database: Database, make_call: Callable[..., Call]) -> Database:
    """Calls of three days, by every formula, in several zones; one client was called otherwise before."""
    for number, (client, zone) in enumerate(ZONES.items()):
        for version, formula in (("v1", list(Formula)[number]), ("v2", Formula.STRICT)):
            promise = Promise(within_seconds=19.9, short_abandon_seconds=5 + number, formula=formula, timezone=zone)
            await goes_live(database, client, version, promise, *(["former"] if client == "delhi" else []))
    random = Random(13)
    first = EVENING - timedelta(days=1.5)
    clients = ["paris", "lyon", "delhi", "former", "reunion", "nobody"]
    dispositions = [*Disposition, Disposition.ANSWERED, Disposition.ABANDONED]
    calls = [
        some_call(
            make_call,
            random,
            number,
            client=random.choice(clients),
            disposition=random.choice(dispositions),
            ringing_at=first + timedelta(seconds=random.randrange(3 * 86_400)),
        )
        for number in range(1200)
    ]
    await write(database, calls)
    return database


@pytest.mark.parametrize("later_hours", [0, 1, 16, 27])
async def test_it_is_what_the_statistics_say(busy: Database, later_hours: int) -> None:
    """Counted from the calls, and from what is kept of days; also after the clocks have changed."""
    now = EVENING + timedelta(hours=later_hours)
    if later_hours:
        await rebuild_all(busy)
    found = await read_today(busy, now)
    stats = await read_stats(busy, TODAY, now=now)

    assert {*found.clients} == {one.client for one in stats.clients} == {*ZONES, "nobody"}
    for one in stats.clients:
        today = found.clients[one.client]
        assert (today.received, today.counts) == (one.figures.received, one.figures.counts)
        assert today.service_level == one.service_level


async def test_one_promise_has_a_service_level(database: Database, make_call: Callable[..., Call]) -> None:
    """By its own formula; two of one day have none together."""
    day, zone = datetime(2026, 10, 24, tzinfo=ZoneInfo("Europe/Paris")), "Europe/Paris"
    await goes_live(database, "paris", "v1", Promise(formula=Formula.ANSWERED_ONLY, timezone=zone))
    random = Random(1)
    calls = [
        some_call(make_call, random, number, client="paris", disposition=Disposition.ANSWERED, ringing_at=day)
        for number in range(20)
    ]
    await write(database, calls)
    known = sum(call.plan_version == "v1" for call in calls)

    before = (await read_today(database, EVENING)).clients["paris"]
    await goes_live(database, "paris", "v2", Promise(formula=Formula.ANSWERED_ONLY, timezone=zone))
    after = (await read_today(database, EVENING)).clients["paris"]

    assert 0 < known < 20
    assert (len(before.promises), before.service_level) == (2, None)
    assert len(after.promises) == 1
    assert after.service_level == (await read_stats(database, TODAY, now=EVENING)).clients[0].service_level


async def test_times_that_nobody_watched_are_said(database: Database) -> None:
    """Today's part of them, and of two at once the time by the clock."""
    midnight = datetime(2026, 10, 24, tzinfo=UTC)
    for from_minutes, until_minutes, pbx in ((-30, 10, "one"), (5, 20, "two"), (60, None, "one")):
        await open_gap(database, midnight + timedelta(minutes=from_minutes), "the link is down", pbx)
        if until_minutes is not None:
            await close_gaps(database, midnight + timedelta(minutes=until_minutes), pbx)

    found = await read_today(database, midnight + timedelta(minutes=90))

    assert found.gap_seconds == (20 + 30) * 60


async def test_what_is_not_known_is_not_said(database: Database) -> None:
    """Neither while PostgreSQL is away, nor of a look that is too long ago."""
    nowhere = Database(database.url.set(database="nowhere"))
    away = TodayWatch(nowhere, lambda: EVENING)
    here = TodayWatch(database, lambda: EVENING)
    unseen = here.seen
    await here.look()
    await away.look()
    await nowhere.close()

    assert unseen is None
    assert here.seen is not None
    assert away.seen is None
