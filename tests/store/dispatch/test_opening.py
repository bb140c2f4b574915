"""What opens a confidential message: limits hold however many try at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime

from sqlalchemy import update

from callrouter.core.dispatch import Means
from callrouter.store.database import Database
from callrouter.store.dispatch.links import Link, find_link
from callrouter.store.dispatch.opening import (
    CODE_SECONDS,
    MOST_CODES,
    MOST_TRIES,
    PASS_SECONDS,
    Asked,
    Refused,
    ask_code,
    hash_of_code,
    is_believed,
    try_open,
)
from callrouter.store.tables import delivery_codes
from tests.store.test_revisions import rows

from .rows import after, linked, stand, states, take, tell, told, trail

PIN = "4711"
NUMBER = "sms:+33639980001"


async def a_link(database: Database) -> Link:
    """To a confidential message."""
    message = await take(database)
    await stand(database, message, "running", policy={"name": "doctors", "confidential": True})
    token = await linked(database, await tell(database, message), after(1e6))
    link = await find_link(database, token)
    assert link is not None
    assert link.confidential
    return link


async def again(database: Database, link: Link) -> Link:
    """The link as it is now."""
    found = await rows(database, "SELECT closed_at IS NOT NULL, pass_hash, pass_until FROM delivery_links")
    assert len(found) == 1
    closed, pass_hash, pass_until = found[0]
    values = {name: getattr(link, name) for name in Link.__dataclass_fields__}
    return Link(**{**values, "closed": closed, "pass_hash": pass_hash, "pass_until": pass_until})


async def asked(database: Database, link: Link, at: datetime) -> Asked:
    return await ask_code(database, link, Means.SMS, NUMBER, at)


async def sent(database: Database, code: str, at: datetime) -> None:
    """As the worker makes the last one that was asked for."""
    ((delivery_id,),) = await rows(
        database, "SELECT delivery_id FROM deliveries WHERE kind = 'code' ORDER BY queued_at DESC LIMIT 1"
    )
    values = {"code_hash": hash_of_code(delivery_id, code), "expires_at": at}
    async with database.connection() as connection:
        change = update(delivery_codes).where(delivery_codes.c.delivery_id == delivery_id)
        await connection.execute(change.values(**values))


async def test_the_right_pin_opens_it_for_half_an_hour(database: Database) -> None:
    """Whoever has the page that is shown then, and nobody else."""
    link = await a_link(database)

    tried = await try_open(database, link, PIN, after(0), pin=PIN)

    link = await again(database, link)
    assert tried.token
    assert is_believed(link, tried.token, after(PASS_SECONDS - 1))
    assert not is_believed(link, tried.token, after(PASS_SECONDS))
    assert not is_believed(link, "", after(1))
    assert not is_believed(link, tried.token[:-1], after(1))
    assert await told(database, link.message_id) == ["code_accepted doctor"]


async def test_five_wrong_pins_close_the_link_however_many_come_at_once(database: Database) -> None:
    """And the right one does not open it any more."""
    link = await a_link(database)

    tries = await asyncio.gather(*(try_open(database, link, f"{n:04}", after(n), pin=PIN) for n in range(20)))
    late = await try_open(database, link, PIN, after(30), pin=PIN)

    assert Counter(one.refused for one in tries) == {Refused.WRONG: MOST_TRIES - 1, Refused.CLOSED: 16}
    assert sorted(one.left for one in tries if one.refused is Refused.WRONG) == [1, 2, 3, 4]
    assert late.refused is Refused.CLOSED
    assert not late.token
    said = await told(database, link.message_id)
    assert said == [*["code_refused doctor"] * MOST_TRIES, "link_closed doctor"]


async def test_many_links_of_one_person_are_no_more_tries(database: Database) -> None:
    """Whoever reads somebody's mailbox has a link for each message: twenty wrong PINs in a day, and each is closed."""
    links = [await a_link(database) for _ in range(7)]

    for link in links[:5]:
        for _ in range(4):
            assert (await try_open(database, link, "0000", after(0), pin=PIN)).refused is Refused.WRONG
    tried = await try_open(database, links[5], PIN, after(60), pin=PIN)
    next_day = await try_open(database, links[6], PIN, after(86_500), pin=PIN)

    assert tried.refused is Refused.CLOSED
    assert await told(database, links[5].message_id) == ["link_closed doctor"]
    assert next_day.token


async def test_a_code_opens_it_once_and_for_ten_minutes(database: Database) -> None:
    link = await a_link(database)

    none = await try_open(database, link, "123456", after(0), pin="")
    assert await asked(database, link, after(1)) is Asked.QUEUED
    not_sent = await try_open(database, link, "123456", after(2), pin="")
    await sent(database, "123456", after(2 + CODE_SECONDS))
    wrong = await try_open(database, link, "123457", after(3), pin="")
    right = await try_open(database, link, "123456", after(4), pin="")
    twice = await try_open(database, link, "123456", after(5), pin="")
    await sent(database, "123456", after(2 + CODE_SECONDS))
    late = await try_open(database, link, "123456", after(2 + CODE_SECONDS), pin="")

    assert [one.refused for one in (none, not_sent, wrong, right, twice, late)] == [
        Refused.NO_CODE,
        Refused.NO_CODE,
        Refused.WRONG,
        None,
        Refused.NO_CODE,
        Refused.NO_CODE,
    ]
    assert right.token
    assert await told(database, link.message_id) == ["code_asked doctor", "code_refused doctor", "code_accepted doctor"]


async def test_three_codes_an_hour_however_often_it_is_asked(database: Database) -> None:
    """Each is a telling of its own, by the other way; the message's own stands as it did."""
    link = await a_link(database)

    first = await asyncio.gather(*(asked(database, link, after(n)) for n in range(9)))
    later = await asked(database, link, after(3_700))

    assert Counter(first) == {Asked.QUEUED: MOST_CODES, Asked.TOO_MANY: 6}
    assert later is Asked.QUEUED
    codes = [one for one in (await trail(database, link.message_id)).deliveries if one.kind == "code"]
    assert {(one.means, one.address, one.state.value) for one in codes} == {("sms", "+33639980001", "queued")}
    assert await rows(database, "SELECT DISTINCT body FROM deliveries") == [(None,)]
    assert (await states(database, link.message_id)).count("accepted") == 1


async def test_a_closed_link_has_no_code_sent(database: Database) -> None:
    link = await a_link(database)
    for _ in range(MOST_TRIES):
        await try_open(database, link, "0000", after(0), pin=PIN)

    assert await asked(database, link, after(1)) is Asked.CLOSED
