"""The queue, on a real PostgreSQL and real HTTP servers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from callrouter.delivery import queue as under_test
from callrouter.delivery.backoff import PAUSES_SECONDS
from callrouter.delivery.channels.webhook import TIMEOUT_SECONDS
from callrouter.delivery.slots import OF_ONE, OF_THE_UNPROVEN, SLOTS
from callrouter.metrics import EngineMetrics
from callrouter.runtime.breaker import FAILURES_TO_OPEN
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from callrouter.store.notifications import NotificationRows
from tests.delivery.rooms import MONDAY, Clock, Rows, asked_for, queue_of, running
from tests.runtime.web_service import WebService, web_service


@asynccontextmanager
async def http_to(*hosts: str) -> AsyncIterator[GuardedHttp]:
    """The guard, with these hosts allowed."""
    http = GuardedHttp(hosts, {})
    yield http
    await http.close()


async def test_delivered_after_a_failure(database: Database, tmp_path: Path) -> None:
    """The first attempt fails, the row says why and when the next one is due; that one is delivered, once."""
    clock, rows = Clock(), Rows(database)
    metrics = EngineMetrics(registry := CollectorRegistry(), version="0", target_of=lambda _call: None)
    async with web_service() as service, http_to(service.host) as http:
        queue = queue_of(database, http, tmp_path, clock, meter=metrics)
        service.away = True
        queue.observe(asked_for(service.url("good")))
        async with running(queue):
            waiting = await rows.until("waiting")
            service.away = False
            clock.at += timedelta(seconds=PAUSES_SECONDS[0] * 1.2)
            delivered = await rows.until("delivered")

    assert (waiting["attempts"], waiting["last_error"]) == (1, f"{service.host} answered 500")
    assert waiting["next_attempt_at"] is not None
    assert (delivered["attempts"], delivered["next_attempt_at"], delivered["last_error"]) == (2, None, None)
    assert delivered["client"] == "acme"
    assert len(service.asked) == 2
    for outcome in ("failed", "delivered"):
        assert registry.get_sample_value("callrouter_notification_attempts_total", {"outcome": outcome}) == 1
    assert all(b"Idempotency-Key: c1-n0\r\n" in asked for asked in service.asked)
    assert json.loads(service.asked[1].partition(b"\r\n\r\n")[2])["data"] == {"a": "b"}


async def test_a_receiver_that_is_away_is_two_lines(database: Database, tmp_path: Path) -> None:
    """However many notifications wait for it."""
    clock, rows, calls = Clock(), Rows(database), ("c1", "c2")
    async with web_service() as service, http_to(service.host) as http:
        queue = queue_of(database, http, tmp_path, clock)
        service.away = True
        with capture_logs() as logs:
            for call_id in calls:
                queue.observe(asked_for(service.url("good"), call_id))
            async with running(queue):
                await rows.until("waiting", *calls)
                service.away = False
                clock.at += timedelta(hours=1)
                await rows.until("delivered", *calls, attempts=2)

    lines = [one for one in logs if one["event"].startswith("notifications are")]
    assert [one["event"] for one in lines] == ["notifications are not delivered", "notifications are delivered again"]
    assert lines[1]["tries"] == len(calls)


async def test_a_receiver_that_is_not_allowed_is_given_up_at_once(database: Database, tmp_path: Path) -> None:
    """And the row says what to do."""
    async with http_to() as http:
        queue = queue_of(database, http, tmp_path)
        queue.observe((*asked_for("https://crm.example/hook"), *asked_for("fax:+33140000001", "c2")))
        async with running(queue):
            failed = await Rows(database).until("failed", "c1")
            other = await Rows(database).until("failed", "c2")

    assert "CALLROUTER_OUTGOING_HOSTS" in str(failed["last_error"])
    assert other["last_error"] == 'no channel delivers to "fax:"'


async def test_a_receiver_may_ask_to_be_left_alone_for_a_while(database: Database, tmp_path: Path) -> None:
    """`Retry-After` makes a pause longer, up to the longest there is."""
    rows = Rows(database)
    async with web_service() as service, http_to(service.host) as http:
        queue = queue_of(database, http, tmp_path)
        async with running(queue):
            for call, said in (("c1", "3600"), ("c2", "999999999")):
                service.retry_after = said
                queue.observe(asked_for(service.url("busy"), call))
                await rows.until("waiting", call)

    found = await rows.by_call()
    assert found["c1"]["next_attempt_at"] == MONDAY + timedelta(hours=1)
    assert found["c2"]["next_attempt_at"] == MONDAY + timedelta(seconds=PAUSES_SECONDS[-1])


async def test_given_up_after_the_last_pause(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver was asked once more than there are pauses."""
    monkeypatch.setattr(under_test, "LOOK_SECONDS", 0.05)
    clock, rows = Clock(), Rows(database)
    async with web_service() as service, http_to(service.host) as http:
        queue = queue_of(database, http, tmp_path, clock)
        queue.observe(asked_for(service.url("missing")))
        async with running(queue):
            for attempt, pause in enumerate(PAUSES_SECONDS, start=1):
                await rows.until("waiting", attempts=attempt)
                clock.at += timedelta(seconds=pause * 1.2)
            failed = await rows.until("failed")

    assert failed["attempts"] == len(service.asked) == len(PAUSES_SECONDS) + 1
    assert (failed["last_error"], failed["next_attempt_at"]) == (f"{service.host} answered 404", None)


async def test_a_successor_delivers_what_was_left(database: Database, tmp_path: Path) -> None:
    """What an engine had kept, and did not send, is due for the next; kept twice it is one."""
    async with http_to() as http:
        queue = queue_of(database, http, tmp_path)
        queue.observe((*asked_for("https://crm.example/hook"), *asked_for("https://crm.example/hook")))
        await queue.flush()

    due = await NotificationRows(database).due(MONDAY + timedelta(seconds=1), 10)

    assert [one.delivery_id for one in due] == ["c1-n0"]
    assert queue.backlog == 0


async def test_what_is_cut_off_is_sent_again(database: Database, tmp_path: Path) -> None:
    """An engine that stops in the middle of a request has not delivered; the next one sends it with the same id."""
    async with web_service() as service, http_to(service.host) as http:
        first = queue_of(database, http, tmp_path)
        first.observe(asked_for(service.url("slow")))
        async with running(first):
            async with asyncio.timeout(5):
                while not service.asked:
                    await asyncio.sleep(0.02)
        await first.flush()
        async with running(queue_of(database, http, tmp_path)), asyncio.timeout(5):
            while len(service.asked) < 2:
                await asyncio.sleep(0.02)

    assert (await Rows(database).by_call())["c1"]["attempts"] == 0
    assert all(b"Idempotency-Key: c1-n0\r\n" in asked for asked in service.asked)


@asynccontextmanager
async def services(many: int) -> AsyncIterator[list[WebService]]:
    """So many web services."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(web_service()) for _ in range(many)]


@pytest.mark.parametrize(("dead", "known"), [(1, False), (10, False), (30, True)])
async def test_dead_receivers_do_not_hold_up_the_others(
    database: Database, tmp_path: Path, dead: int, known: bool
) -> None:
    """They take connections and never answer, and theirs was asked for first; a living one has all of its own long
    before any of these requests has timed out: a new one beside ten of them, a known one beside any number.
    """
    rows, calls = Rows(database), [f"c{number}" for number in range(30)]
    async with services(dead) as silent, web_service() as living, http_to("127.0.0.1") as http:
        queue = queue_of(database, http, tmp_path)
        async with running(queue):
            if known:
                queue.observe(asked_for(living.url("good"), "first"))
                await rows.until("delivered", "first")
            for number in range(10 * SLOTS):
                earlier = MONDAY - timedelta(seconds=10 * SLOTS - number)
                queue.observe(asked_for(silent[number % dead].url(f"slow/{number % 3}"), f"s{number}", earlier))
            for call in calls:
                queue.observe(asked_for(living.url("good"), call))
            began = time.monotonic()
            await rows.until("delivered", *calls)
            took = time.monotonic() - began

    assert took < TIMEOUT_SECONDS - 2
    assert len(living.asked) == len(calls) + known
    assert all(len(one.asked) <= 1 for one in silent)
    assert sum(len(one.asked) for one in silent) == min(dead, int(SLOTS * OF_THE_UNPROVEN))


async def test_one_receiver_never_has_more_than_its_share(database: Database, tmp_path: Path) -> None:
    """However fast it answers, and however much there is for it."""
    now, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    calls = [f"c{number}" for number in range(5 * SLOTS)]
    async with server, http_to(host) as http:
        queue = queue_of(database, http, tmp_path)
        for call in calls:
            queue.observe(asked_for(f"http://{host}/{call}", call))
        async with running(queue):
            await Rows(database).until("delivered", *calls)

    assert most == OF_ONE


async def test_a_receiver_that_fails_again_and_again_is_left_alone(database: Database, tmp_path: Path) -> None:
    """What is due for it meanwhile counts as tried, and says why."""
    rows = Rows(database)
    calls = [f"c{number}" for number in range(20)]
    async with web_service() as service, http_to(service.host) as http:
        service.away = True
        queue = queue_of(database, http, tmp_path)
        for call in calls:
            queue.observe(asked_for(service.url(call), call))
        async with running(queue):
            await rows.until("waiting", *calls)

    assert len(service.asked) == FAILURES_TO_OPEN
    errors = [str(row["last_error"]) for row in (await rows.by_call()).values()]
    assert sum("has failed 5 times in a row: it is not asked for a while" in error for error in errors) == 15


async def test_what_was_asked_for_while_postgresql_was_away_is_delivered(database: Database, tmp_path: Path) -> None:
    """It waits on disk, not in memory, and all of it goes into the book when PostgreSQL is back."""
    book = _Taken(database)
    async with web_service() as service, http_to(service.host) as http:
        queue = queue_of(database, http, tmp_path)
        calls = [f"c{number}" for number in range(3)]
        async with running(queue):
            await book.refuse()
            for call in calls:
                queue.observe(asked_for(service.url("good"), call))
                async with asyncio.timeout(10):
                    while len(_lines(tmp_path)) < queue.backlog or call not in "".join(_lines(tmp_path)):
                        await asyncio.sleep(0.02)
            assert queue.backlog == len(calls)
            await book.allow()
            await Rows(database).until("delivered", *calls)

    assert queue.backlog == 0
    assert not (tmp_path / "notifications.jsonl").exists()
    assert len(service.asked) == len(calls)


@pytest.mark.parametrize("killed", [True, False])
async def test_what_was_asked_for_while_postgresql_was_away_is_delivered_by_the_next_engine(
    database: Database, tmp_path: Path, killed: bool
) -> None:
    """By the engine after the one that ended meanwhile; a line that a dying machine cut costs no other."""
    away = Database(database.url.set(database="nowhere"))
    async with web_service() as service, http_to(service.host) as http:
        first = queue_of(away, http, tmp_path)
        first.observe(asked_for(service.url("good")))
        if killed:
            async with running(first):
                async with asyncio.timeout(10):
                    while not _lines(tmp_path):
                        await asyncio.sleep(0.02)
                await asyncio.sleep(1.5)  # it is tried again, and put there once
        else:
            await first.flush()
        assert len(_lines(tmp_path)) == 1
        with (tmp_path / "notifications.jsonl").open("ab") as file:
            file.write(b'{"notification_id": "c1-n')

        async with running(queue_of(database, http, tmp_path)):
            delivered = await Rows(database).until("delivered")
    await away.close()

    assert delivered["notification_id"] == "c1-n0"
    assert len(service.asked) == 1
    assert not (tmp_path / "notifications.jsonl").exists()


async def test_an_attempt_that_cannot_be_noted_is_not_made_twice(database: Database, tmp_path: Path) -> None:
    """PostgreSQL goes while the request is out: the engine remembers how it went until it can be written down."""
    book = _Taken(database)
    async with web_service() as service, http_to(service.host) as http:
        queue = queue_of(database, http, tmp_path)
        answer = service.hold()
        queue.observe(asked_for(service.url("good")))
        async with running(queue):
            async with asyncio.timeout(5):
                while not service.asked:
                    await asyncio.sleep(0.02)
            await book.refuse()
            answer.set()
            await asyncio.sleep(1.5)
            await book.allow()
            await Rows(database).until("delivered")
            await asyncio.sleep(0.3)

    assert len(service.asked) == 1


def _lines(folder: Path) -> list[str]:
    path = folder / "notifications.jsonl"
    return path.read_text().splitlines() if path.exists() else []


class _Taken:
    """Takes the table away, and gives it back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def refuse(self) -> None:
        await self._run("ALTER TABLE notifications RENAME TO elsewhere")

    async def allow(self) -> None:
        await self._run("ALTER TABLE elsewhere RENAME TO notifications")

    async def _run(self, statement: str) -> None:
        async with self._database.connection() as connection:
            await connection.exec_driver_sql(statement)
