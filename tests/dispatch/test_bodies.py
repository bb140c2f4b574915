"""What is posted as it stands, because a call asked for it: tried for hours, and nobody holds up anybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from callrouter.delivery.backoff import PAUSES_SECONDS
from callrouter.delivery.slots import OF_ONE, SLOTS
from callrouter.dispatch.listening import listen
from callrouter.runtime.breaker import FAILURES_TO_OPEN
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.tasks import Tasks
from tests.delivery.rooms import asked_for, asking_of, running
from tests.dispatch.rooms import MINUTE, Office
from tests.patience import START_SECONDS
from tests.runtime.web_service import WebService, web_service


async def asked(service: WebService, many: int = 1) -> None:
    """It has been sent so much."""
    async with asyncio.timeout(START_SECONDS):
        while len(service.asked) < many:
            await asyncio.sleep(0.02)


async def test_from_the_call_to_the_web_service(office: Office, crm: WebService) -> None:
    """The worker hears of it, and has no plan to look at: the request is what it was when engines sent themselves."""
    asking, tasks = asking_of(office.database, office.folder), Tasks()
    async with running(asking), office.works() as due:
        tasks.start(listen(office.database, due.set), "listening")
        asking.observe(asked_for(crm.url("good/calls"), at=office.clock.now()))
        await office.has(accepted=1)
        await tasks.stop()

    (request,) = crm.asked
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /good/calls HTTP/1.1\r\n")
    assert b"\r\nIdempotency-Key: c1-n0\r\n" in head
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert json.loads(body)["event"] == "call.notify"
    assert json.loads(body)["data"] == {"a": "b"}
    assert await office.rows("SELECT count(*) FROM dispatch_events") == [(0,)]
    assert await office.rows("SELECT kind, outcome, attempts FROM delivery_counts") == [
        ("notification", "delivered", 1)
    ]


async def test_delivered_after_a_failure(office: Office, crm: WebService) -> None:
    """The first attempt fails, the row says why and when the next one is due; that one is delivered, once."""
    crm.away = True
    await office.telling("n", crm.url("good"), kind="notification")
    async with office.works() as due:
        await office.attempted(1)
        ((answer, next_at),) = await office.rows("SELECT answer, next_attempt_at FROM deliveries")
        crm.away = False
        office.clock.passes(timedelta(seconds=PAUSES_SECONDS[0] * 1.2))
        due.set()
        await office.attempted(2, "accepted")

    assert answer == f"{crm.host} answered 500"
    assert next_at is not None
    ((said, none),) = await office.rows("SELECT answer, next_attempt_at FROM deliveries")
    assert ("Jeanne" in said, none) == (True, None)
    assert len(crm.asked) == 2
    assert all(b"Idempotency-Key: n\r\n" in request for request in crm.asked)
    counts = await office.rows("SELECT outcome, attempts FROM delivery_counts ORDER BY outcome")
    assert counts == [("delivered", 1), ("failed", 1)]


async def test_a_receiver_that_is_away_is_two_lines(office: Office, crm: WebService) -> None:
    """However many notifications wait for it."""
    crm.away = True
    with capture_logs() as logs:
        for number in range(2):
            await office.telling(f"n{number}", crm.url("good"))
        async with office.works() as due:
            await office.attempted(1)
            crm.away = False
            office.clock.passes(60 * MINUTE)
            due.set()
            await office.attempted(2, "accepted")

    lines = [one for one in logs if one["event"].startswith("notifications are")]
    assert [one["event"] for one in lines] == ["notifications are not delivered", "notifications are delivered again"]
    assert lines[1]["tries"] == 2


async def test_a_receiver_that_is_not_allowed_is_given_up_at_once(office: Office) -> None:
    """And row and log say what to do."""
    await office.telling("n0", "https://crm.example/hook")
    await office.telling("n1", "fax:+33140000001")
    with capture_logs() as logs:
        async with office.works():
            await office.attempted(1, "failed")

    answers = await office.rows("SELECT answer FROM deliveries ORDER BY number")
    assert "CALLROUTER_OUTGOING_HOSTS" in answers[0][0]
    assert answers[1] == ('no channel delivers to "fax:"',)
    assert sum(one["event"] == "a notification was not delivered: it is given up" for one in logs) == 2


async def test_a_receiver_may_ask_to_be_left_alone_for_a_while(office: Office, crm: WebService) -> None:
    """`Retry-After` makes a pause longer, up to the longest there is."""
    async with office.works() as due:
        for id_, said in (("n0", "3600"), ("n1", "999999999")):
            crm.retry_after = said
            await office.telling(id_, crm.url("busy"))
            due.set()
            await office.attempted(1, "queued", id_)

    rows = await office.rows("SELECT changed_at, next_attempt_at FROM deliveries ORDER BY number")
    pauses = [(next_at - changed_at).total_seconds() for changed_at, next_at in rows]
    assert pauses == [pytest.approx(3600, abs=60), pytest.approx(PAUSES_SECONDS[-1], abs=60)]


async def test_given_up_after_the_last_pause(office: Office, crm: WebService) -> None:
    """The receiver was asked once more than there are pauses."""
    await office.telling("n", crm.url("missing"))
    async with office.works() as due:
        for attempt, pause in enumerate(PAUSES_SECONDS, start=1):
            await office.attempted(attempt)
            office.clock.passes(timedelta(seconds=pause * 1.2))
            due.set()
        await office.attempted(len(PAUSES_SECONDS) + 1, "failed")

    assert len(crm.asked) == len(PAUSES_SECONDS) + 1
    assert await office.rows("SELECT answer FROM deliveries") == [(f"{crm.host} answered 404",)]
    assert await office.rows("SELECT attempts FROM delivery_counts WHERE outcome = 'given_up'") == [(1,)]


async def test_what_is_cut_off_is_sent_again_with_the_same_id(office: Office, crm: WebService) -> None:
    """A worker that dies in the middle of a request: nobody knows whether it was taken."""
    held = crm.hold()
    await office.telling("n", crm.url("good"))
    async with office.works("first"):
        await asked(crm)
    held.set()
    crm.held = None
    async with office.works("second") as due:
        await office.attempted(1, "queued")
        office.clock.passes(MINUTE)
        due.set()
        await office.attempted(2, "accepted")

    assert len(crm.asked) == 2
    assert all(b"Idempotency-Key: n\r\n" in request for request in crm.asked)


async def test_a_receiver_that_never_answers_is_not_asked_for_ever(
    office: Office, crm: WebService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it took what it was sent is not known, each time; it is given up when the others would be."""
    monkeypatch.setattr("callrouter.delivery.channels.webhook.TIMEOUT_SECONDS", 60.0)
    monkeypatch.setattr("callrouter.delivery.channels.webhook.Webhook.deadline_seconds", 0.7)
    await office.telling("n", crm.url("slow"))
    async with office.works() as due:
        for attempt, pause in enumerate(PAUSES_SECONDS, start=1):
            await office.attempted(attempt)
            office.clock.passes(timedelta(seconds=pause * 1.2))
            due.set()
        await office.attempted(len(PAUSES_SECONDS) + 1, "failed")

    # Of the last attempts none was made: it had failed too often in a row.
    assert len(crm.asked) >= FAILURES_TO_OPEN


@asynccontextmanager
async def services(many: int) -> AsyncIterator[list[WebService]]:
    """So many web services."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(web_service()) for _ in range(many)]


@pytest.mark.parametrize(("dead", "known"), [(1, False), (10, False), (100, True)])
async def test_dead_receivers_do_not_hold_up_the_others(
    office: Office, crm: WebService, dead: int, known: bool
) -> None:
    """They take connections and never answer, and theirs was asked for first; a living one has all of its own before
    any of these requests has timed out: a new one beside ten of them, a known one beside any number.
    """
    now = office.clock.now()
    async with services(dead) as silent:
        office.http = GuardedHttp(["127.0.0.1"], {})
        async with office.works() as due:
            if known:
                await office.telling("first", crm.url("good"))
                due.set()
                await office.attempted(1, "accepted", "first")
            for number in range(5 * SLOTS):
                earlier = {"next_attempt_at": now - MINUTE + timedelta(seconds=number / 10)}
                await office.telling(f"s{number}", silent[number % dead].url(f"slow/{number % 3}"), **earlier)
            mine = [f"c{number}" for number in range(30)]
            for id_ in mine:
                await office.telling(id_, crm.url("good"))
            due.set()
            await office.attempted(1, "accepted", *mine)
            ended = await office.rows("SELECT count(*) FROM deliveries WHERE state = 'queued' AND attempts > 0")
        await office.http.close()

    assert ended == [(0,)]
    assert len(crm.asked) == len(mine) + known
    assert all(len(one.asked) <= 1 for one in silent)
    assert sum(len(one.asked) for one in silent) >= min(dead, SLOTS // 4)


async def test_one_receiver_never_has_more_than_its_share(office: Office) -> None:
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
    async with server:
        office.http = GuardedHttp([host], {})
        for number in range(80):
            await office.telling(f"n{number}", f"http://{host}/{number}")
        async with office.works():
            await office.has(accepted=80)
        await office.http.close()

    assert most == OF_ONE


async def test_a_receiver_that_fails_again_and_again_is_left_alone(office: Office, crm: WebService) -> None:
    """What is due for it meanwhile counts as tried, and says why."""
    crm.away = True
    for number in range(20):
        await office.telling(f"n{number}", crm.url("good"))
    async with office.works():
        await office.attempted(1)

    assert len(crm.asked) == FAILURES_TO_OPEN
    answers = [answer for (answer,) in await office.rows("SELECT answer FROM deliveries")]
    assert sum("has failed 5 times in a row: it is not asked for a while" in answer for answer in answers) == 15


async def test_an_attempt_that_cannot_be_noted_is_not_made_twice(office: Office, crm: WebService) -> None:
    """PostgreSQL goes while the request is out: the worker remembers how it went until it can be written down."""
    answer = crm.hold()
    await office.telling("n", crm.url("good"))
    async with office.works():
        await asked(crm)
        await _run(office, "ALTER TABLE deliveries RENAME TO elsewhere")
        answer.set()
        await asyncio.sleep(1.5)
        await _run(office, "ALTER TABLE elsewhere RENAME TO deliveries")
        await office.attempted(1, "accepted")
        await asyncio.sleep(0.3)

    assert len(crm.asked) == 1


async def _run(office: Office, statement: str) -> None:
    async with office.database.connection() as connection:
        await connection.exec_driver_sql(statement)
