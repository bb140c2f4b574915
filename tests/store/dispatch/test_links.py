"""Links to a message: the record has a hash of each, and knows who opened what."""

from __future__ import annotations

import asyncio

import pytest

from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.links import find_link, hash_of, note_viewed
from tests.store.test_revisions import rows

from .rows import after, linked, stand, states, take, tell, told


async def test_what_it_leads_to(database: Database) -> None:
    """Also after its time: whoever asks says so. The token itself is nowhere."""
    message = await take(database)
    delivery = await tell(database, message)
    token = await linked(database, delivery, after(60))

    link = await find_link(database, token)

    assert link is not None
    assert (link.message_id, link.delivery_id, link.contact) == (message, delivery, "doctor")
    assert (link.expires_at, link.viewed, link.acknowledged_by, link.acknowledged_at) == (after(60), False, None, None)
    assert await rows(database, "SELECT token_hash FROM delivery_links") == [(hash_of(token),)]
    assert len(token) == 43
    assert [await find_link(database, one) for one in (token[:-1], "", "\ud800\x00", hash_of(token))] == [None] * 4


async def test_whose_rule_is_not_known_is_confidential(database: Database) -> None:
    message = await take(database)
    token = await linked(database, await tell(database, message), after(60))
    first = await find_link(database, token)
    await stand(database, message, "new", policy=None)
    second = await find_link(database, token)

    assert first is not None
    assert second is not None
    assert (first.confidential, second.confidential) == (False, True)


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("accepted", "viewed"),
        ("delivered", "viewed"),
        ("failed", "viewed"),
        ("queued", "queued"),
        ("sending", "sending"),
        ("withdrawn", "withdrawn"),
        ("acknowledged", "acknowledged"),
    ],
)
async def test_it_was_viewed(database: Database, state: str, then: str) -> None:
    """Once, however often; what is out, or to be sent again, goes on."""
    message = await take(database)
    token = await linked(database, await tell(database, message, state), after(60))
    link = await find_link(database, token)
    assert link is not None

    noted = await asyncio.gather(*(note_viewed(database, link, after(one)) for one in range(5)))
    again = await find_link(database, token)

    assert sorted(noted) == [False] * 4 + [True]
    assert again is not None
    assert again.viewed
    assert not await note_viewed(database, again, after(9))
    assert await states(database, message) == [then]
    assert await told(database, message) == ["viewed doctor"]


async def test_somebody_took_the_message_on(database: Database) -> None:
    message = await take(database)
    token = await linked(database, await tell(database, message), after(60))
    await acknowledge(database, message, by="partner", how="link", at=after(5))

    link = await find_link(database, token)

    assert link is not None
    assert (link.acknowledged_by, link.acknowledged_how, link.acknowledged_at) == ("partner", "link", after(5))
