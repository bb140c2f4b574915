"""Callbacks as they are listed for people."""

from __future__ import annotations

from callrouter.core.agents.preference import Preference
from callrouter.outgoing.ports import Ruled
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database
from callrouter.store.outgoing.book import CallbackRows
from tests.store.outgoing.test_book import after, asked, order, record


async def test_a_call_that_waited_for_whom_the_client_wants_is_told_by_its_team(database: Database) -> None:
    """The row keeps the PBX's name, by which the next engine knows whether it waits where it should."""
    queue = Preference(team="medical", prefer=("anne",)).queue
    await record(database, asked("wish"))
    rows = CallbackRows(database, epoch=1)
    (wish,) = await rows.open(after(-86_400), [Ruled("acme", "offer", is_open=True)])
    assert await rows.claim(wish, order(queue=queue), after(1))
    (listed,) = (await list_callbacks(database)).callbacks

    assert [one.queue for one in listed.calls] == ["medical"]
    assert [one.queue for one in await CallbackRows(database, epoch=1).take_over()] == [queue] == ["medical.anne"]
