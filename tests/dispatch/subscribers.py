"""A client with a subscription, and what happens to its calls and messages, as the record has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from callrouter.app.worker.parts import tellers_of
from callrouter.core.call import Call, CallerId, CallState, Clocks, Disposition, Message, Revision, replace
from callrouter.core.dispatch import Kind, Subscription
from callrouter.core.plan import Plan
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.plans import StoredPlan, Subscriber, WentLive, remember_live
from callrouter.store.writing.writer import Writer
from tests.dispatch.rooms import Office, a_plan

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EPOCH: Final = 1795427775000


def subscribed(url: str = "https://crm.example/hooks", kinds: Sequence[Kind] = tuple(Kind), **more: Any) -> Plan:
    """The client of a plan of `rooms`, with one subscription."""
    one = Subscription(name="crm", url=url, secret="CRM", kinds=tuple(kinds))
    return replace(a_plan(*more.pop("people", ()), policy=more.pop("policy", None)), subscriptions={"crm": one}, **more)


async def goes_live(database: Database, plan: Plan, at: datetime | None = None) -> None:
    """The plan does, as the engine writes it down."""
    stored = StoredPlan(
        client=plan.client,
        version=plan.version,
        document="",
        first_live_at=at or datetime.now(UTC),
        promise=plan.promise,
        formerly=plan.formerly,
        subscriptions=tuple(
            Subscriber(name=one.name, kinds=tuple(map(str, one.kinds)), timezone=plan.timezone)
            for one in plan.subscriptions.values()
        ),
    )
    live = WentLive(client=plan.client, version=plan.version, live_at=stored.first_live_at, why="saved")
    await remember_live(database, [stored], [live])


async def is_withdrawn(database: Database, client: str) -> None:
    """A client's file is gone."""
    live = WentLive(client=client, version=None, live_at=datetime.now(UTC), why="saved")
    await remember_live(database, [], [live])


def a_call(call_id: str = "call-1", *, revision: int = 9, rang_at: datetime | None = None, **fields: Any) -> Call:
    """One that somebody answered, unless it is said otherwise."""
    ringing_at = rang_at or datetime.now(UTC) - timedelta(minutes=1)
    call = Call(
        call_id=call_id,
        revision=Revision(EPOCH, revision),
        client="acme",
        plan_version="0123456789ab",
        did="+33199000010",
        caller=CallerId(number="+33612340001", name="Jeanne Martin"),
        state=CallState.ENDED,
        step=1,
        node="bye",
        clocks=Clocks(
            ringing_at=ringing_at,
            entered_service_at=ringing_at + timedelta(seconds=1),
            bridged_at=ringing_at + timedelta(seconds=8),
            ended_at=ringing_at + timedelta(seconds=30),
        ),
        disposition=Disposition.ANSWERED,
    )
    return replace(call, **fields)


def abandoned(call: Call) -> Call:
    """The same, but that its caller gave up."""
    return replace(call, clocks=replace(call.clocks, bridged_at=None), disposition=Disposition.ABANDONED)


def spoken(call: Call, deliver: str = "rule") -> Call:
    """The same, with a message that its tree took."""
    began_at = call.clocks.ringing_at + timedelta(seconds=10)
    one = Message(recording="rec-1", node="note", deliver=deliver, started_at=began_at, seconds=7.5)
    return replace(call, messages=(one,))


async def recorded(database: Database, *calls: Call) -> None:
    """They come into the record, as the engine's recorder writes them."""
    writer = Writer(database)
    assert await writer.write(calls) == []
    writer.close()


async def noted(office: Office) -> list[tuple[Any, ...]]:
    """What is still to be told."""
    return await office.rows("SELECT kind, subject FROM happenings ORDER BY number")


async def told(office: Office, holder: str = "one") -> list[dict[str, Any]]:
    """What a worker makes of it: all bodies that are queued, in order."""
    lease = Lease(office.database, "dispatch", holder)
    assert await lease.take()
    for tell in tellers_of(office.database, lease, office.live, office.clock):
        while await tell():
            pass
    return await bodies(office)


async def bodies(office: Office) -> list[dict[str, Any]]:
    """Of all events that were queued, in order."""
    sql = "SELECT body FROM deliveries WHERE kind = 'event' ORDER BY number"
    return [json.loads(body) for (body,) in await office.rows(sql)]
