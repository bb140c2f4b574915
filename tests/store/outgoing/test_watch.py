"""What the engine shows Prometheus of callers who are to be called back."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from callrouter.core.call import replace
from callrouter.metrics import Sources
from callrouter.metrics.sources import SourceCollector
from callrouter.store.database import Database
from callrouter.store.outgoing.watch import WishesWatch
from tests.api.stories import TUESDAY, after
from tests.api.test_calling_back import record, wish

MOREAU, LENOIR = "cabinet-moreau", "etude-lenoir"


def shown(watch: WishesWatch) -> dict[str, float]:
    """Sample by sample, of two clients in service."""
    registry = CollectorRegistry()
    registry.register(SourceCollector(Sources(wishes=lambda: watch.seen, promised=lambda: {MOREAU: 0.8, LENOIR: 0.8})))
    samples = (sample for family in registry.collect() for sample in family.samples)
    return {" ".join((one.name.removeprefix("callrouter_"), *one.labels.values())): one.value for one in samples}


async def test_they_are_counted(database: Database) -> None:
    """Open ones with the age of the oldest, whoever carries them out; and what became of a day's."""
    watch = WishesWatch(database, lambda: after(3640))
    before = shown(watch)
    await record(database, wish("a"), wish("b"), replace(wish("c"), client=LENOIR), wish("d"), wish("e"))
    for call_id, state, by in (("c", "done", "rang_again"), ("d", "done", "by_hand"), ("e", "given_up", "attempts")):
        values = f"state = '{state}', settled_by = '{by}', settled_at = asked_at"
        async with database.connection() as connection:
            await connection.execute(text(f"UPDATE callbacks SET {values} WHERE call_id = '{call_id}'"))
    await watch.look()

    assert before == {}
    assert shown(watch) == {
        "callbacks_open": 2,
        "callbacks_oldest_seconds": 3600,
        f"client_callbacks_open {MOREAU}": 2,
        f"client_callbacks_open {LENOIR}": 0,
        f"client_callbacks_oldest_seconds {MOREAU}": 3600,
        f"client_callbacks_oldest_seconds {LENOIR}": 0,
        "callbacks_recent open": 2,
        "callbacks_recent reached": 1,
        "callbacks_recent rang_again": 1,
        "callbacks_recent given_up": 1,
    }


async def test_without_postgresql_nothing_is_known(database: Database) -> None:
    nowhere = Database(database.url.set(database="nowhere"))
    watch = WishesWatch(nowhere, lambda: TUESDAY)
    await watch.look()
    await nowhere.close()

    assert shown(watch) == {}
