"""Notifications and callbacks, on a real PostgreSQL and a real HTTP server."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from callrouter.core import engine, inputs
from callrouter.core.call import Call, Callback, CallerId, replace
from callrouter.core.nodes import CallbackNode, HangupNode, NotifyNode
from callrouter.core.templates import parse
from callrouter.delivery.queue import PAUSES_SECONDS, Attempt, DeliveryQueue, Pending
from callrouter.metrics import EngineMetrics
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database
from callrouter.store.notification_spool import NotificationShelf
from callrouter.store.notifications import NotificationRows
from callrouter.store.tables import notifications
from callrouter.store.trace import call_from_json, call_json
from callrouter.store.writer import Writer
from callrouter.testing import plan_of, sound
from tests.runtime.web_service import web_service

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        """As a Clock."""
        return self.at


def notifier_of(
    database: Database, outgoing: GuardedHttp, clock: Clock, folder: Path, meter: EngineMetrics | None = None
) -> DeliveryQueue:
    """As an engine has one."""
    shelf = NotificationShelf(folder / "notifications.jsonl")
    return DeliveryQueue(book=NotificationRows(database), outgoing=outgoing, clock=clock, shelf=shelf, meter=meter)


def _call_that_notifies(url: str) -> engine.Turn:
    plan = plan_of(
        NotifyNode(name="told", contact="crm", url=url, data=(("a", parse("b")),), exits={"next": "bye"}),
        HangupNode(name="bye"),
    )
    caller = CallerId(number="+33612340001", name="\x00 \ud800")
    return engine.start(plan, inputs.CallOffered(call_id="c1", did="+33199000010", caller=caller, at=MONDAY))


async def _row(database: Database) -> dict[str, object]:
    async with database.connection() as connection:
        return dict((await connection.execute(select(notifications))).mappings().one())


async def _until_state(database: Database, state: str) -> dict[str, object]:
    async with asyncio.timeout(10):
        while True:
            async with database.connection() as connection:
                rows = (await connection.execute(select(notifications))).mappings().all()
            if rows and rows[0]["state"] == state and (state != "waiting" or rows[0]["attempts"]):
                return dict(rows[0])
            await asyncio.sleep(0.02)


async def test_delivered_after_a_failure(database: Database, tmp_path: Path) -> None:
    """The first attempt fails, the row says why and when the next one is due; that one is delivered, once."""
    clock = Clock()
    async with web_service() as service:
        outgoing = GuardedHttp([service.host], {})
        metrics = EngineMetrics(registry := CollectorRegistry(), version="0", target_of=lambda _call: None)
        notifier = notifier_of(database, outgoing, clock, tmp_path, metrics)
        service.away = True
        notifier.observe(_call_that_notifies(service.url("good")).facts)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(notifier.run())
            waiting = await _until_state(database, "waiting")
            service.away = False
            clock.at += timedelta(seconds=PAUSES_SECONDS[0] * 1.2)
            delivered = await _until_state(database, "delivered")
            running.cancel()
        await outgoing.close()

    assert (waiting["attempts"], waiting["last_error"]) == (1, f"{service.host} answered 500")
    assert waiting["next_attempt_at"] is not None
    assert (delivered["attempts"], delivered["next_attempt_at"], delivered["last_error"]) == (2, None, None)
    assert delivered["client"] == "acme"
    assert len(service.asked) == 2
    for outcome in ("failed", "delivered"):
        assert registry.get_sample_value("callrouter_notification_attempts_total", {"outcome": outcome}) == 1
    assert all(b"Idempotency-Key: c1-n0\r\n" in asked for asked in service.asked)
    assert json.loads(service.asked[1].partition(b"\r\n\r\n")[2])["data"] == {"a": "b"}


async def test_a_receiver_that_is_not_allowed_is_given_up_at_once(database: Database, tmp_path: Path) -> None:
    """And the row says what to do."""
    outgoing = GuardedHttp([], {})
    notifier = notifier_of(database, outgoing, Clock(), tmp_path)
    notifier.observe(_call_that_notifies("https://crm.example/hook").facts)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(notifier.run())
        failed = await _until_state(database, "failed")
        running.cancel()
    await outgoing.close()

    assert "CALLROUTER_OUTGOING_HOSTS" in str(failed["last_error"])


async def test_a_successor_delivers_what_was_left(database: Database, tmp_path: Path) -> None:
    """What an engine had kept, and did not send, is due for the next; kept twice it is one."""
    clock = Clock()
    notifier = notifier_of(database, GuardedHttp([], {}), clock, tmp_path)
    turn = _call_that_notifies("https://crm.example/hook")
    notifier.observe((*turn.facts, *turn.facts))
    await notifier.flush()

    due = await NotificationRows(database).due(clock.now() + timedelta(seconds=1), 10)

    assert [one.notification_id for one in due] == ["c1-n0"]
    assert notifier.backlog == 0


@pytest.mark.parametrize("killed", [True, False])
async def test_what_was_asked_for_while_postgresql_was_away_is_delivered(
    database: Database, tmp_path: Path, killed: bool
) -> None:
    """By the engine after the one that ended meanwhile; a line that a dying machine cut costs no other."""
    away = Database(database.url.set(database="nowhere"))
    async with web_service() as service:
        outgoing, turn = GuardedHttp([service.host], {}), _call_that_notifies(service.url("good"))
        first = notifier_of(away, outgoing, Clock(), tmp_path)
        first.observe(turn.facts)
        if killed:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(first.run())
                async with asyncio.timeout(10):
                    while not (tmp_path / "notifications.jsonl").exists():
                        await asyncio.sleep(0.02)
                await asyncio.sleep(1.5)  # it is tried again, and put there once
                running.cancel()
        else:
            await first.flush()
        assert len((tmp_path / "notifications.jsonl").read_bytes().splitlines()) == 1
        with (tmp_path / "notifications.jsonl").open("ab") as file:
            file.write(b'{"notification_id": "c1-n')

        second = notifier_of(database, outgoing, Clock(), tmp_path)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(second.run())
            delivered = await _until_state(database, "delivered")
            running.cancel()
        await outgoing.close()
    await away.close()

    assert delivered["notification_id"] == "c1-n0"
    assert len(service.asked) == 1
    assert not (tmp_path / "notifications.jsonl").exists()


async def test_given_up_in_the_end(database: Database) -> None:
    """After the last pause there is no other attempt."""
    rows = NotificationRows(database)
    await rows.add(
        [
            Pending(
                notification_id="n",
                call_id="c",
                client="a",
                contact="crm",
                url="https://x.example/",
                body="{}",
                asked_at=MONDAY,
            )
        ]
    )
    await rows.settle(Attempt(notification_id="n", attempts=9, at=MONDAY, error="away\x00", next_at=None))

    assert await rows.due(MONDAY + timedelta(days=9), 10) == []
    assert (await _row(database))["state"] == "failed"


def _call_that_wants_a_callback(call_id: str, numbers: tuple[str, ...]) -> Call:
    plan = plan_of(
        CallbackNode(
            name="offer",
            number_sounds=(sound("n"),),
            choice_sounds=(sound("c"),),
            ask_sounds=(sound("a"),),
            region="FR",
            language="fr",
            exits={"done": "bye", "declined": "bye", "no_input": "bye", "no_match": "bye"},
        ),
        HangupNode(name="bye"),
    )
    caller = CallerId(number="+33612340001")
    offered = inputs.CallOffered(call_id=call_id, did="+33199000010", caller=caller, at=MONDAY)
    call = engine.start(plan, offered).call
    wishes = tuple(Callback(number=number, node="offer", asked_at=MONDAY) for number in numbers)
    call = replace(call, callbacks=wishes)
    return engine.step(plan, call, inputs.CallerHungUp(at=MONDAY + timedelta(seconds=9))).call


@pytest.mark.parametrize("maybe_known", [False, True])
async def test_callbacks_are_rows_of_the_call(database: Database, maybe_known: bool) -> None:
    """Written with it, exactly once however often it is told; listed by client and state, page by page."""
    calls = [_call_that_wants_a_callback("c1", ("+33612340001", "+33140000001")), _call_that_wants_a_callback("c2", ())]
    writer = Writer(database)
    assert await writer.write(calls, maybe_known=maybe_known) == []
    assert await writer.write(calls, maybe_known=True) == []
    writer.close()

    first = await list_callbacks(database, client="acme", state="open", limit=1)
    second = await list_callbacks(database, client="acme", limit=1, cursor=first.next_cursor)
    others = await list_callbacks(database, client="nobody")
    later = await list_callbacks(database, from_at=MONDAY + timedelta(seconds=1))

    assert [one.number for one in (*first.callbacks, *second.callbacks)] == ["+33140000001", "+33612340001"]
    assert second.next_cursor is None
    assert others.callbacks == later.callbacks == []
    assert call_from_json(call_json(calls[0])) == calls[0]
