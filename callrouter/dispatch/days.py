"""Tells other systems a day's figures: at 00:15 by the client's clock, and again when they have changed.

They are those of `callrouter stats`, by the same function. For a week they are looked at once more each night, and as
soon as a call comes into the record that rang on a day that was told. A worker that was not there at 00:15 does it when
it comes.

The live event stream tells a day of every client (`store.subscribed.days.STREAM`): here it is only written down that
its figures are new; web, which has readers or none, reads them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from callrouter.core.dispatch import Subscription
from callrouter.core.plan import Plan
from callrouter.dispatch.parcels import LivePlan
from callrouter.errors import LeaseLost, StoreError
from callrouter.periods import Moment, Period
from callrouter.runtime.ports import Clock
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.figures.model import ClientStats
from callrouter.store.gaps import Gap
from callrouter.store.stats import read_stats
from callrouter.store.subscribed.days import (
    STREAM,
    DaysKnown,
    DaySubscriber,
    forget_changed,
    forget_days,
    read_days,
    tell_day,
)
from callrouter.store.subscribed.happened import Event

log = structlog.get_logger(__name__)

TOLD_AT: Final = time(0, 15)
"""Of the day after, by the client's clock: what rang at midnight is over, and in the record."""
LOOKED_AT_DAYS: Final = 7
"""How many days back figures are looked at."""
LOOK_SECONDS: Final = 10.0
"""How often days are looked for that are over, or have changed."""
AT_ONCE_SECONDS: Final = 0.25
"""After so long it is looked anew what there is to tell, and what was told is sent meanwhile: at 00:15 the days of all
clients are over."""
KEPT_DAYS: Final = 40
"""How long it is known what was told of a day."""

_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class DayTelling:
    """A day's figures, for one subscription."""

    event_id: str
    at: datetime
    client_name: str
    day: date
    """Of the client's zone."""
    timezone: str
    revision: int
    """1 the first time; one more whenever they have changed."""
    stats: ClientStats
    gaps: tuple[Gap, ...]
    """Times of the day in which calls may be missing."""


WriteDay = Callable[[DayTelling], str]
"""What is posted of it."""


class DayTeller:
    """Of one worker."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        plans: LivePlan,
        clock: Clock,
        write: WriteDay,
        seconds: Callable[[], float],
    ) -> None:
        """`seconds` is a clock that nobody sets."""
        self._database = database
        self._lease = lease
        self._plans = plans
        self._clock = clock
        self._write = write
        self._seconds = seconds
        self._looked_seconds = float("-inf")
        self._failed: set[str] = set()
        """Clients whose figures PostgreSQL did not give in this look: the others come first."""

    async def tell(self) -> int:
        """Tell what is new of all days, if it is time to look; how many figures were told. Who calls it again after a
        StoreError has the other clients looked at before the one whose figures PostgreSQL did not give.

        Raises:
            LeaseLost: another worker does it.
            StoreError: PostgreSQL does not answer.
        """
        if self._seconds() - self._looked_seconds < LOOK_SECONDS:
            return 0
        now = self._clock.now()
        today = now.astimezone(UTC).date()
        known = await read_days(self._database, today - (LOOKED_AT_DAYS + 2) * _A_DAY)
        until_seconds, told = self._seconds() + AT_ONCE_SECONDS, 0
        for client, group in groupby(known.subscribers, key=_client_of):
            if self._seconds() > until_seconds:
                return told  # the next time goes on with those who are left
            if client in self._failed:
                continue
            try:
                more, is_all = await self._look_at(list(group), known, now, until_seconds)
                told += more
                if not is_all:
                    return told
            except LeaseLost:
                raise
            except StoreError:
                self._failed.add(client)
                raise
            except Exception:
                # A fault of ours must not hold up the others.
                log.exception("a day's figures could not be told", client=client)
        await forget_days(self._database, self._lease, known, today - KEPT_DAYS * _A_DAY)
        self._looked_seconds = self._seconds()
        self._failed.clear()
        return told

    async def _look_at(
        self, subscribers: list[DaySubscriber], known: DaysKnown, now: datetime, until_seconds: float
    ) -> tuple[int, bool]:
        """Tell what is new to all of a client's: how many figures, and whether that was all. A day is looked at as a
        whole; none is begun after that time."""
        wanted: dict[date, list[DaySubscriber]] = {}
        for one in subscribers:
            for day in days_to_look_at(one, known, now):
                wanted.setdefault(day, []).append(one)
        client, told = subscribers[0].client, 0
        named = any(one.name != STREAM for group in wanted.values() for one in group)
        plan = await self._plans(client) if named else None
        for day in sorted(wanted):
            if self._seconds() > until_seconds:
                return told, False
            figures = await self._figures(client, day, now)
            for one in wanted[day]:
                if one.name == STREAM:
                    told += await self._note(one, day, figures, now)
                # Else it went out of service in this instant.
                elif plan is not None and (own := plan.subscriptions.get(one.name)) is not None:
                    told += await self._tell(one, own, plan, day, figures, now)
            looked_at = {key: at for key, at in known.changed.items() if key == (client, day)}
            await forget_changed(self._database, self._lease, client, looked_at)
        await forget_changed(self._database, self._lease, client, known.changed)
        return told, True

    async def _figures(self, client: str, day: date, now: datetime) -> tuple[ClientStats, list[Gap]]:
        period = Period(Moment(day), Moment(day + _A_DAY))
        found = await read_stats(self._database, period, now=now, client=client)
        (stats,) = found.clients
        return stats, found.gaps

    async def _note(self, one: DaySubscriber, day: date, figures: tuple[ClientStats, list[Gap]], now: datetime) -> bool:
        """For the stream."""
        return await tell_day(self._database, self._lease, one, day, digest_of(*figures), now, lambda _: None)

    async def _tell(
        self,
        one: DaySubscriber,
        own: Subscription,
        plan: Plan,
        day: date,
        figures: tuple[ClientStats, list[Gap]],
        now: datetime,
    ) -> bool:
        stats, gaps = figures
        event_id = str(uuid.uuid4())

        def written(revision: int) -> str:
            telling = DayTelling(
                event_id=event_id,
                at=now,
                client_name=plan.name,
                day=day,
                timezone=plan.timezone,
                revision=revision,
                stats=stats,
                gaps=tuple(gaps),
            )
            return self._write(telling)

        def event(revision: int) -> Event:
            subject = f"day {day.isoformat()}"
            body = written(revision)
            return Event(
                event_id=event_id, client=one.client, subscription=own, body=body, call_id=None, subject=subject
            )

        is_new = await tell_day(self._database, self._lease, one, day, digest_of(stats, gaps), now, event)
        if is_new:
            log.info("a day's figures are told", client=one.client, subscription=one.name, day=day.isoformat())
        return is_new


def _client_of(one: DaySubscriber) -> str:
    return one.client


def days_to_look_at(one: DaySubscriber, known: DaysKnown, now: datetime) -> Iterator[date]:
    """Days that are over and were not told, or not looked at since last night or since a call of theirs came."""
    zone = ZoneInfo(one.timezone)
    first = one.since.astimezone(zone).date()
    last_night = _last_night(zone, now)
    last = last_night.astimezone(zone).date() - _A_DAY
    for back in reversed(range(LOOKED_AT_DAYS)):
        day = last - back * _A_DAY
        if day < first:
            continue
        told = known.told.get((one.client, one.name, day))
        if told is None and one.name == STREAM and day != last:
            continue  # nobody was there to hear of it
        if told is None or told.looked_at < last_night or (one.client, day) in known.changed:
            yield day


def _last_night(zone: ZoneInfo, now: datetime) -> datetime:
    """The last instant at which days were told: 00:15 of today, or of yesterday while that is still to come."""
    today = now.astimezone(zone).date()
    begins = Moment(datetime.combine(today, TOLD_AT)).within(zone, now)
    if begins <= now:
        return begins
    return Moment(datetime.combine(today - _A_DAY, TOLD_AT)).within(zone, now)


def digest_of(stats: ClientStats, gaps: list[Gap]) -> str:
    """Changes with what is told. Means are sums of parts that PostgreSQL may add up in any order: their last digits do
    not count."""
    lasting = [(gap.from_at, gap.until_at, gap.reason, gap.pbx) for gap in gaps]
    return hashlib.sha256(repr(_rounded([dataclasses.asdict(stats), lasting])).encode()).hexdigest()


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return [(str(key), _rounded(inner)) for key, inner in value.items()]
    return [_rounded(inner) for inner in value] if isinstance(value, list | tuple) else str(value)
