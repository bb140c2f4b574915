"""A queue on a real PostgreSQL, with whatever channels a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from callrouter.core import engine, inputs
from callrouter.core.call import CallerId
from callrouter.core.facts import Fact
from callrouter.core.nodes import HangupNode, NotifyNode
from callrouter.core.templates import parse
from callrouter.delivery.channel import Channel, Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.delivery.queue import DeliveryQueue
from callrouter.metrics import EngineMetrics
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from callrouter.store.notification_spool import NotificationSpool
from callrouter.store.notifications import NotificationRows
from callrouter.store.tables import notifications
from callrouter.testing import plan_of

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        """As a Clock."""
        return self.at


def queue_of(
    database: Database,
    http: GuardedHttp,
    folder: Path,
    clock: Clock | None = None,
    *,
    meter: EngineMetrics | None = None,
    kinds: Sequence[type[Channel]] = CHANNELS,
) -> DeliveryQueue:
    """As an engine has one."""
    return DeliveryQueue(
        book=NotificationRows(database),
        spool=NotificationSpool(folder / "notifications.jsonl"),
        channels=Channels(kinds, Tools(http=http)),
        clock=clock or Clock(),
        meter=meter,
    )


def asked_for(address: str, call_id: str = "c1", at: datetime = MONDAY) -> tuple[Fact, ...]:
    """The facts of a call that has something told at this address."""
    plan = plan_of(
        NotifyNode(name="told", contact="crm", url=address, data=(("a", parse("b")),), exits={"next": "bye"}),
        HangupNode(name="bye"),
    )
    caller = CallerId(number="+33612340001", name="\x00 \ud800")
    offered = inputs.CallOffered(call_id=call_id, did="+33199000010", caller=caller, at=at)
    return tuple(engine.start(plan, offered).facts)


@dataclass
class Rows:
    """The table."""

    database: Database

    async def by_call(self) -> Mapping[str, dict[str, object]]:
        """All of it."""
        async with self.database.connection() as connection:
            rows = (await connection.execute(select(notifications))).mappings().all()
        return {row["call_id"]: dict(row) for row in rows}

    async def until(self, state: str, *calls: str, seconds: float = 10.0, attempts: int = 1) -> dict[str, object]:
        """Wait until the rows of these calls are in this state, after so many attempts; the last one's row."""
        async with asyncio.timeout(seconds):
            while True:
                rows = await self.by_call()
                wanted = [rows.get(call) for call in calls or ("c1",)]
                if all(row and row["state"] == state and row["attempts"] >= attempts for row in wanted):  # type: ignore[operator]
                    assert wanted[-1] is not None
                    return wanted[-1]
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(queue: DeliveryQueue) -> AsyncIterator[None]:
    """The queue, at work; whatever it raises is raised."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(queue.run())
        try:
            yield
        finally:
            task.cancel()
