"""A day's figures are told at 00:15 by the client's clock, once, and again when they have changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import jsonschema  # type: ignore[import-untyped]
import pytest
from structlog.testing import capture_logs

from callrouter.api.schemas.happened import schema
from callrouter.api.schemas.stats import ClientStatsOut
from callrouter.app.worker.parts import tellers_of
from callrouter.core.call import replace
from callrouter.core.dispatch import Kind
from callrouter.errors import DatabaseRefused
from callrouter.periods import Moment, Period
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.figures.model import Stats
from callrouter.store.gaps import close_gaps, open_gap
from callrouter.store.stats import read_stats
from tests.dispatch.rooms import Office
from tests.dispatch.subscribers import a_call, abandoned, bodies, goes_live, noted, recorded, subscribed

PARIS: Final = ZoneInfo("Europe/Paris")
VALIDATOR: Final = jsonschema.Draft202012Validator(schema())


def paris(text: str) -> datetime:
    """What clocks in Paris show."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@dataclass
class Set:
    """A clock that is set by hand."""

    at: datetime

    def now(self) -> datetime:
        """As a Clock."""
        return self.at.astimezone(UTC)


@dataclass
class Nights:
    """A client whose figures are told, and a worker that looks when it is asked to."""

    office: Office
    clock: Set
    seconds: float = 0.0
    lease: Lease = field(init=False)

    async def begin(self, **more: Any) -> None:
        """The subscription goes live now."""
        self.office.plan = subscribed(kinds=[Kind.DAY_FIGURES], **more)
        await goes_live(self.office.database, self.office.plan, self.clock.now())
        self.lease = Lease(self.office.database, "dispatch", "one")
        assert await self.lease.take()
        parts = (self.office.database, self.lease, self.office.live, self.clock)
        _, self._tell = tellers_of(*parts, seconds=lambda: self.seconds)

    async def at(self, text: str) -> list[tuple[str, int]]:
        """What has been told when the worker has looked then: day and revision, in order."""
        self.clock.at = paris(text)
        self.seconds += 60.0
        await self._tell()
        return [(one["data"]["day"], one["data"]["revision"]) for one in await bodies(self.office)]


@pytest.fixture
async def nights(office: Office) -> Nights:
    """From Monday, 2 March 2026, on; the subscription is a day old by then."""
    return Nights(office, Set(paris("2026-03-01T12:00")))


async def test_a_day_is_told_once_a_quarter_of_an_hour_after_it(nights: Nights) -> None:
    """With what `stats` says of it, in the shape that the API answers, and the next day the next one."""
    await nights.begin()
    database = nights.office.database
    await recorded(
        database,
        a_call("call-1", rang_at=paris("2026-03-02T00:00")),
        abandoned(a_call("call-2", rang_at=paris("2026-03-02T23:59"))),
        a_call("call-3", rang_at=paris("2026-03-03T00:00")),
    )
    first = await nights.at("2026-03-02T00:20")
    assert await nights.at("2026-03-03T00:14") == first == [("2026-03-01", 1)]
    assert await nights.at("2026-03-03T00:15") == [*first, ("2026-03-02", 1)]
    assert await nights.at("2026-03-03T23:59") == [*first, ("2026-03-02", 1)]

    _, body = await bodies(nights.office)
    data = body["data"]
    found = await read_stats(
        database, Period(Moment(date(2026, 3, 2)), Moment(date(2026, 3, 3))), now=nights.clock.now(), client="acme"
    )
    assert (body["type"], data["received"], data["abandoned"]) == ("day.figures.v1", 2, 1)
    assert (data["client_name"], data["timezone"], data["gaps"]) == ("Acme", "Europe/Paris", [])
    assert ClientStatsOut.model_validate(data) == ClientStatsOut.of(found.clients[0])
    VALIDATOR.validate(body)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
async def test_a_day_is_as_long_as_the_clients_clocks_make_it(nights: Nights, day: date, hours: int) -> None:
    nights.clock.at = paris(f"{day}T00:30")
    await nights.begin()
    after = day + timedelta(days=1)
    await recorded(nights.office.database, *(_each_hour(day)))
    assert await nights.at(f"{after}T00:14") == []
    assert await nights.at(f"{after}T00:15") == [(day.isoformat(), 1)]
    (body,) = await bodies(nights.office)

    begins, ends = (datetime.fromisoformat(body["data"][name]) for name in ("from_at", "to_at"))
    assert ends - begins == timedelta(hours=hours)
    assert body["data"]["received"] == hours


def _each_hour(day: date) -> list[Any]:
    """Calls at every hour from the day before to the day after, by UTC."""
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=12)
    return [a_call(f"call-{hour}", rang_at=begins + timedelta(hours=hour)) for hour in range(50)]


async def test_a_worker_that_was_away_tells_what_it_missed(nights: Nights) -> None:
    """Of a week; and nothing of before the subscription."""
    await nights.begin()
    days = [date(2026, 3, number).isoformat() for number in range(1, 4)]
    assert await nights.at("2026-03-04T09:00") == [(day, 1) for day in days]

    await nights.at("2026-03-20T00:15")
    told = [day for day, _ in await nights.at("2026-03-20T00:16")]
    assert told == [*days, *(date(2026, 3, number).isoformat() for number in range(13, 20))]


async def test_a_call_that_comes_late_changes_a_days_figures(nights: Nights) -> None:
    """They are told again at once, with the next revision; one that comes before they are told does not count twice."""
    await nights.begin()
    database = nights.office.database
    call = a_call("call-1", rang_at=paris("2026-03-02T10:00"))
    await recorded(database, call)
    await nights.at("2026-03-03T00:15")

    await recorded(database, a_call("call-2", rang_at=paris("2026-03-02T23:50")))
    assert await noted(nights.office) == [("day.figures", "acme 2026-03-02")]
    assert (await nights.at("2026-03-03T00:20"))[-1] == ("2026-03-02", 2)
    assert await noted(nights.office) == []

    corrected = abandoned(replace(call, revision=replace(call.revision, count=10)))
    await recorded(database, corrected)
    assert (await nights.at("2026-03-03T00:30"))[-1] == ("2026-03-02", 3)
    assert len(await nights.at("2026-03-03T00:40")) == 4
    last = (await bodies(nights.office))[-1]
    assert (last["data"]["received"], last["data"]["abandoned"]) == (2, 1)
    sequences = await nights.office.rows("SELECT sequence FROM deliveries ORDER BY number DESC LIMIT 2")
    assert sequences == [("acme crm day 2026-03-02",)] * 2


async def test_what_changes_without_a_call_is_found_the_night_after(nights: Nights) -> None:
    """A gap that was declared later, say."""
    await nights.begin()
    await nights.at("2026-03-03T00:15")
    since = paris("2026-03-02T10:00")
    await open_gap(nights.office.database, since, "the link to Asterisk was down")
    await close_gaps(nights.office.database, since + timedelta(minutes=5))
    assert len(await nights.at("2026-03-03T23:00")) == 2

    assert (await nights.at("2026-03-04T00:15"))[2:] == [("2026-03-02", 2), ("2026-03-03", 1)]
    (gap,) = (await bodies(nights.office))[2]["data"]["gaps"]
    assert gap["reason"] == "the link to Asterisk was down"


async def test_a_call_of_long_ago_is_told_to_nobody(nights: Nights) -> None:
    """A week later figures stand; what was noted is gone."""
    await nights.begin()
    before = await nights.at("2026-03-03T00:15")
    nights.clock.at = paris("2026-03-20T00:20")
    await nights.at("2026-03-20T00:20")
    many = len(await bodies(nights.office))
    await recorded(nights.office.database, a_call("call-1", rang_at=paris("2026-03-02T10:00")))
    await nights.at("2026-03-20T00:40")

    assert (len(before), len(await bodies(nights.office))) == (2, many)
    assert await noted(nights.office) == []


async def test_each_client_has_its_own_midnight(nights: Nights) -> None:
    """In Noumea the day is over ten hours earlier."""
    await nights.begin(timezone="Pacific/Noumea")
    assert await nights.at("2026-03-01T14:14") == []
    assert await nights.at("2026-03-01T14:15") == [("2026-03-01", 1)]


async def test_a_client_without_calls_has_figures_too(nights: Nights) -> None:
    await nights.begin()
    await nights.at("2026-03-02T00:15")
    (body,) = await bodies(nights.office)

    assert (body["data"]["received"], body["data"]["service_level"]) == (0, None)
    VALIDATOR.validate(body)


async def test_a_zone_that_postgresql_does_not_know_refuses_no_call(nights: Nights) -> None:
    """Its own list may be older than ours; the night after looks at the client's days all the same."""
    live = replace(subscribed(kinds=[Kind.DAY_FIGURES], version="2"), timezone="Europe/Nowhere")
    await goes_live(nights.office.database, live)
    assert await nights.office.rows("SELECT timezone, known_timezone FROM subscribers") == [("Europe/Nowhere", "UTC")]

    await recorded(nights.office.database, a_call(rang_at=paris("2026-03-01T14:05")))
    assert await noted(nights.office) == [("day.figures", "acme 2026-03-01")]


async def test_a_fault_in_one_holds_up_no_other(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    await nights.begin()
    await nights.office.rows(
        """INSERT INTO subscribers VALUES ('aaa', 'crm', 'aaa', '{day.figures}', 'UTC', 'UTC', '2026-02-01')
           RETURNING 1"""
    )
    monkeypatch.setattr("callrouter.dispatch.days.read_stats", _faulty)
    with capture_logs() as logs:
        assert await nights.at("2026-03-02T00:15") == [("2026-03-01", 1)]

    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["a day's figures could not be told"]


async def test_days_of_many_clients_are_told_in_turns(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that are due do not wait for all of them; whoever is left comes next, and nobody twice."""
    await nights.begin()
    for number in range(4):
        name = f"another-{number}"
        await goes_live(nights.office.database, subscribed(kinds=[Kind.DAY_FIGURES], client=name), nights.clock.now())
    took_seconds = 1_000_000.0

    async def slow(database: Database, period: Period, **more: Any) -> Stats:
        nonlocal took_seconds
        took_seconds += 1.0
        return await read_stats(database, period, **more)

    monkeypatch.setattr("callrouter.dispatch.days.read_stats", slow)
    monkeypatch.setattr("callrouter.dispatch.days.AT_ONCE_SECONDS", 1.5)
    nights.clock.at = paris("2026-03-02T00:15")
    parts = (nights.office.database, nights.lease, nights.office.live, nights.clock)
    _, tell = tellers_of(*parts, seconds=lambda: took_seconds)

    assert [await tell() for _ in range(4)] == [4, 4, 2, 0]  # to the stream, too
    assert len({one["data"]["client"] for one in await bodies(nights.office)}) == 5


async def test_of_one_clients_days_no_more_are_begun_when_the_time_is_over(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that have changed too: whatever was looked at is not looked at again the next time."""
    await nights.begin()
    took_seconds, asked = 1_000_000.0, 0

    async def slow(database: Database, period: Period, **more: Any) -> Stats:
        nonlocal took_seconds, asked
        took_seconds, asked = took_seconds + 1.0, asked + 1
        return await read_stats(database, period, **more)

    monkeypatch.setattr("callrouter.dispatch.days.read_stats", slow)
    nights.clock.at = paris("2026-03-06T00:15")
    parts = (nights.office.database, nights.lease, nights.office.live, nights.clock)
    _, tell = tellers_of(*parts, seconds=lambda: took_seconds)

    found = [await tell() for _ in range(12)]
    days = [one["data"]["day"] for one in await bodies(nights.office)]
    assert max(found) == 2  # the last day to the stream, too
    assert sum(found) - 1 == asked == len(days) > 2
    assert days == sorted(set(days))


async def test_a_client_whose_figures_are_not_given_holds_up_no_other(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL cuts off what it reads too long: the others are told at the next try, and it is tried again later."""
    await nights.begin()
    for name in ("aaa", "zzz"):
        await goes_live(nights.office.database, subscribed(kinds=[Kind.DAY_FIGURES], client=name), nights.clock.now())
    tried: list[str | None] = []

    async def cut_off(database: Database, period: Period, *, now: datetime, client: str | None = None) -> Stats:
        tried.append(client)
        if client == "aaa":
            raise DatabaseRefused("canceling statement due to statement timeout")
        return await read_stats(database, period, now=now, client=client)

    monkeypatch.setattr("callrouter.dispatch.days.read_stats", cut_off)
    monkeypatch.setattr("callrouter.dispatch.days.AT_ONCE_SECONDS", 60.0)
    nights.clock.at = paris("2026-03-02T00:15")
    parts = (nights.office.database, nights.lease, nights.office.live, nights.clock)
    seconds = 1_000_000.0
    _, tell = tellers_of(*parts, seconds=lambda: seconds)

    with pytest.raises(DatabaseRefused):
        await tell()
    assert await tell() == 4  # each to the stream, too
    assert await tell() == 0
    assert tried.count("aaa") == 1
    seconds += 60.0
    with pytest.raises(DatabaseRefused):
        await tell()
    assert tried.count("aaa") == 2
    assert {one["data"]["client"] for one in await bodies(nights.office)} == {"acme", "zzz"}


async def _faulty(database: Database, period: Period, *, now: datetime, client: str | None = None) -> Stats:
    if client == "aaa":
        raise ValueError("not this one")
    return await read_stats(database, period, now=now, client=client)


async def test_two_workers_tell_a_day_once(nights: Nights, database: Database) -> None:
    """Whoever has no lease tells nothing, and what was told is not told again by the next one."""
    await nights.begin()
    await nights.at("2026-03-02T00:15")
    await nights.lease.release()
    other = Lease(database, "dispatch", "two")
    assert await other.take()
    _, tell = tellers_of(database, other, nights.office.live, nights.clock, seconds=lambda: 0.0)
    await asyncio.gather(tell(), tell())

    assert len(await bodies(nights.office)) == 1
