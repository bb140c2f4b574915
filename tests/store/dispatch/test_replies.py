"""What an answer does: acknowledge by its code, once; or stand in the trail."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from sqlalchemy import update

from callrouter.core.dispatch import Means
from callrouter.store.database import Database
from callrouter.store.dispatch.board import Why, count_board, list_board
from callrouter.store.dispatch.replies import (
    CODE_SIGNS,
    KEEP_SECONDS,
    LONGEST_SAID,
    MOST_KEPT,
    MOST_WRONG,
    OPEN_SECONDS,
    WITHIN_SECONDS,
    Outcome,
    Reply,
    hash_of_reply,
    new_reply_code,
    take_reply,
)
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.tables import MessageChangeKind, deliveries
from tests.store.test_revisions import rows

from .rows import MOREAU, after, stand, states, take, tell, told, trail

NUMBER = "sms:+33639980001"
CODE, OTHER = "K7M3P", "Q8T4R"
WAITS = {
    "name": "doctors",
    "urgent": {"steps": [{"wait_seconds": 600}]},
    "ordinary": {"steps": [{"wait_seconds": 600}]},
}


async def sent(database: Database, message: str, code: str = CODE, **values: Any) -> str:
    """A telling by SMS, with a code to answer with."""
    delivery = await tell(database, message, **{"means": "sms", "address": NUMBER, "attempts": 1, **values})
    async with database.connection() as connection:
        change = update(deliveries).where(deliveries.c.delivery_id == delivery)
        await connection.execute(change.values(reply_hash=hash_of_reply(delivery, code)))
    return delivery


async def a_message(database: Database) -> str:
    message = await take(database)
    await stand(database, message, "running", policy=WAITS)
    return message


def an_answer(said: str, id_: str = "1", **more: Any) -> Reply:
    first = said.partition("\n")[0]
    return Reply(**{"means": Means.SMS, "id": id_, "senders": (NUMBER,), "first_line": first, "said": said, **more})


def test_codes_are_no_words() -> None:
    """Without vowels, and without signs that look alike."""
    codes = {new_reply_code() for _ in range(1_000)}

    assert len(codes) > 990
    assert set("".join(codes)) <= set(CODE_SIGNS)
    assert set(CODE_SIGNS).isdisjoint("AEIOUY01L25SZB")


async def test_a_code_of_before_takes_nothing_on_that_is_for_somebody_else_now(database: Database) -> None:
    """It says so in the trail; and whoever takes it on, those of before are not told."""
    message = await a_message(database)
    await sent(database, message)
    change = Change(kind=MessageChangeKind.REASSIGNED, principal="token:desk", at=after(1), deliver="nurse")
    assert await change_message(database, message, change) is ChangeResult.KEPT
    await stand(database, message, "running", policy=WAITS)
    await sent(database, message, OTHER, contact="nurse", queued_at=after(2), address="sms:+33639980002")

    old = await take_reply(database, an_answer(CODE), after(3))
    assert (await trail(database, message)).events[-1].detail == f"a code of before it began anew: {CODE}"
    new = await take_reply(database, an_answer(OTHER, "2", senders=("sms:+33639980002",)), after(4))

    assert (old, new) == (Outcome.WRONG, Outcome.ACKNOWLEDGED)
    found = await trail(database, message)
    assert found.dispatch.acknowledged_by == "nurse"
    assert [(one.contact, one.kind) for one in found.deliveries] == [("doctor", "message"), ("nurse", "message")]


async def test_a_code_takes_the_message_on_and_the_others_are_told(database: Database) -> None:
    """In one transaction with all that it stops; once, however often the answer comes."""
    message = await a_message(database)
    await sent(database, message)
    await sent(database, message, OTHER, contact="partner", address="sms:+33639980002")
    await tell(database, message, "queued", contact="third")

    outcomes = await asyncio.gather(
        *(take_reply(database, an_answer(f"{CODE.lower()} merci"), after(1)) for _ in range(5))
    )
    later = await take_reply(database, an_answer(CODE, "2"), after(2))

    assert Counter(outcomes) == {Outcome.ACKNOWLEDGED: 1, None: 4}
    assert later is Outcome.KNOWN
    found = await trail(database, message)
    assert (found.dispatch.state, found.dispatch.acknowledged_by, found.dispatch.acknowledged_how) == (
        "acknowledged",
        "doctor",
        "reply",
    )
    assert await told(database, message) == ["acknowledged doctor", "withdrawn third"]
    assert [(one.kind, one.contact) for one in found.deliveries if one.state == "queued"] == [("notice", "partner")]


async def test_only_the_number_that_was_told(database: Database) -> None:
    """A code is worth nothing to another one, and to whom nothing was sent."""
    message = await a_message(database)
    await sent(database, message)
    await sent(database, await a_message(database), OTHER, contact="partner", address="sms:+33639980002")

    wrong = await take_reply(database, an_answer(CODE, senders=("sms:+33639980002",)), after(1))
    nobodys = await take_reply(database, an_answer(CODE, senders=("sms:+33639980003",)), after(1))

    assert (wrong, nobodys) == (Outcome.WRONG, Outcome.NOBODYS)
    assert (await trail(database, message)).dispatch.state == "running"
    assert await rows(database, "SELECT sender FROM replies") == [("sms:+33639980002",)]


async def test_of_several_messages_the_code_says_which(database: Database) -> None:
    """ "OK" would not: it acknowledges nothing, and stands in the trail of the newest."""
    one, two = await a_message(database), await a_message(database)
    await sent(database, one, CODE, queued_at=after(0))
    await sent(database, two, OTHER, queued_at=after(5))

    outcomes = [
        await take_reply(database, an_answer(said, str(place)), after(10)) for place, said in enumerate(("OK", CODE))
    ]

    assert outcomes == [Outcome.WORDS, Outcome.ACKNOWLEDGED]
    assert [(await trail(database, message)).dispatch.state for message in (one, two)] == ["acknowledged", "running"]
    assert await told(database, two) == ["replied doctor"]


async def test_one_code_takes_on_all_that_went_in_one(database: Database) -> None:
    """A digest has one code; a mail of it is named after its first message."""
    messages = [await a_message(database) for _ in range(3)]
    mail = {"means": "email", "address": "mailto:moreau@example.org", "batch": "noon"}
    ids = [await sent(database, message, CODE, **mail) for message in messages]
    answer = an_answer(CODE, means=Means.EMAIL, senders=("mailto:elsewhere@example.org",), refers_to=(ids[0],))

    assert await take_reply(database, answer, after(1)) is Outcome.ACKNOWLEDGED
    assert [(await trail(database, one)).dispatch.state for one in messages] == ["acknowledged"] * 3


async def test_either_code_of_one_that_was_sent_twice_is_right(database: Database) -> None:
    """Nobody knows which of the two arrived."""
    message = await a_message(database)
    delivery = await sent(database, message)
    async with database.connection() as connection:
        both = f"{hash_of_reply(delivery, CODE)} {hash_of_reply(delivery, OTHER)}"
        await connection.execute(update(deliveries).values(reply_hash=both))

    assert await take_reply(database, an_answer(OTHER), after(1)) is Outcome.ACKNOWLEDGED


async def test_wrong_codes_are_counted(database: Database) -> None:
    """Five an hour, however many come at once; then the right one does nothing either, until the hour is over."""
    message = await a_message(database)
    await sent(database, message)

    guesses = await asyncio.gather(
        *(take_reply(database, an_answer(f"CDFG{CODE_SIGNS[n]}", str(n)), after(n)) for n in range(20))
    )
    limited = await take_reply(database, an_answer(CODE, "right"), after(30))
    state = (await trail(database, message)).dispatch.state
    later = await take_reply(database, an_answer(CODE, "later"), after(30 + WITHIN_SECONDS))

    assert Counter(guesses) == {Outcome.WRONG: MOST_WRONG, Outcome.LIMITED: 15}
    assert (limited, state, later) == (Outcome.LIMITED, "running", Outcome.ACKNOWLEDGED)


async def test_words_stand_in_the_trail_and_on_the_board(database: Database) -> None:
    """Their first lines, bounded, until somebody has taken the message on; a machine's in the trail alone."""
    message = await a_message(database)
    await sent(database, message)

    for place, said in enumerate(("Je ne peux pas\n\n demandez  au Dr Noir\x00", "x" * 5_000)):
        assert await take_reply(database, an_answer(said, str(place)), after(place)) is Outcome.WORDS
    first, counted = await list_board(database, now=after(5)), await count_board(database, after(5))
    machine = await take_reply(database, an_answer(CODE, "m", automatic=True), after(5))
    details = [one.detail for one in (await trail(database, message)).events]
    await take_reply(database, an_answer(CODE, "c"), after(6))
    second, none = await list_board(database, now=after(7)), await count_board(database, after(7))

    assert machine is Outcome.AUTOMATIC
    assert details[0] == "Je ne peux pas / demandez au Dr Noir\ufffd"
    assert len(details[1]) == LONGEST_SAID
    assert details[2] == f"automatic answer: {CODE}"
    (entry,) = first.entries
    assert (entry.why, entry.because) == ((Why.REPLIED,), f"doctor answered: {details[1]}")
    assert second.entries == []
    assert (sum(counted.attention.values()), none.attention) == (1, {})


async def test_machines_that_answer_each_other_end(database: Database) -> None:
    message = await a_message(database)
    await sent(database, message)

    outcomes = [
        await take_reply(database, an_answer("away", str(place), automatic=True), after(place)) for place in range(30)
    ]

    assert Counter(outcomes) == {Outcome.AUTOMATIC: MOST_KEPT, Outcome.LIMITED: 10}
    assert len(await told(database, message)) == MOST_KEPT


async def test_what_is_long_past(database: Database) -> None:
    """Neither does a telling stay open for ever, nor is it known for ever what was answered."""
    message = await a_message(database)
    await sent(database, message)

    first = await take_reply(database, an_answer("hello"), after(1))
    late = await take_reply(database, an_answer(CODE, "2"), after(OPEN_SECONDS + 1))
    await sent(database, message, queued_at=after(KEEP_SECONDS))
    again = await take_reply(database, an_answer("hello"), after(KEEP_SECONDS + 2))
    await take_reply(database, an_answer("hello", "3"), after(KEEP_SECONDS + 3))

    assert (first, late) == (Outcome.WORDS, Outcome.NOBODYS)
    assert again is None
    assert await rows(database, "SELECT count(*) FROM replies") == [(1,)]


async def test_one_that_is_still_on_its_way_by_what_we_know(database: Database) -> None:
    """An answer can be here before the worker has written down that it was sent."""
    message = await a_message(database)
    await sent(database, message, state="sending", sending_until=after(60))

    assert await take_reply(database, an_answer(CODE), after(1)) is Outcome.ACKNOWLEDGED
    assert await states(database, message) == ["acknowledged"]


async def test_of_another_client_nothing_is_touched(database: Database) -> None:
    """One number may be of two clients' people: the code is of one telling."""
    mine, theirs = await a_message(database), await take(database, client="etude-lenoir")
    await sent(database, mine)
    await sent(database, theirs, OTHER, client="etude-lenoir")

    await take_reply(database, an_answer(OTHER), after(1))

    assert (await trail(database, mine)).dispatch.state == "running"
    assert (await trail(database, theirs)).dispatch.state == "acknowledged"
    assert MOREAU != "etude-lenoir"
