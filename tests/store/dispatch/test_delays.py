"""How long it took until messages were passed on, and taken on."""

from __future__ import annotations

from callrouter.permissions import Scope, ScopeKind
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.delays import Spread, read_delays
from callrouter.store.dispatch.events import What
from callrouter.store.plans import StoredPlan, WentLive, remember_live

from .rows import LENOIR, MOREAU, after, happened, stand, take, tell

FROM, TO = after(0), after(3_600)


async def test_by_client(database: Database) -> None:
    """From when a message was complete: the first time it was accepted counts, and whoever took it on."""
    for seconds in range(10, 110, 10):
        message = await take(database)
        await stand(database, message, "running", began_at=after(1))
        delivery = await tell(database, message)
        for late in (0, 500):
            await happened(database, message, What.SENT, after(seconds + late), delivery_id=delivery)
        await happened(database, message, What.FAILED, after(1))
        if seconds <= 30:
            await acknowledge(database, message, by="doctor", how="link", at=after(10 * seconds))
    spoken = await take(database, LENOIR, started_at=after(-30), taken_at=after(0))
    await stand(database, spoken, "attention", began_at=after(1), ended_at=after(50))
    outside = await take(database)
    await stand(database, outside, "told", began_at=after(3_600))

    moreau, lenoir = await read_delays(database, from_at=FROM, to_at=TO)

    assert (moreau.client, moreau.messages, moreau.unacknowledged) == (MOREAU, 10, 7)
    assert moreau.accepted == Spread(10, 55.0, 91.0, 100.0)
    assert moreau.acknowledged == Spread(3, 200.0, 280.0, 300.0)
    nothing = Spread(0, None, None, None)
    assert (lenoir.messages, lenoir.unacknowledged) == (1, 1)
    assert (lenoir.accepted, lenoir.acknowledged) == (nothing, nothing)
    assert await read_delays(database, from_at=FROM, to_at=TO, client=LENOIR) == [lenoir]
    scope = Scope(ScopeKind.CLIENTS, frozenset({MOREAU}))
    assert await read_delays(database, from_at=FROM, to_at=TO, scope=scope) == [moreau]


async def test_of_a_client_that_was_renamed(database: Database) -> None:
    """One line, by its present name; of the former name what stands under it."""
    for client in ("cabinet-alt", MOREAU):
        await stand(database, await take(database, client), "told", began_at=after(1))
    live_at = after(0)
    plan = StoredPlan(client=MOREAU, version="2", document="", first_live_at=live_at, formerly=("cabinet-alt",))
    await remember_live(database, [plan], [WentLive(client=MOREAU, version="2", live_at=live_at, why="saved")])

    (all_,) = await read_delays(database, from_at=FROM, to_at=TO)
    (one,) = await read_delays(database, from_at=FROM, to_at=TO, client=MOREAU)
    (former,) = await read_delays(database, from_at=FROM, to_at=TO, client="cabinet-alt")

    assert all_ == one
    assert (one.client, one.messages) == (MOREAU, 2)
    assert (former.client, former.messages) == ("cabinet-alt", 1)
