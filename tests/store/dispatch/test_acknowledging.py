"""Somebody takes a message on: everything else stops, in one transaction, once."""

from __future__ import annotations

import asyncio

from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.tables import DispatchState, MessageChangeKind
from tests.store.test_revisions import rows

from .rows import after, stand, states, take, tell, told, trail


async def test_by_link(database: Database) -> None:
    """What waits is withdrawn and what is out goes on; the telling that was answered says so, and a notice goes out."""
    message = await take(database)
    await stand(database, message, "running", due_at=after(600), ages_at=after(9_000))
    used = await tell(database, message, "viewed", queued_at=after(-5))
    await tell(database, message, "queued", contact="partner", queued_at=after(-4))
    await tell(database, message, "sending", contact="nurse", queued_at=after(-3))
    await tell(database, message, "queued", contact="partner", kind="notice")

    assert await acknowledge(database, message, by="doctor", how="link", at=after(60), delivery_id=used)
    assert not await acknowledge(database, message, by="token:desk", how="api", at=after(70))

    found = (await trail(database, message)).dispatch
    assert (found.state, found.acknowledged_by, found.acknowledged_how) == (
        DispatchState.ACKNOWLEDGED,
        "doctor",
        "link",
    )
    assert (found.due_at, found.ages_at, found.ended_at) == (None, None, after(60))
    assert await states(database, message) == ["acknowledged", "withdrawn", "sending", "queued"]
    assert await told(database, message) == ["acknowledged doctor", "withdrawn partner"]
    assert (await trail(database, message)).events[0].means == "email"


async def test_nobody_was_ever_to_be_told(database: Database) -> None:
    assert not await acknowledge(database, "nothing", by="operator", how="api", at=after(0))


async def test_a_telling_of_another_message_is_left_alone(database: Database) -> None:
    message, other = await take(database), await take(database)
    delivery = await tell(database, other)

    assert await acknowledge(database, message, by="operator", how="api", at=after(0), delivery_id=delivery)

    assert await states(database, other) == ["accepted"]
    assert await told(database, message) == ["acknowledged operator"]


async def test_many_at_once(database: Database) -> None:
    """One of them it is."""
    message = await take(database)
    await tell(database, message, "queued")
    many = [acknowledge(database, message, by=f"token:{one}", how="api", at=after(one)) for one in range(8)]

    assert sorted(await asyncio.gather(*many)) == [False] * 7 + [True]
    assert len(await told(database, message)) == 2


async def test_done_acknowledges_in_the_same_transaction(database: Database) -> None:
    """One that was acknowledged stays as it is."""
    message, taken_on = await take(database), await take(database)
    await tell(database, message, "queued")
    await acknowledge(database, taken_on, by="doctor", how="link", at=after(1))
    done = Change(kind=MessageChangeKind.DONE, principal="token:desk", at=after(5))

    assert await change_message(database, message, done) is ChangeResult.KEPT
    assert await change_message(database, taken_on, done) is ChangeResult.KEPT

    first, second = (await trail(database, message)).dispatch, (await trail(database, taken_on)).dispatch
    assert (first.acknowledged_by, first.acknowledged_how, first.ended_at) == ("token:desk", "done", after(5))
    assert await told(database, message) == ["ended token:desk", "withdrawn doctor"]
    assert (second.acknowledged_by, second.ended_at) == ("doctor", after(1))


async def test_changes_and_acknowledgements_never_wait_for_each_other_in_a_circle(database: Database) -> None:
    """Each locks the message or its dispatch, and writes events that refer to the message."""
    message = await take(database)
    for one in range(20):
        kind = MessageChangeKind.DONE if one % 2 == 0 else MessageChangeKind.REOPENED
        change = Change(kind=kind, principal="token:desk", at=after(one))
        await asyncio.gather(
            change_message(database, message, change),
            acknowledge(database, message, by="doctor", how="link", at=after(one)),
            acknowledge(database, message, by="partner", how="link", at=after(one)),
        )

    assert await rows(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]
