"""What calls ask for, and the queue on a real PostgreSQL that it comes into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
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
from callrouter.delivery.asking import Asking
from callrouter.store.database import Database
from callrouter.store.dispatch.asked import AskedRows
from callrouter.store.notification_spool import NotificationSpool
from callrouter.store.tables import deliveries
from callrouter.testing import plan_of
from tests.patience import START_SECONDS

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        """As a Clock."""
        return self.at


def asking_of(database: Database, folder: Path) -> Asking:
    """As an engine has one."""
    return Asking(book=AskedRows(database), spool=NotificationSpool(folder / "notifications.jsonl"))


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
    """The queue's."""

    database: Database

    async def by_call(self) -> Mapping[str, dict[str, object]]:
        """All of it."""
        return {str(row["call_id"]): row for row in await self._all()}

    async def ids(self) -> list[str]:
        """Of all deliveries, in order."""
        return [str(row["delivery_id"]) for row in await self._all()]

    async def until_there(self, *calls: str) -> Mapping[str, dict[str, object]]:
        """Wait until there are rows of these calls; all rows."""
        async with asyncio.timeout(START_SECONDS):
            while not set(calls) <= set(rows := await self.by_call()):
                await asyncio.sleep(0.02)
        return rows

    async def _all(self) -> list[dict[str, object]]:
        async with self.database.connection() as connection:
            rows = (await connection.execute(select(deliveries).order_by(deliveries.c.number))).mappings().all()
        return [dict(row) for row in rows]


@asynccontextmanager
async def running(asking: Asking) -> AsyncIterator[None]:
    """It, at work; whatever it raises is raised."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asking.run())
        try:
            yield
        finally:
            task.cancel()
