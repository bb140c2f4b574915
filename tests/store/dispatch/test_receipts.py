"""What the other side says became of a telling: in any order, more than once, and never backwards."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest

from callrouter.core.dispatch import Means
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What
from callrouter.store.dispatch.receipts import Fate, Noted, note_receipt
from tests.store.dispatch.rows import after, happened, stand, states, take, tell, told
from tests.store.test_revisions import rows


async def note(
    database: Database,
    id_: str,
    fate: Fate,
    said: str = "250 ok",
    *,
    means: Means = Means.EMAIL,
) -> Noted:
    return await note_receipt(database, id_, means, fate, said, after(60))


async def dispatch(database: Database, message_id: str) -> tuple[str, datetime | None]:
    [row] = await rows(database, f"SELECT state, due_at FROM dispatches WHERE message_id = '{message_id}'")
    return row[0], row[1]


@pytest.mark.parametrize(("fate", "state"), [(Fate.DELIVERED, "delivered"), (Fate.FAILED, "failed")])
async def test_it_is_written_down_once(database: Database, fate: Fate, state: str) -> None:
    message = await take(database)
    await stand(database, message, "running", step=1, begun_at=after(0))
    delivery = await tell(database, message)

    noted = [await note(database, delivery, fate) for _ in range(2)]

    assert noted == [Noted.CHANGED, Noted.KNOWN]
    assert await states(database, message) == [state]
    assert await told(database, message) == [f"{state} doctor"]


async def test_the_first_end_stands_whatever_the_order(database: Database) -> None:
    for order in itertools.permutations(Fate):
        message = await take(database)
        delivery = await tell(database, message)

        for fate in (*order, *order):
            await note(database, delivery, fate)

        end = next(fate for fate in order if fate in (Fate.DELIVERED, Fate.FAILED))
        assert await states(database, message) == [end.value]
        before = order[: order.index(end)]
        assert await told(database, message) == [f"{fate.value} doctor" for fate in (*before, end)]


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("state", ["viewed", "acknowledged", "withdrawn", "queued"])
async def test_nothing_goes_back(database: Database, state: str, fate: Fate) -> None:
    message = await take(database)
    delivery = await tell(database, message, state)

    assert await note(database, delivery, fate) is Noted.KNOWN
    assert await states(database, message) == [state]
    assert await told(database, message) == []


@pytest.mark.parametrize(("fate", "noted"), [(Fate.DELIVERED, Noted.CHANGED), (Fate.FAILED, Noted.KNOWN)])
async def test_whose_fate_nobody_knew_is_known_then(database: Database, fate: Fate, noted: Noted) -> None:
    message = await take(database)
    delivery = await tell(database, message, "failed")
    await happened(database, message, What.UNKNOWN, after(1), delivery_id=delivery, contact="doctor")

    assert await note(database, delivery, fate) is noted
    assert await states(database, message) == ["delivered" if fate is Fate.DELIVERED else "failed"]


async def test_what_has_failed_stays_so(database: Database) -> None:
    message = await take(database)
    delivery = await tell(database, message, "failed")
    await happened(database, message, What.FAILED, after(1), delivery_id=delivery, contact="doctor")

    assert await note(database, delivery, Fate.DELIVERED) is Noted.KNOWN


async def test_what_was_to_be_repeated_because_nobody_knew_is_not(database: Database) -> None:
    message = await take(database)
    delivery = await tell(database, message, "queued", attempts=1)

    assert await note(database, delivery, Fate.DELIVERED) is Noted.CHANGED
    assert await states(database, message) == ["delivered"]


async def test_what_is_on_its_way_is_asked_for_again(database: Database) -> None:
    message = await take(database)
    delivery = await tell(database, message, "sending")

    assert await note(database, delivery, Fate.FAILED) is Noted.NOT_YET
    assert await states(database, message) == ["sending"]


@pytest.mark.parametrize("id_", ["", "nobody", "a\x00b", "x" * 10_000])
async def test_of_nobody(database: Database, id_: str) -> None:
    await tell(database, await take(database))

    assert await note(database, id_, Fate.FAILED) is Noted.NOBODYS


async def test_a_receipt_for_mail_is_none_for_an_sms(database: Database) -> None:
    message = await take(database)
    sms = await tell(database, message, means="sms", receipt_id="sms-1")

    assert await note(database, "sms-1", Fate.FAILED) is Noted.NOBODYS
    assert await note(database, sms, Fate.FAILED) is Noted.NOBODYS
    assert await note(database, "sms-1", Fate.FAILED, means=Means.SMS) is Noted.CHANGED


async def test_of_a_digest_each_telling_has_it(database: Database) -> None:
    """They went in one mail, which is called by the first of them."""
    messages = [await take(database) for _ in range(3)]
    first = await tell(database, messages[0], receipt_id=None)
    for message in messages[1:]:
        await tell(database, message, receipt_id=first)

    assert await note(database, first, Fate.DELIVERED) is Noted.CHANGED
    assert [await states(database, message) for message in messages] == [["delivered"]] * 3


async def test_a_failure_makes_it_due_when_nothing_else_is_on_its_way(database: Database) -> None:
    message = await take(database)
    await stand(database, message, "running", step=1, begun_at=after(0), due_at=after(600))
    await tell(database, message, "queued", contact="partner")
    await note(database, await tell(database, message), Fate.FAILED)
    assert await dispatch(database, message) == ("running", after(600))

    another = await take(database)
    await stand(database, another, "running", step=1, begun_at=after(0), due_at=after(600))
    await note(database, await tell(database, another), Fate.FAILED)
    assert await dispatch(database, another) == ("running", after(60))


async def test_who_was_told_and_was_not_after_all_comes_back(database: Database) -> None:
    """To the worker, which says what follows: once all of the last step have failed."""
    message = await take(database)
    await stand(database, message, "told", step=1, begun_at=after(0), ended_at=after(5))
    one, other = await tell(database, message), await tell(database, message, contact="partner")

    await note(database, one, Fate.FAILED)
    assert (await dispatch(database, message))[0] == "told"

    await note(database, other, Fate.FAILED)
    assert await dispatch(database, message) == ("running", after(60))


@pytest.mark.parametrize("state", ["attention", "acknowledged"])
async def test_what_people_have_in_hand_stays_there(database: Database, state: str) -> None:
    message = await take(database)
    await stand(database, message, state, step=1, begun_at=after(0))
    await note(database, await tell(database, message), Fate.FAILED)

    assert await dispatch(database, message) == (state, None)
