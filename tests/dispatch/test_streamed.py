"""The live event stream tells what came into the record: over HTTP, of a real PostgreSQL, each thing once and in order,
whoever is away meanwhile.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.api.engine_client import EngineClient
from callrouter.api.stream.link import EngineLink
from callrouter.api.stream.record import RecordLink
from callrouter.api.web_app import create_web_app
from callrouter.core.call import Callback, Disposition, replace
from callrouter.outgoing.order import Settlement
from callrouter.permissions import Scope, ScopeKind
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.subscribed.streamed import SLOW_SECONDS, forget_streamed, read_streamed
from callrouter.stream import events
from callrouter.stream.hub import Hub
from callrouter.stream.ring import EventId
from tests.api.serving import TOKEN, Noted, NoTokens, make_gate
from tests.api.test_stream import SECRET, Engine, OneToken, Reading, Web, served, token_for
from tests.dispatch.rooms import MINUTE, Office, hook, reach, rule
from tests.dispatch.subscribers import EPOCH, a_call, goes_live, recorded, spoken, subscribed
from tests.dispatch.test_days import Nights, Set, paris
from tests.patience import ANSWER_SECONDS, START_SECONDS
from tests.postgres import started
from tests.runtime.web_service import WebService


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PostgreSQL that was killed recovers, on a busy machine."""
    monkeypatch.setattr("tests.api.test_stream.SECONDS", START_SECONDS)


NOBODY: Final = "http://127.0.0.1:9"
"""Where no engine listens."""


@asynccontextmanager
async def web_of(database: Database, engine_url: str = NOBODY, **more: Any) -> AsyncIterator[Web]:
    """A web process, as `callrouter web` starts and stops it."""
    nobody: Any = None
    hub, noted, tasks = Hub(lambda: datetime.now(UTC)), Noted(), Tasks()
    gate = make_gate(tokens=more.get("tokens") or NoTokens(), trail=noted)
    engine = EngineClient(engine_url, TOKEN, timeout_seconds=ANSWER_SECONDS)
    app = create_web_app(database, nobody, engine, nobody, gate=gate, hub=hub)
    record = RecordLink(database, hub, more.get("now") or (lambda: datetime.now(UTC)))
    tasks.keep(EngineLink(engine_url, TOKEN, hub).run, "link")
    tasks.keep(record.run, "record")
    async with served(app) as base:
        try:
            yield Web(base, hub, noted)
        finally:
            hub.end("web stops")
            await tasks.stop()


async def of_record(reading: Reading, count: int) -> list[tuple[EventId, Any]]:
    """So many events of the record, past all others."""
    found: list[tuple[EventId, Any]] = []
    while len(found) < count:
        [(event_id, event)] = await reading.next()
        if isinstance(event, events.RecordEvent):
            read = EventId.read(event_id)
            assert read is not None
            found.append((read, event))
    return found


def ids(told: list[tuple[EventId, Any]]) -> list[str]:
    return [event.message_id for _, event in told]


async def test_messages_are_told_from_the_desk_to_who_took_them_on(office: Office, crm: WebService) -> None:
    """And that nobody did. A caller's own the engine has told."""
    office.plan = subscribed(policy=rule(hook("doctor", wait=600)), people=[reach("doctor", crm.url("good"))])
    async with web_of(office.database) as web, web.reads() as reading:
        await recorded(office.database, spoken(a_call()))
        await office.message("m1", taken_by="token:desk", form="ring_back")
        async with office.works() as due:
            await office.comes("running", due=due)
            office.clock.passes(11 * MINUTE)
            await office.comes("attention", due=due)
        await acknowledge(office.database, "m1", by="doctor", how="link", at=datetime.now(UTC))
        await acknowledge(office.database, "call-1.m1", by="token:desk", how="api", at=datetime.now(UTC))
        told = await of_record(reading, 5)

    by_message = {
        one: [type(event).__name__ for _, event in told if event.message_id == one] for one in ("m1", "call-1.m1")
    }
    assert by_message["m1"] == ["MessageWritten", "MessageOverdue", "MessageAcknowledged"]
    assert by_message["call-1.m1"] == ["MessageOverdue", "MessageAcknowledged"]
    assert [event_id.record for event_id, _ in told] == [1, 2, 3, 4, 5]
    (written,) = [event for _, event in told if isinstance(event, events.MessageWritten)]
    assert (written.client, written.call_id, written.taken_by, written.form, written.deliver, written.urgent) == (
        *("acme", None, "token:desk", "ring_back", "rule", True),
    )
    overdue = [event.reason for _, event in told if isinstance(event, events.MessageOverdue)]
    assert "nobody has acknowledged it" in overdue
    taken_on = [event for _, event in told if isinstance(event, events.MessageAcknowledged)]
    assert [(one.call_id, one.acknowledged_by) for one in taken_on] == [(None, "doctor"), ("call-1", "token:desk")]


async def test_a_callback_is_settled(office: Office) -> None:
    asked_at = datetime.now(UTC) - timedelta(seconds=40)
    wishes = (Callback(number="+33612340001", node="offer", asked_at=asked_at),)
    async with web_of(office.database) as web, web.reads() as reading:
        await recorded(office.database, replace(a_call(), callbacks=wishes, disposition=Disposition.MESSAGE_LEFT))
        await CallbackRows(office.database, epoch=EPOCH).settle(
            [("call-1", 1)], Settlement.CALLED_BACK, datetime.now(UTC)
        )
        [(_, settled)] = await of_record(reading, 1)

    assert (settled.client, settled.call_id, settled.position, settled.number, settled.settled_by) == (
        *("acme", "call-1", 1, "+33612340001", "called_back"),
    )


async def test_a_days_figures_are_told_of_every_client_and_again_when_they_change(office: Office) -> None:
    """Whether some other system has subscribed them or not."""
    nights = Nights(office, Set(paris("2026-03-01T12:00")))
    await nights.begin()
    alone = replace(subscribed(), client="alone", subscriptions={})
    await goes_live(office.database, alone, paris("2026-03-01T12:00"))
    async with web_of(office.database, now=nights.clock.now) as web, web.reads() as reading:
        await recorded(office.database, a_call("call-1", rang_at=paris("2026-03-02T09:00"), client="alone"))
        await nights.at("2026-03-03T00:14")
        await nights.at("2026-03-03T00:15")
        first = [event for _, event in await of_record(reading, 4)]
        await recorded(office.database, a_call("call-2", rang_at=paris("2026-03-02T10:00"), client="alone"))
        await nights.at("2026-03-04T00:15")
        later = [event for _, event in await of_record(reading, 3)]

    assert sorted((one.client, one.day, one.revision) for one in first) == [
        *[("acme", "2026-03-01", 1), ("acme", "2026-03-02", 1)],
        *[("alone", "2026-03-01", 1), ("alone", "2026-03-02", 1)],
    ]
    assert sorted((one.client, one.day, one.revision) for one in later) == [
        *[("acme", "2026-03-03", 1), ("alone", "2026-03-02", 2), ("alone", "2026-03-03", 1)],
    ]
    (changed,) = [one for one in later if one.revision == 2]
    assert (changed.timezone, changed.figures["client"], changed.figures["received"]) == ("Europe/Paris", "alone", 2)


async def test_who_may_see_a_client_is_told_of_that_one(office: Office) -> None:
    """A team's or an agent's part of the stream has none of it."""
    nobodys = OneToken(token_for(Scope(ScopeKind.CLIENTS, frozenset({"other"}))))
    async with (
        web_of(office.database, tokens=nobodys) as web,
        web.reads(token=SECRET) as other,
        web.reads("?agent=agent-1") as agent,
        web.reads("?client=acme") as client,
    ):
        await office.message("m1", taken_by="token:desk")
        await office.message("m2", taken_by="token:desk", client="other")
        told = [ids(await of_record(one, 1)) for one in (other, client)]
        web.hub.end("enough")
        await agent.the_end()

    assert told == [["m2"], ["m1"]]
    assert b"message." not in agent.raw


async def test_who_comes_back_goes_on_with_both(office: Office) -> None:
    """At another web process, with an engine that goes on and one that began anew."""
    first, second = Engine(7), Engine(8)
    async with served(first.app) as engine_url:
        async with web_of(office.database, engine_url) as web, web.reads() as reading:
            await reading.next()
            await office.message("m1", taken_by="token:desk")
            [(seen, _)] = await of_record(reading, 1)
        first.begins("1")
        await office.message("m2", taken_by="token:desk")
        async with (
            web_of(office.database, engine_url) as web,
            web.reads() as begins,
            web.reads(**{"Last-Event-ID": str(seen)}) as reading,
        ):
            told = await reading.next(2)
            await begins.next()
            await office.message("m3", taken_by="token:desk")
            again = [*await of_record(begins, 1)]
            while again[-1][1].message_id != "m3":  # what came in the last seconds is told to who begins as well
                again += await of_record(begins, 1)
            more = await of_record(reading, 1)
        first.feed.end("it stops")
    async with (
        served(second.app) as engine_url,
        web_of(office.database, engine_url) as web,
        web.reads(**{"Last-Event-ID": str(seen)}) as reading,
    ):
        anew = await reading.next(3)

    assert seen == EventId(7, 1, 1)
    assert sorted(type(event).__name__ for _, event in told) in (
        ["CallWaiting", "MessageWritten"],
        ["MessageWritten", "Snapshot"],  # the engine was heard by this web process from its snapshot on
    )
    assert (ids(again), ids(more)) == (["m1", "m2", "m3"][-len(again) :], ["m3"])
    assert {type(event).__name__ for _, event in anew} == {"MessageWritten", "Snapshot"}
    assert [event.message_id for _, event in anew if isinstance(event, events.MessageWritten)] == ["m2", "m3"]


class Far(Database):
    """One that is reached slowly the first time."""

    reached = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        if not self.reached:
            self.reached = True
            await asyncio.sleep(FAR_SECONDS)
        async with super().connection() as connection:
            yield connection


FAR_SECONDS: Final = SLOW_SECONDS + 2.0


async def test_what_comes_before_postgresql_was_reached_is_told(office: Office) -> None:
    """Who reads was there before it."""
    far = Far(office.database.url)
    async with web_of(far) as web, web.reads() as reading:
        await office.message("m1", taken_by="token:desk")
        told = await of_record(reading, 1)
    await far.close()

    assert ids(told) == ["m1"]


async def test_an_engine_that_is_away_holds_up_nothing(office: Office) -> None:
    async with web_of(office.database) as web, web.reads() as reading:
        await office.message("m1", taken_by="token:desk")
        [(seen, _)] = await of_record(reading, 1)
        await office.message("m2", taken_by="token:desk")
        async with web.reads(**{"Last-Event-ID": str(seen)}) as back:
            told = ids(await of_record(back, 1))

    assert (seen, told) == (EventId(0, 0, 1), ["m2"])


async def test_what_is_committed_late_is_not_passed_over(office: Office) -> None:
    """Its row is older than one that was told before."""
    async with web_of(office.database) as web, web.reads() as reading:
        slow = """INSERT INTO messages (message_id, call_id, position, client, recording, seconds, deliver, started_at,
                      node, state, taken_by, text)
                  VALUES ('slow', '', 0, 'acme', '', 0, '', now(), '', 'open', 'token:desk', 'please ring')"""
        async with office.database.connection() as connection:
            await connection.execute(text(slow))
            await office.message("m1", taken_by="token:desk")
            first = await of_record(reading, 1)
        later = await of_record(reading, 1)

    assert (ids(first), ids(later)) == (["m1"], ["slow"])


async def test_a_connection_that_breaks_loses_nothing(office: Office) -> None:
    """All of web's are ended, again and again, while things happen."""
    async with web_of(office.database) as web, web.reads() as reading:
        for number in range(12):
            await office.message(f"m{number}", taken_by="token:desk")
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callrouter rows'"
            await office.rows(end + " AND datname = current_database()")
        told = await of_record(reading, 12)

    assert ids(told) == [f"m{number}" for number in range(12)]


async def test_a_postgresql_that_was_away_loses_nothing() -> None:
    """What was committed just before it went is told when it is back, and so is what follows."""
    with tempfile.TemporaryDirectory(prefix="callrouter-pg-") as folder, started(Path(folder)) as server:
        url = make_url(await server.new_database())
        database, webs = Database(url), Database(url)
        await database.upgrade()
        http = GuardedHttp([], {})
        office = Office(database=database, http=http, folder=Path(folder))
        async with web_of(webs) as web, web.reads() as reading:
            await office.message("m1", taken_by="token:desk")
            first = await of_record(reading, 1)
            await office.message("m2", taken_by="token:desk")
            server.crash()
            await asyncio.sleep(1.0)
            server.start()
            await office.message("m3", taken_by="token:desk")
            told = [*first, *await of_record(reading, 2)]
        await http.close()
        await webs.close()
        await database.close()

    assert ids(told) == ["m1", "m2", "m3"]


async def test_what_was_told_long_ago_is_taken_away(office: Office) -> None:
    """But for the last, by which the next places are known; who comes back from before is told what is left."""
    for number in range(3):
        await office.message(f"m{number}", taken_by="token:desk")
    await office.rows("UPDATE streamed SET at = at - interval '2 hours' RETURNING 1")
    await office.message("m3", taken_by="token:desk")
    await forget_streamed(office.database)
    await office.rows("UPDATE streamed SET at = at - interval '2 hours' RETURNING 1")
    await forget_streamed(office.database)
    await office.message("m4", taken_by="token:desk")

    assert [(one.place, one.kind) for one in await read_streamed(office.database, 0)] == [
        (4, "message.written"),
        (5, "message.written"),
    ]
