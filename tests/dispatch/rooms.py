"""A worker of a test: the real parts, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from callrouter.app.worker.parts import tellers_of
from callrouter.core.call import replace
from callrouter.core.dispatch import Course, Means, Policy, Reach, Step
from callrouter.core.nodes import HangupNode
from callrouter.core.plan import Plan
from callrouter.core.rota import Contact, Rota, Turns
from callrouter.delivery.channel import Channel, Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import body_of
from callrouter.delivery.servers import MailServer, SmsGateway
from callrouter.dispatch.due_clock import DueClock
from callrouter.dispatch.enclosing import Links
from callrouter.dispatch.sending import Sender
from callrouter.dispatch.sweeping import Sweeper
from callrouter.dispatch.working import Worker
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.tables import deliveries, messages
from callrouter.testing import plan_of
from tests.patience import START_SECONDS

MINUTE = timedelta(minutes=1)


class Clock:
    """The machine's, and as much later as it is told to: thirty minutes pass in one line."""

    def __init__(self) -> None:
        self._later = timedelta(0)
        self._on_set: list[Callable[[timedelta], None]] = []

    def now(self) -> datetime:
        """As a Clock."""
        return datetime.now(UTC) + self._later

    def tells(self, on_set: Callable[[timedelta], None]) -> None:
        """As SystemClock."""
        self._on_set.append(on_set)

    def is_set(self, by: timedelta) -> None:
        """Somebody sets it; those who run hear of it."""
        self._later += by
        for told in self._on_set:
            told(by)

    def passes(self, time: timedelta) -> None:
        """So much time does."""
        self._later += time


def reach(name: str, url: str = "", **more: str) -> Reach:
    return Reach(name=name, title=name.title(), url=url, **more)


def hook(*to: str, wait: float = 0.0, **more: Any) -> Step:
    """A step by webhook."""
    return Step(to=to, by=(Means.WEBHOOK,), wait_seconds=wait, **more)


def rule(*urgent: Step, ordinary: Sequence[Step] = (), repeat: int = 0, **more: Any) -> Policy:
    return Policy(
        name="rule",
        urgent=Course(steps=urgent, repeat=repeat),
        ordinary=Course(steps=tuple(ordinary) or urgent),
        **more,
    )


def on_duty(*names: str) -> Rota:
    """A rota that has the same people at all times; nobody, without any."""
    people = tuple(Contact(name=name, number="+33639980009") for name in names)
    cycle = (people,) if people else ()
    return Rota(name="duty", timezone="UTC", turns=Turns(cycle=cycle, starting=date(2025, 1, 6)))


def a_plan(*people: Reach, policy: Policy | None = None, rotas: Mapping[str, Rota] | None = None) -> Plan:
    return replace(
        plan_of(HangupNode(name="bye")),
        client="acme",
        people={one.name: one for one in people},
        policies={policy.name: policy} if policy else {},
        rotas=rotas or {},
    )


@dataclass(kw_only=True)
class Office:
    """One worker's, or several workers' with one database."""

    database: Database
    http: GuardedHttp
    folder: Path
    clock: Clock = field(default_factory=Clock)
    plan: Plan | None = None
    kept: dict[str, Plan] = field(default_factory=dict)
    """Plans of before, by version."""
    written: list[Parcel] = field(default_factory=list)
    """All that was sent, as it was before it was written."""
    public_url: str = "https://desk.example"
    sms: SmsGateway | None = None
    mail: MailServer | None = None
    """That mail goes by, as it is really written."""
    kinds: Sequence[type[Channel]] = CHANNELS
    answerable: frozenset[Means] = frozenset()
    """By what people's answers come back."""
    really: bool = False
    """Whether everything is as it is really written, without mail too."""
    tellers: Sequence[Callable[[], Awaitable[int]]] = ()
    """In the place of the worker's own, where there are any."""
    died: list[BaseException] = field(default_factory=list)
    """Of what workers died."""
    _worker: Worker | None = None
    """The last one that was made."""
    _opened: list[Channels] = field(default_factory=list)

    async def live(self, client: str) -> Plan | None:
        """As a LivePlan."""
        return self.plan

    async def version(self, client: str, version: str) -> Plan | None:
        """As a KeptPlan."""
        return self.kept.get(version)

    def worker(self, holder: str = "one", due: asyncio.Event | None = None) -> Worker:
        """A worker, not begun."""
        lease, due = Lease(self.database, "dispatch", holder), due or asyncio.Event()
        due_clock = DueClock(self.clock)
        sender = Sender(
            database=self.database,
            lease=lease,
            plans=self.live,
            clock=due_clock,
            channels=self._channels(),
            write=self._write,
            links=Links(public_url=self.public_url, hours=72, answerable=self.answerable),
            recordings=self.folder,
            wake=due.set,
        )
        worker = Worker(
            database=self.database,
            lease=lease,
            sweeper=Sweeper(self.database, lease, self.live, due_clock, kept=self.version),
            sender=sender,
            clock=due_clock,
            due=due,
            seconds=asyncio.get_running_loop().time,
            tellers=self.tellers or tellers_of(self.database, lease, self.live, self.clock),
        )
        self.clock.tells(worker.clock_was_set)
        self._worker = worker
        return worker

    def _write(self, means: Means, parcel: Parcel) -> str:
        self.written.append(parcel)
        if self.mail is not None or self.really:
            sender = self.mail.sender if self.mail is not None else "messages@answering.example"
            return body_of(means, parcel, sender=sender, domain=sender.partition("@")[2])
        return json.dumps({"id": parcel.delivery_id, "messages": [one.message_id for one in parcel.messages]})

    @asynccontextmanager
    async def works(self, holder: str = "one") -> AsyncIterator[asyncio.Event]:
        """A worker works; the event wakes it. It is cancelled at the end, and leaves everything in order."""
        due = asyncio.Event()
        worker, channels = self.worker(holder, due), self._opened[-1]
        tasks = Tasks(lambda _, error: self.died.append(error))
        tasks.start(worker.run(), "worker")
        try:
            yield due
        finally:
            await tasks.stop()
            await worker.close()
            await channels.close()

    def _channels(self) -> Channels:
        self._opened.append(Channels(self.kinds, Tools(http=self.http, mail=self.mail, sms=self.sms)))
        return self._opened[-1]

    async def message(self, message_id: str = "m1", *, deliver: str = "rule", urgent: bool = True, **more: Any) -> None:
        """Somebody's, taken now."""
        now = self.clock.now()
        row = {
            "message_id": message_id,
            "call_id": "",
            "position": 0,
            "client": "acme",
            "recording": "",
            "seconds": 0.0,
            "deliver": deliver,
            "started_at": now,
            "taken_at": now,
            "node": "",
            "state": "open",
            "text": "please call back",
            "urgent": urgent,
            **more,
        }
        async with self.database.connection() as connection:
            await connection.execute(insert(messages).values(row))

    async def telling(self, delivery_id: str, address: str, **more: Any) -> None:
        """Something of a call that is to be posted as it stands, asked for now."""
        now = self.clock.now()
        row = {
            "delivery_id": delivery_id,
            "call_id": "call",
            "client": "acme",
            "kind": "event",
            "contact": "crm",
            "means": "webhook",
            "address": address,
            "body": json.dumps({"id": delivery_id}),
            "queued_at": now,
            "next_attempt_at": now,
            "changed_at": now,
            **more,
        }
        async with self.database.connection() as connection:
            await connection.execute(insert(deliveries).values(row))

    async def attempted(self, attempts: int, state: str = "queued", *ids: str) -> None:
        """Tellings of these ids, or all there are, come to have been tried so often, and to this state."""
        query = """SELECT count(*) FROM deliveries
                   WHERE (:all OR delivery_id = ANY(:ids)) AND NOT (attempts = :n AND state = :state)"""
        async with asyncio.timeout(START_SECONDS):
            while await self.rows(query, all=not ids, ids=list(ids), n=attempts, state=state) != [(0,)]:
                await self._waits(None)

    async def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.execute(text(sql), values)]

    async def state(self, message_id: str = "m1") -> tuple[str, str]:
        """Of a message's dispatch, with its reason."""
        sql = "SELECT state, reason FROM dispatches WHERE message_id = :id"
        ((state, reason),) = await self.rows(sql, id=message_id)
        return state, reason

    async def trail(self, message_id: str = "m1") -> list[str]:
        """Words of its trail, with the contact where there is one."""
        sql = "SELECT what, contact FROM dispatch_events WHERE message_id = :id ORDER BY number"
        return [f"{what} {contact}".strip() for what, contact in await self.rows(sql, id=message_id)]

    async def comes(self, state: str, message_id: str = "m1", *, due: asyncio.Event | None = None) -> str:
        """It comes to a state; the reason."""
        async with asyncio.timeout(START_SECONDS):
            while (found := await self.state(message_id))[0] != state:
                await self._waits(due)
        return found[1]

    async def looks(self, due: asyncio.Event) -> None:
        """The worker that was made last looks at all that is due, from now on."""
        worker = self._worker
        assert worker is not None
        async with asyncio.timeout(START_SECONDS):
            for _ in range(2):  # the first may have begun before
                before = worker._worked_seconds
                while worker._worked_seconds == before:
                    await self._waits(due)

    async def has(self, *, due: asyncio.Event | None = None, **states: int) -> None:
        """So many tellings have come to these states and none to others, and nothing is due."""
        await self.has_within(START_SECONDS, due=due, **states)

    async def has_within(self, seconds: float, *, due: asyncio.Event | None = None, **states: int) -> None:
        """The same, within so many seconds."""
        async with asyncio.timeout(seconds):
            while await self._standing() != (states, 0):
                await self._waits(due)

    async def rows_are(self, sql: str, *rows: tuple[Any, ...]) -> None:
        """A query comes to find these."""
        async with asyncio.timeout(START_SECONDS):
            while await self.rows(sql) != list(rows):
                await self._waits(None)

    async def _standing(self) -> tuple[dict[str, int], int]:
        rows = await self.rows("SELECT state, count(*) FROM deliveries GROUP BY state")
        ((due,),) = await self.rows("SELECT count(*) FROM dispatches WHERE due_at <= :now", now=self.clock.now())
        return {str(row[0]): int(row[1]) for row in rows}, int(due)

    async def _waits(self, due: asyncio.Event | None) -> None:
        if self.died:
            raise self.died[0]
        if due is not None:
            due.set()
        await asyncio.sleep(0.02)
