"""What a report says beside the figures of calls: of messages, callbacks, callers who gave up, and handling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from callrouter.core.service_level import Promise
from callrouter.outgoing.order import Settlement
from callrouter.periods import Moment, Period
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.sections.abandoned import Reached, read_abandoned
from callrouter.store.sections.callbacks import read_callbacks
from callrouter.store.sections.handling import read_handling
from callrouter.store.sections.messages import read_messages
from callrouter.store.sections.spread import Spread, spread_of
from callrouter.store.tables import (
    agent_sessions,
    callbacks,
    calls,
    dispatch_events,
    dispatches,
    follow_ups,
    legs,
    messages,
    outgoing_calls,
    queue_visits,
)

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = Period(Moment(MONDAY.date()))
MOREAU, LENOIR, REUNION = "cabinet-moreau", "etude-lenoir", "cabinet-payet"


def at(seconds: float) -> datetime:
    """So long after Monday at nine."""
    return MONDAY + timedelta(seconds=seconds)


async def put(database: Database, table: Any, *rows: Mapping[str, Any]) -> None:
    """Write rows."""
    async with database.connection() as connection:
        for row in rows:
            await connection.execute(insert(table).values(**row))


def call(call_id: str, client: str, rang: float, disposition: str = "answered", **fields: Any) -> dict[str, Any]:
    """The row of a call."""
    empty = {"plan_version": "1", "did": "", "caller_name": "", "presentation": "allowed", "caller_number": "+336"}
    known = {"waiting_seconds": 0, "talk_seconds": 0, "node_path": "", "variables": {}, "trace": {}}
    times = {"ringing_at": at(rang), "ended_at": at(rang + 30), "disposition": disposition}
    return {"call_id": call_id, "client": client, **times, **empty, **known, **fields}


def outgoing(number: int, asked: str, placed: float, answered: float | None, over: float) -> dict[str, Any]:
    """A call to somebody who is called back."""
    known = {"purpose": "callback", "number": "+336", "shown": "", "queue": "medical", "epoch": 1, "pbx": "pbx-1"}
    ids = {"outgoing_id": f"out-{number}", "call_id": asked, "position": 1, "client": MOREAU, "agent": "anne"}
    times = {"turn_at": at(placed), "placed_at": at(placed), "rung_at": at(placed), "ended_at": at(over)}
    came = {"answered_at": None if answered is None else at(answered), "outcome": "answered" if answered else "busy"}
    return {**ids, **known, **times, **came}


@pytest.fixture
async def live(database: Database) -> Database:
    """Two clients in Paris, of whom one was renamed, and one on Réunion, where the day is three hours earlier."""
    for client, zone, formerly in (
        (MOREAU, "Europe/Paris", ()),
        (LENOIR, "Europe/Paris", ("etude-noir",)),
        (REUNION, "Indian/Reunion", ()),
    ):
        plan = StoredPlan(
            client=client,
            version="1",
            document="",
            first_live_at=MONDAY,
            promise=Promise(timezone=zone),
            formerly=formerly,
        )
        await remember_live(database, [plan], [WentLive(client=client, version="1", live_at=MONDAY, why="saved")])
    return database


def test_a_spread_is_of_all() -> None:
    """By interpolation, as everywhere; nothing ends before it began."""
    assert spread_of([]) == Spread()
    spread = spread_of([30, -2, 10])
    assert (spread.count, spread.mean_seconds, spread.p50_seconds, spread.max_seconds) == (3, 40 / 3, 10, 30)
    assert spread.p90_seconds == pytest.approx(26)


async def message(
    database: Database, message_id: str, client: str, began: float, *, urgent: bool = False, **fields: Any
) -> None:
    """A message of ten seconds; its dispatch is made with it, by PostgreSQL."""
    known = {"call_id": message_id, "position": 1, "recording": "rec", "seconds": 10, "deliver": "", "node": "note"}
    row = {"message_id": message_id, "client": client, "started_at": at(began), "urgent": urgent, "state": "open"}
    await put(database, messages, {**known, **row, **fields})
    async with database.connection() as connection:
        await connection.execute(update(dispatches).where(dispatches.c.message_id == message_id).values(urgent=urgent))


async def test_messages(live: Database) -> None:
    """From when a message was complete: to the first that took it, to the first that had it, and to who took it on."""
    await message(live, "m1", MOREAU, 0)
    await message(live, "m2", MOREAU, 100, urgent=True)
    await message(live, "m3", MOREAU, 200, urgent=True, taken_by="token:desk", taken_at=at(230), state="done")
    await message(live, "m4", "etude-noir", 300)
    await message(live, "m5", REUNION, -10 * 3600 + 60 * 60)  # before midnight in Paris, after it on Réunion
    await message(live, "m6", MOREAU, -11 * 3600)  # on Sunday
    for message_id, what, seconds in (
        ("m1", "failed", 11),
        ("m1", "sent", 15),
        ("m1", "sent", 20),
        ("m1", "delivered", 40),
        ("m2", "delivered", 130),
    ):
        await put(live, dispatch_events, {"message_id": message_id, "what": what, "at": at(seconds)})
    async with live.connection() as connection:
        taken_on = update(dispatches).where(dispatches.c.message_id == "m3")
        await connection.execute(taken_on.values(state="acknowledged", ended_at=at(290)))

    found = {one.client: one for one in await read_messages(live, DAY, now=at(0))}
    only = await read_messages(live, DAY, now=at(0), clients=[LENOIR])

    assert {name: one.messages for name, one in found.items()} == {MOREAU: 3, LENOIR: 1, REUNION: 1}
    moreau = found[MOREAU]
    assert (moreau.by_agents, moreau.urgent, moreau.done, moreau.unacknowledged) == (1, 2, 1, 1)
    assert (moreau.accepted.count, moreau.accepted.mean_seconds, moreau.accepted.max_seconds) == (2, 12.5, 20)
    assert (moreau.delivered.count, moreau.delivered.max_seconds) == (2, 30)
    assert (moreau.acknowledged.count, moreau.acknowledged.max_seconds) == (1, 60)
    assert only == [found[LENOIR]]


async def test_callbacks(live: Database) -> None:
    """By what settled them; an attempt is one in which somebody was rung, and reached is who talked."""

    def wish(call_id: str, state: str, how: str | None, settled: float | None, client: str = MOREAU) -> dict[str, Any]:
        known = {"position": 1, "number": "+336", "node": "ask", "asked_at": at(0), "client": client}
        settled_at = None if settled is None else at(settled)
        return {"call_id": call_id, "state": state, "settled_by": how, "settled_at": settled_at, **known}

    wishes = [
        wish("c1", "done", "called_back", 600),
        wish("c2", "done", "by_hand", 1200),
        wish("c3", "given_up", "by_hand", 60),
        wish("c4", "given_up", "attempts", 3600),
        wish("c5", "open", None, None),
        wish("c6", "done", None, 5),
        wish("c7", "done", "rang_again", 30, LENOIR),
    ]
    await put(live, callbacks, *wishes)
    placed = [outgoing(1, "c1", 300, None, 320), outgoing(2, "c1", 580, 600, 700), outgoing(3, "c4", 60, None, 90)]
    await put(live, outgoing_calls, *placed)

    moreau, lenoir = await read_callbacks(live, DAY, now=at(0))

    assert (moreau.client, moreau.asked, moreau.open, moreau.attempts) == (MOREAU, 6, 1, 3)
    assert moreau.settled == {
        Settlement.CALLED_BACK: 1,
        Settlement.BY_HAND: 2,
        Settlement.ATTEMPTS: 1,
        None: 1,
    }
    assert moreau.open + sum(moreau.settled.values()) == moreau.asked
    assert (moreau.reached.count, moreau.reached.mean_seconds) == (2, 900)
    assert (lenoir.client, lenoir.reached.max_seconds) == (LENOIR, 30)


async def test_callers_who_gave_up(live: Database) -> None:
    """Each once, by what reached them first; under a former name, too."""
    await put(
        live,
        calls,
        call("c1", MOREAU, 0, "abandoned", caller_number="+331"),
        call("c2", MOREAU, 10, "abandoned", caller_number="+336"),
        call("c3", MOREAU, 20, "abandoned", caller_number=None),
        call("c4", MOREAU, 30, "abandoned", caller_number="+334"),
        call("c5", "etude-noir", 40, "abandoned", caller_number="+335"),
        call("a1", MOREAU, 3600, caller_number="+331", bridged_at=at(3630)),
        call("a2", MOREAU, 7200, caller_number="+331", bridged_at=at(7230)),
        call("a3", LENOIR, 86400, caller_number="+335", bridged_at=at(86410)),
        call("a4", MOREAU, 8 * 86400, caller_number="+334", bridged_at=at(8 * 86400)),
    )
    await put(live, outgoing_calls, outgoing(1, "c2", 100, 110, 150))
    await put(
        live, follow_ups, {"call_id": "c2", "client": MOREAU, "at": at(640), "principal": "x", "result": "reached"}
    )

    moreau, lenoir = await read_abandoned(live, DAY, now=at(0))

    assert (moreau.client, moreau.abandoned, moreau.without_number) == (MOREAU, 4, 1)
    assert moreau.reached == {Reached.RANG_AGAIN: 1, Reached.CALLED_BACK: 1}
    assert (moreau.share_reached, moreau.after.max_seconds, moreau.after.mean_seconds) == (0.5, 3600, (3600 + 70) / 2)
    assert (lenoir.client, lenoir.reached) == (LENOIR, {Reached.RANG_AGAIN: 1})


async def test_handling(live: Database) -> None:
    """Talk, hold and wrap-up of calls that rang, and of callbacks apart; a wrap-up once, however often they spoke."""

    def leg(call_id: str, number: int, answered: float | None, over: float, purpose: str = "agent") -> dict[str, Any]:
        known = {"pbx": "pbx-1", "direction": "outgoing", "party": "anne", "cause": 16, "epoch": 1, "revision": 1}
        times = {"began_at": at(0), "answered_at": None if answered is None else at(answered), "ended_at": at(over)}
        talk = 0 if answered is None else over - answered - 5
        ids = {"leg_id": f"{call_id}/{number}", "call_id": call_id, "number": number, "purpose": purpose}
        return {**ids, **known, **times, "talk_seconds": talk, "hold_seconds": 5 if answered else 0}

    def wrap_up(call_id: str, began: float, over: float | None) -> dict[str, Any]:
        known = {"agent": "anne", "pbx": "pbx-1", "kind": "wrap_up", "phone": "anne", "reason": "", "ended_by": "time"}
        ended_at = None if over is None else at(over)
        return {
            "session_id": f"{call_id}-{began}",
            "call_id": call_id,
            "started_at": at(began),
            "ended_at": ended_at,
            **known,
        }

    had: dict[str, Any] = {"bridged_at": at(10)}
    visit = {"call_id": "c4", "position": 1, "queue": "medical", "entered_at": at(0), "offers": 1, "waiting_seconds": 0}
    alone = {**visit, "agent": "bea", "answered_at": at(10), "left_at": at(60), "outcome": "answered"}
    await put(live, queue_visits, alone, {**alone, "call_id": "c2", "agent": "anne"})
    await put(live, calls, call("c4", REUNION, 0, **had))
    await put(live, calls, call("c1", MOREAU, 0, **had), call("c2", LENOIR, 0, **had), call("c3", MOREAU, -86400))
    await put(
        live,
        legs,
        leg("c1", 1, 10, 70),
        leg("c1", 2, 75, 100),
        leg("c1", 3, None, 100),
        leg("c1", 4, 10, 100, "contact"),
        leg("c2", 1, 10, 30),
        leg("c3", 1, 10, 30),
    )
    await put(live, outgoing_calls, outgoing(1, "c9", 100, 110, 150))
    sessions = [wrap_up("c1", 100, 115), wrap_up("c2", 30, None), wrap_up("out-1", 150, 152), wrap_up("c1", 400, 500)]
    await put(live, agent_sessions, *sessions)

    payet, moreau, lenoir = sorted(
        await read_handling(live, DAY, now=at(90)), key=lambda one: [REUNION, MOREAU, LENOIR].index(one.client)
    )

    assert (payet.calls.conversations, payet.calls.talk_seconds) == (1, 50)
    assert lenoir.calls.conversations == 1

    assert (moreau.client, moreau.calls.conversations, moreau.calls.talk_seconds, moreau.calls.hold_seconds) == (
        *(MOREAU, 2),
        *(75, 10),
    )
    assert (moreau.calls.wrap_up_seconds, moreau.callbacks.talk_seconds, moreau.callbacks.wrap_up_seconds) == (
        15,
        40,
        2,
    )
    assert moreau.all.aht_seconds == (75 + 10 + 15 + 40 + 2) / 3
    assert (lenoir.client, lenoir.calls.wrap_up_seconds) == (LENOIR, 60)


async def test_days_are_everybodys_own_unless_a_zone_is_named(live: Database) -> None:
    """On Réunion Monday begins three hours before it does in Paris."""
    await put(live, calls, call("c1", REUNION, -12 * 3600, "abandoned"), call("c2", MOREAU, -12 * 3600, "abandoned"))

    own = await read_abandoned(live, DAY, now=at(0))
    in_paris = await read_abandoned(live, DAY, now=at(0), zone=ZoneInfo("Europe/Paris"))
    there = await read_abandoned(live, DAY, now=at(0), zone=ZoneInfo("Indian/Reunion"))

    assert [one.client for one in own] == [REUNION]
    assert in_paris == []
    assert [one.client for one in there] == [MOREAU, REUNION]
    with pytest.raises(ValueError, match="ends before it begins"):
        await read_abandoned(live, Period.between(at(5), at(0)), now=at(0))
