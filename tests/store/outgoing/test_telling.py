"""The book of calls that tell people of messages: nobody is rung twice, and what they press is not lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callrouter.outgoing.message_ports import DueTelling
from callrouter.outgoing.order import NOTHING_YET, Key, MessageOrder, Outcome, Progress
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.again import AgainResult, put_again
from callrouter.store.dispatch.lease import Lease
from callrouter.store.dispatch.outbox import expire, find_queued
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.outgoing.telling import (
    ABSENT_SECONDS,
    GIVEN_AWAY,
    HEARD,
    NO_ENGINE,
    NOT_THEIRS,
    MessageCallRows,
    fail_untaken,
)
from callrouter.store.tables import MessageChangeKind, deliveries, dispatches, legs
from tests.store.dispatch import rows
from tests.store.dispatch.rows import AT, after

NUMBER = "+33639980001"


@pytest.fixture
async def lease(database: Database) -> AsyncIterator[Lease]:
    """A worker's."""
    held = Lease(database, "dispatch", "one")
    assert await held.take()
    yield held
    await held.release()


async def owed(database: Database, *, urgent: bool = False, at: datetime = AT) -> tuple[str, DueTelling]:
    """A message, and its telling by telephone, which is due."""
    message_id = await rows.take(database)
    await rows.stand(database, message_id, "running", step=1, begun_at=AT, due_at=None)
    await rows.tell(
        database,
        message_id,
        "queued",
        means="phone",
        address=f"tel:{NUMBER}",
        urgent=urgent,
        next_attempt_at=at,
        queued_at=at,
    )
    (found,) = [one for one in await MessageCallRows(database, epoch=1).due(at, 10) if one.message_id == message_id]
    return message_id, found


def order(outgoing_id: str = "1800000000-1") -> MessageOrder:
    """A call."""
    return MessageOrder(
        outgoing_id=outgoing_id,
        client=rows.MOREAU,
        number=NUMBER,
        shown="+33199000010",
        ring_seconds=30.0,
        folder="/told/1800000000-1",
    )


async def state(database: Database, telling: DueTelling) -> tuple[str, str]:
    """Of a telling, with what is said of it."""
    told = deliveries.c
    async with database.connection() as connection:
        query = select(told.state, told.answer).where(told.delivery_id == telling.delivery_id)
        found = (await connection.execute(query)).one()
    return found.state, found.answer


async def is_due(database: Database, message_id: str, now: datetime) -> bool:
    """Whether the worker is to take it further."""
    async with database.connection() as connection:
        query = select(dispatches.c.due_at).where(dispatches.c.message_id == message_id)
        due_at = (await connection.execute(query)).scalar_one()
    return due_at is not None and due_at <= now


def heard(**more: Any) -> Progress:
    """They have heard it."""
    values = {"rung_at": after(1), "answered_at": after(5), "heard_at": after(20)}
    return Progress(**(values | more))


async def test_what_is_due_is_urgent_first_and_then_old(database: Database) -> None:
    """Later ones are not due yet."""
    _, second = await owed(database, at=after(-10))
    _, third = await owed(database)
    _, first = await owed(database, urgent=True)
    book = MessageCallRows(database, epoch=1)

    assert [one.delivery_id for one in await book.due(AT, 10)] == [one.delivery_id for one in (first, second, third)]
    assert [one.delivery_id for one in await book.due(after(-5), 10)] == [second.delivery_id]
    assert (first.number, first.contact, first.client) == (NUMBER, "doctor", rows.MOREAU)


@pytest.mark.parametrize(
    ("policy", "confidential"), [({"confidential": True}, True), ({"confidential": False}, False), (None, True)]
)
async def test_whose_rule_is_not_known_is_confidential(
    database: Database, policy: dict[str, bool] | None, *, confidential: bool
) -> None:
    message_id, _ = await owed(database)
    await rows.stand(database, message_id, "running", policy=policy)

    (telling,) = await MessageCallRows(database, epoch=1).due(AT, 10)
    assert telling.confidential is confidential


async def test_a_telling_is_one_calls(database: Database) -> None:
    """Whatever two engines think."""
    _, telling = await owed(database)
    one, two = MessageCallRows(database, epoch=1), MessageCallRows(database, epoch=2)

    assert await one.claim(telling, order(), AT)
    assert not await two.claim(telling, order("1800000000-2"), AT)
    assert not await one.claim(telling, order("1800000000-3"), AT)
    assert (await state(database, telling))[0] == "sending"
    assert await one.due(after(60), 10) == []


async def test_what_is_withdrawn_is_not_rung_for(database: Database) -> None:
    """Somebody took the message on between the look and the claim."""
    message_id, telling = await owed(database)
    await acknowledge(database, message_id, by="token:desk", how="api", at=AT)

    assert not await MessageCallRows(database, epoch=1).claim(telling, order(), AT)
    assert (await state(database, telling))[0] == "withdrawn"


async def test_a_key_acknowledges_at_once_and_only_once(database: Database) -> None:
    """Long before the call is over."""
    message_id, telling = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    pressed = heard(key=Key.TAKES_IT_ON, key_at=after(25))
    for _ in range(2):
        await book.note(order().outgoing_id, pressed, after(26))
    await book.conclude(
        order().outgoing_id,
        heard(over_at=after(30), left_at=after(30), key=Key.TAKES_IT_ON),
        Outcome.ANSWERED,
        after(30),
    )

    assert await rows.told(database, message_id) == ["rang doctor", "answered doctor", "acknowledged doctor"]
    found = await rows.trail(database, message_id)
    assert (found.dispatch.acknowledged_by, found.dispatch.acknowledged_how) == ("doctor", "key")
    assert found.dispatch.ended_at == after(25)
    assert (await state(database, telling))[0] == "acknowledged"


async def test_an_engine_that_was_followed_changes_nothing(database: Database) -> None:
    """The calls are whose epoch they bear."""
    _, telling = await owed(database)
    old, new = MessageCallRows(database, epoch=1), MessageCallRows(database, epoch=2)
    assert await old.claim(telling, order(), AT)
    assert [one.delivery_id for one in await new.take_over()] == [telling.delivery_id]
    await old.conclude(order().outgoing_id, NOTHING_YET, Outcome.LOST, after(1))
    assert (await state(database, telling))[0] == "sending"
    await new.conclude(order().outgoing_id, NOTHING_YET, Outcome.LOST, after(2))
    assert (await state(database, telling))[0] == "failed"


async def test_a_worker_leaves_calls_alone(database: Database, lease: Lease) -> None:
    """It neither sends them, nor thinks, when it begins, that their fate is unknown."""
    _, telling = await owed(database)
    assert await find_queued(database, after(30), 10) == []
    assert await MessageCallRows(database, epoch=1).claim(telling, order(), AT)
    assert await expire(database, lease, after(1), all_of_them=True, again_at=after(16)) == 0
    assert (await state(database, telling))[0] == "sending"


async def test_a_call_of_which_no_engine_says_anything_has_failed(database: Database, lease: Lease) -> None:
    """What follows begins; whoever comes back later still learns of a key, and rings nobody again."""
    message_id, telling = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    await book.keep([order().outgoing_id], after(30))
    assert await expire(database, lease, after(ABSENT_SECONDS + 20), all_of_them=False, again_at=after(200)) == 0
    late = after(ABSENT_SECONDS + 31)
    assert await expire(database, lease, late, all_of_them=False, again_at=late) == 1
    assert (await state(database, telling))[0] == "failed"
    assert await is_due(database, message_id, late)
    assert await book.due(late, 10) == []

    next_one = MessageCallRows(database, epoch=2)
    await next_one.take_over()
    pressed = heard(key=Key.TAKES_IT_ON, key_at=after(25), over_at=after(30), left_at=after(30))
    await next_one.conclude(order().outgoing_id, pressed, Outcome.ANSWERED, late)
    assert (await state(database, telling))[0] == "acknowledged"
    assert (await rows.trail(database, message_id)).dispatch.acknowledged_by == "doctor"


async def test_what_no_engine_takes_has_failed_and_cannot_be_placed(database: Database, lease: Lease) -> None:
    """Neither has what an engine takes, or puts off."""
    message_id, telling = await owed(database)
    _, put_off = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await fail_untaken(database, lease, after(ABSENT_SECONDS - 1)) == 0
    await book.put_off([put_off.delivery_id], after(50), "waits for a line", after(40))
    assert await fail_untaken(database, lease, after(ABSENT_SECONDS)) == 1

    assert await state(database, telling) == ("failed", NO_ENGINE)
    assert await state(database, put_off) == ("queued", "waits for a line")
    assert await is_due(database, message_id, after(ABSENT_SECONDS))
    assert not await book.claim(telling, order(), after(ABSENT_SECONDS))


async def test_a_person_may_have_somebody_rung_again(database: Database) -> None:
    """Nothing else queues a telling anew; then it is another call, and one again."""
    message_id, telling = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    await book.conclude(order().outgoing_id, Progress(rung_at=after(1), over_at=after(9)), Outcome.BUSY, after(9))
    assert await book.due(after(3600), 10) == []

    again = await put_again(database, telling.delivery_id, by="token:desk", at=after(60))
    assert (again.result, again.message_id) == (AgainResult.QUEUED, message_id)
    (anew,) = await book.due(after(60), 10)
    assert anew.delivery_id == telling.delivery_id
    assert await book.claim(anew, order("1800000000-2"), after(61))
    assert not await book.claim(anew, order("1800000000-3"), after(61))


@pytest.mark.parametrize(
    ("progress", "outcome", "comes_to"),
    [
        (Progress(rung_at=after(1), over_at=after(9)), Outcome.BUSY, ("failed", "busy")),
        (heard(over_at=after(30)), Outcome.ANSWERED, ("viewed", HEARD)),
        (
            heard(key=Key.NOT_THEIRS, key_at=after(25)),
            Outcome.ANSWERED,
            ("failed", NOT_THEIRS),
        ),
        (Progress(rung_at=after(1)), Outcome.WITHDRAWN, ("withdrawn", "somebody else took the message on")),
    ],
)
async def test_what_becomes_of_a_telling(
    database: Database, progress: Progress, outcome: Outcome, comes_to: tuple[str, str]
) -> None:
    """Answered is not told, and told is not acknowledged."""
    message_id, telling = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    await book.conclude(order().outgoing_id, progress, outcome, after(31))

    assert await state(database, telling) == comes_to
    assert await is_due(database, message_id, after(31))
    async with database.connection() as connection:
        (leg,) = (await connection.execute(select(legs))).mappings()
    assert (leg["purpose"], leg["identity"], leg["answered_at"]) == ("delivery", "+33199000010", progress.answered_at)


async def test_calls_are_needless_once_somebody_else_has_taken_the_message_on(database: Database) -> None:
    """By the call's own key they are not: who pressed it is being thanked."""
    first, telling = await owed(database)
    _, other = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    assert await book.claim(other, order("1800000000-2"), AT)
    ids = [order().outgoing_id, "1800000000-2"]
    assert await book.needless(ids) == set()
    await acknowledge(database, first, by="token:desk", how="api", at=after(5))
    await book.note("1800000000-2", heard(key=Key.TAKES_IT_ON, key_at=after(25)), after(26))
    assert await book.needless(ids) == {order().outgoing_id}


async def test_once_it_is_for_somebody_else_a_call_is_needless_and_its_key_nobodys(database: Database) -> None:
    """What rings is hung up; who listens is told so, and takes nothing on that is not theirs any more."""
    message_id, telling = await owed(database)
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    change = Change(kind=MessageChangeKind.REASSIGNED, principal="token:desk", at=after(5), deliver="nurse")
    assert await change_message(database, message_id, change) is ChangeResult.KEPT

    assert await book.needless([order().outgoing_id]) == {order().outgoing_id}
    pressed = Progress(answered_at=after(6), key=Key.TAKES_IT_ON, key_at=after(25), over_at=after(26))
    await book.note(order().outgoing_id, pressed, after(26))
    await book.conclude(order().outgoing_id, pressed, Outcome.ANSWERED, after(27))

    assert (await rows.trail(database, message_id)).dispatch.state == "new"
    assert await state(database, telling) == ("withdrawn", GIVEN_AWAY)


async def test_nobody_is_rung_to_hear_that_it_is_taken_on(database: Database) -> None:
    """Whoever heard it by telephone may sleep on."""
    message_id, telling = await owed(database)
    course = {"steps": [{"to": ["doctor"], "by": ["phone"], "wait_seconds": 600.0}]}
    await rows.stand(database, message_id, "running", policy={"urgent": course, "ordinary": course})
    book = MessageCallRows(database, epoch=1)
    assert await book.claim(telling, order(), AT)
    await book.conclude(order().outgoing_id, heard(over_at=after(30)), Outcome.ANSWERED, after(31))
    await acknowledge(database, message_id, by="nurse", how="link", at=after(40))

    assert await book.due(after(3600), 10) == []
    assert await rows.states(database, message_id) == ["viewed"]


async def test_how_often_a_number_was_rung(database: Database) -> None:
    """Calls for messages only."""
    book = MessageCallRows(database, epoch=1)
    for number in range(2):
        _, telling = await owed(database)
        assert await book.claim(telling, order(f"1800000000-{number}"), after(number))

    found = await book.rung_lately([NUMBER, "+33639980002"], AT - timedelta(hours=1))
    assert {key: (use.calls, use.first_at) for key, use in found.items()} == {NUMBER: (2, AT)}
    assert await book.rung_lately([NUMBER], after(10)) == {}
