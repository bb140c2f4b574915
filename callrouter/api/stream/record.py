"""Web's look at what comes into the record and no engine knows, for the stream, while somebody reads it.

PostgreSQL says when there is something (`NOTIFY`, in the transaction that writes it); what, is read from where the hub
is. So a connection that breaks, or a PostgreSQL that is away, loses nothing: what was committed meanwhile is told once
it answers again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from callrouter.api.schemas.stats import ClientStatsOut
from callrouter.dispatch.listening import listen
from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.periods import Moment, Period
from callrouter.runtime.pauses import pause
from callrouter.store.database import Database
from callrouter.store.stats import read_stats
from callrouter.store.subscribed.streamed import (
    CHANNEL,
    Streamed,
    forget_streamed,
    read_places,
    read_streamed,
)
from callrouter.stream import events
from callrouter.stream.events import RecordEvent
from callrouter.stream.hub import Hub

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 15.0
"""How often it is looked though nothing was heard."""
RETRY_SECONDS: Final = 1.0
FORGET_SECONDS: Final = 600.0
"""How often what was told long ago is taken away, whether somebody reads or not."""


class RecordLink:
    """Keeps the hub up to date with the record. Run `run` and `forget` in a task each."""

    def __init__(
        self, database: Database, hub: Hub, now: Callable[[], datetime], *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._database = database
        self._hub = hub
        self._now = now
        self._look_seconds = look_seconds
        self._heard = asyncio.Event()
        self._away = Outage(log, "the stream is told nothing of the record", "the stream is told of the record again")

    async def run(self) -> None:
        """Look while somebody reads, until cancelled."""
        while True:
            await self._hub.wanted.wait()
            listening = asyncio.get_running_loop().create_task(
                listen(self._database, self._heard.set, CHANNEL), name="what PostgreSQL says of the record"
            )
            try:
                await self._follow()
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening
            self._hub.rest_record()

    async def forget(self) -> None:
        """Take away what was told long ago, until cancelled."""
        while True:
            with suppress(StoreError):  # the next time does it
                await forget_streamed(self._database)
            await asyncio.sleep(FORGET_SECONDS)

    async def _follow(self) -> None:
        """Until nobody reads any more."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        while self._hub.wanted.is_set():
            self._heard.clear()
            try:
                if self._hub.record is None:
                    await self._begin(lambda: loop.time() - since)
                while await self._once():
                    pass
                self._away.ended()
            except StoreError as error:
                self._away.failed(str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await pause(self._look_seconds, self._heard)

    async def _begin(self, seconds_ago: Callable[[], float]) -> None:
        """From what is still kept: somebody may come back who knows an earlier place."""
        places = await read_places(self._database, seconds_ago)
        kept: list[tuple[int, RecordEvent]] = []
        at = places.first
        while at < places.last:
            rows = await read_streamed(self._database, at)
            kept += [(row.place, event) for row in rows if (event := await self._event(row)) is not None]
            at = rows[-1].place if rows else places.last
        self._hub.begin_record(places.began, kept, at, first=places.first)

    async def _once(self) -> bool:
        """Tell what is new; whether there may be more."""
        after = self._hub.record
        if after is None:
            return False
        rows = await read_streamed(self._database, after)
        if rows and rows[0].place != after + 1:
            log.warning("the stream could not be told all of the record: it is kept for an hour", after=after)
            await self._begin(lambda: 0.0)
            return True
        for row in rows:
            self._hub.take_record(row.place, await self._event(row))
        return bool(rows)

    async def _event(self, row: Streamed) -> RecordEvent | None:
        """What readers are told of it; None: it is gone, or of a later release.

        Raises:
            StoreError: PostgreSQL does not answer.
        """
        if row.message is not None:
            return _of_message(row)
        if row.callback is not None:
            one = row.callback
            return events.CallbackSettled(
                at=one.settled_at or row.at,
                client=row.client,
                call_id=one.call_id,
                position=one.position,
                number=one.number,
                settled_by=one.settled_by,
            )
        return await self._of_day(row)

    async def _of_day(self, row: Streamed) -> RecordEvent | None:
        if row.day is None:
            return None
        period = Period(Moment(row.day.day), Moment(row.day.day + timedelta(days=1)))
        found = await read_stats(self._database, period, now=self._now(), client=row.client)
        (stats,) = found.clients
        return events.DayFigures(
            at=row.at,
            client=row.client,
            day=row.day.day.isoformat(),
            timezone=row.day.timezone,
            revision=row.day.revision,
            figures=ClientStatsOut.of(stats).model_dump(mode="json"),
        )


def _of_message(row: Streamed) -> RecordEvent | None:
    message, standing = row.message, row.standing
    assert message is not None
    about: dict[str, Any] = {
        "client": row.client,
        "message_id": message.message_id,
        "call_id": message.call_id,
        "deliver": message.deliver,
        "urgent": message.urgent,
    }
    ended_at = standing.ended_at if standing is not None else None
    match row.kind:
        case "message.written":
            form = message.form or ""
            return events.MessageWritten(at=message.taken_at, taken_by=message.taken_by, form=form, **about)
        case "message.acknowledged":
            by = standing.acknowledged_by if standing is not None else ""
            return events.MessageAcknowledged(at=ended_at or row.at, acknowledged_by=by, **about)
        case "message.overdue":
            return events.MessageOverdue(at=row.at, reason=standing.reason if standing is not None else "", **about)
        case _:
            return None
