"""One message's telling, as it stands in the record."""

from __future__ import annotations

import pytest

from callrouter.store.database import Database
from callrouter.store.dispatch.events import What
from callrouter.store.dispatch.reading import find_trail, shown_address
from callrouter.store.tables import DispatchState
from tests.store.test_revisions import rows

from .rows import AT, MOREAU, after, happened, stand, take, tell, trail


async def test_the_whole_trail(database: Database) -> None:
    """In order, whatever the clocks say; of the rule its name."""
    message = await take(database)
    await stand(database, message, "running", policy={"name": "doctors", "urgent": {}}, step=1, due_at=after(600))
    later = await tell(database, message, "queued", contact="partner", step=1, queued_at=after(9))
    first = await tell(database, message, answer="250 2.0.0 Ok", receipt_id="4F1", attempts=2)
    await happened(database, message, What.RULE, after(3), detail="doctors")
    await happened(
        database, message, What.SENT, after(2), delivery_id=first, contact="doctor", means="email", detail="250 Ok"
    )

    found = await trail(database, message)

    dispatch = found.dispatch
    assert (dispatch.message_id, dispatch.client, dispatch.state) == (message, MOREAU, DispatchState.RUNNING)
    assert (dispatch.rule, dispatch.step, dispatch.due_at) == ("doctors", 1, after(600))
    assert [one.delivery_id for one in found.deliveries] == [first, later]
    assert (found.deliveries[0].answer, found.deliveries[0].receipt_id) == ("250 2.0.0 Ok", "4F1")
    assert (found.deliveries[0].address, found.deliveries[0].queued_at) == ("moreau@example.org", AT)
    assert [(one.what, one.at, one.detail) for one in found.events] == [
        ("rule", after(3), "doctors"),
        ("sent", after(2), "250 Ok"),
    ]


async def test_of_what_is_owed_to_nobody(database: Database) -> None:
    """No message, or one of before."""
    message = await take(database)
    await rows(database, "DELETE FROM dispatches RETURNING 1")

    assert [await find_trail(database, one) for one in (message, "nothing", "a\x00b")] == [None] * 3


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mailto:moreau@example.org", "moreau@example.org"),
        ("sms:+33612345678", "+33612345678"),
        ("https://u:secret@hooks.example.org:8443/T0/secret?key=secret", "https://hooks.example.org:8443"),
        ("http://hooks.example.org/secret", "http://hooks.example.org"),
        ("https://[::1/secret", "a web service"),
        ("HTTPS://hooks.example.org:port/secret", "a web service"),
    ],
)
def test_an_address_shows_no_secret(address: str, shown: str) -> None:
    assert shown_address(address) == shown
