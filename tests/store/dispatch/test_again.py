"""What failed is sent once more, and a message that is for somebody else begins anew."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import update

from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.again import REOPENED, Again, AgainResult, put_again
from callrouter.store.dispatch.links import find_link
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.tables import DispatchState, MessageChangeKind, deliveries, delivery_links

from .rows import after, linked, stand, states, take, tell, told, trail


async def test_a_dead_letter(database: Database) -> None:
    """With all its attempts, at once; the worker is woken, and decides again what becomes of the message."""
    message = await take(database)
    await stand(
        database, message, "attention", reason="The mail server refused it.", ended_at=after(9), step=2, round=1
    )
    dead = await tell(database, message, "failed", attempts=8, answer="550 no such user", receipt_id="x")
    heard: list[str] = []
    listening = await asyncpg.connect(database.url.render_as_string(hide_password=False))
    await listening.add_listener("callrouter_dispatch", lambda *heard_of: heard.append(str(heard_of[3])))

    again = await put_again(database, dead, by="operator", at=after(60))
    await listening.execute("SELECT 1")
    await listening.close()

    assert again == Again(result=AgainResult.QUEUED, message_id=message, repeated=1)
    found = await trail(database, message)
    (one,) = found.deliveries
    assert (one.state, one.attempts, one.next_attempt_at, one.answer) == ("queued", 0, after(60), "")
    assert (one.round, one.step) == (1, 1)
    assert (found.dispatch.state, found.dispatch.due_at, found.dispatch.reason) == ("running", after(60), "")
    assert (found.dispatch.ended_at, await told(database, message)) == (None, ["again doctor"])
    assert found.events[0].principal == "operator"
    assert heard == [""]
    assert (await put_again(database, dead, by="operator", at=after(61))).result is AgainResult.NOTHING


async def test_all_of_a_message(database: Database) -> None:
    """To each person by each means once, and to nobody who was reached since."""
    message = await take(database)
    await stand(database, message, "running", due_at=after(900))
    for contact, means, state, round_ in [
        ("doctor", "email", "failed", 0),
        ("doctor", "email", "failed", 1),
        ("doctor", "sms", "failed", 0),
        ("doctor", "sms", "accepted", 1),
        ("partner", "email", "failed", 0),
    ]:
        delivery = {"contact": contact, "means": means, "round": round_, "queued_at": after(round_)}
        await tell(database, message, state, **delivery)

    again = await put_again(database, message, by="operator", at=after(60))

    assert again == Again(result=AgainResult.QUEUED, message_id=message, repeated=2)
    assert sorted(await states(database, message)) == ["accepted", "failed", "failed", "queued", "queued"]
    assert await told(database, message) == ["again doctor", "again partner"]
    assert (await trail(database, message)).dispatch.due_at == after(900)


@pytest.mark.parametrize(
    ("state", "result"),
    [
        ("acknowledged", AgainResult.ACKNOWLEDGED),
        ("attention", AgainResult.RESTARTED),
        ("running", AgainResult.NOTHING),
        ("told", AgainResult.NOTHING),
    ],
)
async def test_of_which_nothing_failed(database: Database, state: str, result: AgainResult) -> None:
    """Nobody was on call, say: then its rule is looked up anew."""
    message = await take(database, urgent=True)
    await stand(database, message, state, urgent=True, reason="Nobody is on call.", policy={"name": "doctors"})

    assert (await put_again(database, message, by="operator", at=after(60))).result is result

    found = (await trail(database, message)).dispatch
    assert found.state == ("new" if state == "attention" else state)
    assert (found.rule, found.urgent) == ("" if state == "attention" else "doctors", True)


async def test_of_one_that_is_acknowledged_nothing_is_sent(database: Database) -> None:
    message = await take(database)
    dead = await tell(database, message, "failed")
    await acknowledge(database, message, by="doctor", how="link", at=after(1))

    for id_ in (message, dead):
        assert (await put_again(database, id_, by="operator", at=after(2))).result is AgainResult.ACKNOWLEDGED
    assert await states(database, message) == ["failed"]


@pytest.mark.parametrize("id_", ["nothing", "a\x00b", ""])
async def test_of_nothing(database: Database, id_: str) -> None:
    assert await put_again(database, id_, by="operator", at=after(2)) == Again(result=AgainResult.UNKNOWN)


async def test_reassigned_it_begins_anew(database: Database) -> None:
    """Nobody of before is told any more, and their links have ended."""
    message = await take(database, urgent=False)
    await stand(database, message, "running", urgent=True, step=2, round=1, policy={"name": "doctors"})
    sent = await tell(database, message, queued_at=after(-5))
    await tell(database, message, "queued", contact="partner")
    token = await linked(database, sent, after(9_000))
    change = Change(kind=MessageChangeKind.REASSIGNED, principal="token:desk", at=after(5), deliver="nurse")

    assert await change_message(database, message, change) is ChangeResult.KEPT

    found = (await trail(database, message)).dispatch
    assert (found.state, found.due_at, found.rule, found.urgent) == (DispatchState.NEW, after(5), "", False)
    assert (found.step, found.round, found.ages_at, found.ended_at) == (0, 0, None, None)
    assert await states(database, message) == ["accepted", "withdrawn"]
    assert await told(database, message) == ["restarted token:desk", "withdrawn partner"]
    link = await find_link(database, token)
    assert link is not None
    assert link.expires_at == after(5)


@pytest.mark.parametrize("alone", [False, True])
async def test_whose_link_was_closed_is_sent_another(database: Database, *, alone: bool) -> None:
    """Once: the next one is not closed. Nobody else is told again."""
    message = await take(database)
    await stand(database, message, "running", due_at=after(900))
    closed = await tell(database, message, "viewed", attempts=1)
    token = await linked(database, closed, after(9_000))
    await linked(database, await tell(database, message, contact="partner", queued_at=after(1)), after(9_000))
    async with database.connection() as connection:
        mine = delivery_links.c.delivery_id == closed
        await connection.execute(update(delivery_links).where(mine).values(closed_at=after(30)))

    again = await put_again(database, closed if alone else message, by="operator", at=after(60))

    assert again == Again(result=AgainResult.QUEUED, message_id=message, repeated=1)
    assert await states(database, message) == ["accepted", "queued"]
    link = await find_link(database, token)
    assert link is not None
    assert (link.closed, link.expires_at) == (True, after(60))
    async with database.connection() as connection:
        sent = update(deliveries).where(deliveries.c.delivery_id == closed)
        await connection.execute(sent.values(state="accepted", next_attempt_at=None))
    assert (await put_again(database, message, by="operator", at=after(70))).result is AgainResult.NOTHING


async def test_nobody_is_told_again_whom_it_was_taken_away_from(database: Database) -> None:
    """Neither with the message nor alone: it is somebody else's affair."""
    message = await take(database)
    await stand(database, message, "running")
    of_before = await tell(database, message, "failed")
    change = Change(kind=MessageChangeKind.REASSIGNED, principal="token:desk", at=after(5), deliver="nurse")
    assert await change_message(database, message, change) is ChangeResult.KEPT
    await stand(database, message, "running")
    await tell(database, message, "failed", contact="nurse")

    alone = await put_again(database, of_before, by="operator", at=after(60))
    again = await put_again(database, message, by="operator", at=after(60))

    assert (alone.result, again.result, again.repeated) == (AgainResult.NOTHING, AgainResult.QUEUED, 1)
    assert await states(database, message) == ["failed", "queued"]


async def test_on_the_list_after_it_was_reassigned_it_begins_anew(database: Database) -> None:
    """What failed before is no telling of those who are meant now."""
    message = await take(database)
    await stand(database, message, "running")
    await tell(database, message, "failed")
    change = Change(kind=MessageChangeKind.REASSIGNED, principal="token:desk", at=after(5), deliver="nurse")
    assert await change_message(database, message, change) is ChangeResult.KEPT
    await stand(database, message, "attention", reason="Nobody is on call.")

    assert (await put_again(database, message, by="operator", at=after(60))).result is AgainResult.RESTARTED
    assert await states(database, message) == ["failed"]


async def test_reassigned_after_it_was_acknowledged(database: Database) -> None:
    """It is somebody else's affair; one that is done is nobody's."""
    message, done = await take(database), await take(database)
    await acknowledge(database, message, by="doctor", how="link", at=after(1))
    await change_message(database, done, Change(kind=MessageChangeKind.DONE, principal="operator", at=after(2)))
    for one in (message, done):
        change = Change(kind=MessageChangeKind.REASSIGNED, principal="operator", at=after(5), deliver="nurse")
        assert await change_message(database, one, change) is ChangeResult.KEPT

    first, second = (await trail(database, message)).dispatch, (await trail(database, done)).dispatch
    assert (first.state, first.acknowledged_by, first.acknowledged_how) == (DispatchState.NEW, None, None)
    assert second.state is DispatchState.ACKNOWLEDGED


async def test_reopened_it_stands_on_the_list(database: Database) -> None:
    """Nobody is woken a second time by that alone."""
    message = await take(database)
    for kind in (MessageChangeKind.DONE, MessageChangeKind.REOPENED):
        await change_message(database, message, Change(kind=kind, principal="operator", at=after(5)))

    found = (await trail(database, message)).dispatch
    assert (found.state, found.reason, found.due_at) == (DispatchState.ATTENTION, REOPENED, None)
    assert await told(database, message) == ["ended operator", "attention operator"]


async def test_one_that_failed_for_now_is_tried_at_once(database: Database) -> None:
    """Somebody mended the mail server: it need not wait for hours. One that was not tried yet waits for its time."""
    message = await take(database)
    await stand(database, message, "running", due_at=after(900))
    await tell(database, message, "queued", attempts=5, next_attempt_at=after(9_000), queued_at=after(-1))
    await tell(database, message, "queued", contact="partner", next_attempt_at=after(9_000))

    again = await put_again(database, message, by="operator", at=after(60))

    assert (again.result, again.repeated) == (AgainResult.QUEUED, 1)
    found = (await trail(database, message)).deliveries
    assert {one.contact: one.next_attempt_at for one in found} == {"doctor": after(60), "partner": after(9_000)}
