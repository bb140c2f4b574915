"""What the engine shows Prometheus of messages that need attention."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from callrouter.metrics import Sources, exposition
from callrouter.metrics.sources import SourceCollector
from callrouter.store.database import Database
from callrouter.store.dispatch.watch import BoardWatch

from .rows import AT, LENOIR, MOREAU, after, ask, stand, take


async def figures(watch: BoardWatch) -> list[str]:
    registry = CollectorRegistry()
    registry.register(SourceCollector(Sources(board=lambda: watch.seen)))
    lines = (await exposition(registry)).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


async def test_they_are_counted(database: Database) -> None:
    """By client where they stand on the list; what did not move, in all. Nothing is shown that is not known."""
    watch = BoardWatch(database, lambda: after(61))
    before = await figures(watch)
    for client, state in ((MOREAU, "attention"), (MOREAU, "attention"), (LENOIR, "running"), (LENOIR, "told")):
        await stand(database, await take(database, client), state, due_at=AT if state == "running" else None)

    await ask(database, "n1")
    async with database.connection() as connection:
        await connection.execute(text("INSERT INTO delivery_counts VALUES ('notification', 'given_up', 7)"))
    await watch.look()
    after_ = await figures(watch)

    assert before == []
    assert after_ == [
        f'callrouter_messages_attention{{client="{MOREAU}"}} 2.0',
        "callrouter_worker_at_work 0.0",
        "callrouter_dispatch_overdue 2.0",
        'callrouter_notification_attempts_total{kind="notification",outcome="given_up"} 7.0',
        'callrouter_notifications_waiting{kind="notification"} 1.0',
        'callrouter_notifications_late{kind="notification"} 1.0',
    ]


async def test_while_postgresql_is_away(database: Database) -> None:
    """A figure of before would be one of now."""
    nowhere = Database(database.url.set(database="nowhere"))
    away = BoardWatch(nowhere, lambda: AT)
    await away.look()
    await nowhere.close()

    assert await figures(away) == []
