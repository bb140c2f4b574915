"""Agents' figures are what the record says, for each day by its own clocks, and however long something lasted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from callrouter.core.call import OfferOutcome
from callrouter.periods import Period, Step
from callrouter.store.agents.figures import AgentFigures, AgentsFigures, read_agents
from callrouter.store.agents.rows import WorkBy
from callrouter.store.database import Database
from callrouter.store.gaps import close_gaps, open_gap
from callrouter.store.tables import agent_sessions, calls, holds, legs, offers, outgoing_calls, queue_visits

PARIS = ZoneInfo("Europe/Paris")
SATURDAY = datetime(2026, 10, 24, tzinfo=PARIS).astimezone(UTC)
"""On Sunday the clocks of Paris go back: it has 25 hours."""
TUESDAY = datetime(2026, 10, 27, tzinfo=PARIS).astimezone(UTC)
THREE_DAYS = Period.between(SATURDAY, TUESDAY)
CLIENTS = ("cabinet-moreau", "etude-lenoir")
QUEUES = ("legal", "medical")
PBXS = ("pbx-1", "pbx-2")
MINUTE = timedelta(minutes=1)

Rows = dict[str, list[dict[str, Any]]]


def at(minute: int) -> datetime:
    """So many minutes after Saturday began."""
    return SATURDAY + minute * MINUTE


def call(call_id: str, client: str) -> dict[str, Any]:
    """The row of a call, as far as an agent's figures know it."""
    empty = {"plan_version": "1", "did": "", "caller_name": "", "presentation": "allowed", "disposition": "answered"}
    known = {"waiting_seconds": 0, "talk_seconds": 0, "node_path": "", "variables": {}, "trace": {}}
    return {"call_id": call_id, "client": client, "ringing_at": SATURDAY, "ended_at": SATURDAY, **empty, **known}


def leg(call_id: str, agent: str, began: int, over: int | None, *, number: int = 1, **fields: Any) -> dict[str, Any]:
    """A conversation of whole minutes, answered at once."""
    known = {"purpose": "agent", "direction": "outgoing", "pbx": "pbx-1", "talk_seconds": 0.0, "hold_seconds": 0.0}
    ended_at = None if over is None else at(over)
    times = {"began_at": at(began), "answered_at": at(began), "ended_at": ended_at, "cause": 16, "epoch": 1}
    ids = {"leg_id": f"{call_id}/{number}", "call_id": call_id, "number": number, "party": agent, "revision": 1}
    return {**known, **times, **ids, **fields}


def session(agent: str, kind: str, began: int, over: int | None, pbx: str = "pbx-1", **fields: Any) -> dict[str, Any]:
    """A session of whole minutes."""
    ended_at = None if over is None else at(over)
    known = {"phone": agent, "reason": "", "call_id": None, "ended_by": "agent" if over is not None else ""}
    key = f"{began:06}-{kind}-{agent}-{pbx}-{over}-{fields.get('call_id')}"
    times = {"session_id": key, "started_at": at(began), "ended_at": ended_at}
    return {"agent": agent, "kind": kind, "pbx": pbx, **known, **times, **fields}


def visit(call_id: str, queue: str, agent: str, answered: int) -> dict[str, Any]:
    """A stay in a queue that an agent answered."""
    known = {"position": 1, "offers": 1, "waiting_seconds": 0, "outcome": "answered", "pbx": "pbx-1"}
    times = {"entered_at": at(answered - 1), "answered_at": at(answered)}
    return {"call_id": call_id, "queue": queue, "agent": agent, **known, **times}


def offer(call_id: str, number: int, agent: str, queue: str, began: int, outcome: str | None) -> dict[str, Any]:
    """A ring."""
    known = {"cause": 0, "epoch": 1, "revision": 1, "began_at": at(began), "ended_at": None}
    return {"call_id": call_id, "number": number, "agent": agent, "queue": queue, "outcome": outcome, **known}


def outgoing(number: int, agent: str, rung: int, answered: int | None, over: int | None) -> dict[str, Any]:
    """A call that an agent took to call somebody back."""
    ids = {"outgoing_id": f"out-{number}", "call_id": f"asked-{number}", "position": 1, "client": CLIENTS[number % 2]}
    known = {"purpose": "callback", "number": "+33612340001", "shown": "", "queue": QUEUES[number % 2], "epoch": 1}
    times = {"turn_at": at(rung - 5), "placed_at": at(rung - 5), "rung_at": at(rung), "pbx": "pbx-1", "agent": agent}
    ends = {
        "answered_at": None if answered is None else at(answered),
        "ended_at": None if over is None else at(over),
        "outcome": None if over is None else "answered" if answered else "no_answer",
    }
    return {**ids, **known, **times, **ends}


async def put(database: Database, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write rows, by table."""
    tables = (calls, queue_visits, offers, legs, holds, agent_sessions, outgoing_calls)
    async with database.connection() as connection:
        for table in tables:
            if rows.get(table.name):
                await connection.execute(insert(table), list(rows[table.name]))


async def figures(database: Database, **asked: Any) -> AgentsFigures:
    """Of the three days, in Paris, asked when they were over."""
    return await read_agents(database, THREE_DAYS, **{"now": at(100_000), "zone": PARIS, **asked})


def _random_rows(random: Random) -> Rows:
    """Weeks of two agents, in minutes: short and long, across midnights, and at two PBXs."""
    rows: Rows = defaultdict(list)
    for number in range(120):
        agent, began = random.choice(["anne", "bea"]), random.randrange(-3000, 5000)
        long = random.choice([0, 1, 5, 20, 59, 61, 500, 2000] if random.random() < 0.2 else [1, 3, 8])
        call_id = f"call-{number:04}"
        rows["calls"].append(call(call_id, CLIENTS[number % 2]))
        held = long // 3
        rows["legs"].append(leg(call_id, agent, began, began + long, hold_seconds=held * 60.0))
        if random.random() < 0.1:
            rows["legs"].append(leg(call_id, agent, began + long, began + long + 2, number=2, purpose="consultation"))
        if held:
            times = {"began_at": at(began + 1), "ended_at": at(began + 1 + held)}
            rows["holds"].append(
                {"leg_id": f"{call_id}/1", "number": 1, "call_id": call_id, "epoch": 1, "revision": 1, **times}
            )
        if random.random() < 0.8:
            rows["queue_visits"].append(visit(call_id, QUEUES[number % 2], agent, began))
        if random.random() < 0.5:
            rows["agent_sessions"].append(
                session(agent, "wrap_up", began + long, began + long + 2, call_id=call_id, pbx=random.choice(PBXS))
            )
        for place in range(random.randrange(3)):
            outcome = random.choice([None, *OfferOutcome])
            rows["offers"].append(offer(call_id, place, agent, QUEUES[number % 2], began - place, outcome))
    for agent in ("anne", "bea"):
        for pbx in PBXS:
            now = -6000
            while now < 5000:
                long = random.choice([30, 200, 480, 3000])
                over = None if now + long > 4300 else now + long
                rows["agent_sessions"].append(session(agent, "login", now, over, pbx))
                pause = now + random.randrange(long)
                rows["agent_sessions"].append(
                    session(agent, "pause", pause, pause + random.choice([5, 30, 90]), pbx, reason=f"{pause % 2}")
                )
                now += long + random.choice([10, 700])
    for number in range(20):
        rung = random.randrange(-100, 4500)
        answered = None if number % 3 == 0 else rung + random.randrange(3)
        rows["outgoing_calls"].append(outgoing(number, "anne", rung, answered, rung + random.choice([4, 30])))
    return rows


def _at_each_minute(rows: Rows, agent: str, begins: datetime, ends: datetime) -> Counter[Any]:
    """What somebody sees who looks every minute, in seconds."""

    def theirs(table: str, who: str = "agent") -> list[dict[str, Any]]:
        return [row for row in rows[table] if row[who] == agent]

    def lasting(row: Mapping[str, Any], began: str, now: datetime) -> bool:
        return row[began] is not None and row[began] <= now and (row["ended_at"] is None or now < row["ended_at"])

    seen = Counter[Any]()
    sessions = theirs("agent_sessions")
    now = begins
    while now < ends:
        talks = [row for row in theirs("legs", "party") if lasting(row, "began_at", now) and row["purpose"] == "agent"]
        asked = [row for row in theirs("legs", "party") if lasting(row, "began_at", now) and row not in talks]
        placed = [row for row in theirs("outgoing_calls") if lasting(row, "rung_at", now)]
        called = [row for row in placed if row["answered_at"] is not None and row["answered_at"] <= now]
        on_hold = {row["leg_id"] for row in rows["holds"] if lasting(row, "began_at", now)}
        for row in talks:
            seen["hold" if row["leg_id"] in on_hold else "talk"] += 60
        seen["talk"] += 60 * len(called)
        lasts = [row for row in sessions if lasting(row, "started_at", now)]
        after = [row for row in lasts if row["kind"] == "wrap_up"]
        seen["wrap_up"] += 60 * len(after)
        pbxs = {row["pbx"] for row in lasts if row["kind"] == "login"}
        away = {row["pbx"] for row in lasts if row["kind"] != "login"}
        if pbxs:
            seen["logged_in"] += 60
            if talks or called:
                pass
            elif asked or placed:
                seen["other"] += 60
            elif after:
                pass
            elif pbxs - away:
                seen["available"] += 60
            else:
                pauses = [row for row in lasts if row["kind"] == "pause"]
                seen["pause", max(pauses, key=lambda row: row["started_at"])["reason"]] += 60
        now += MINUTE
    answered = [row["answered_at"] for row in theirs("legs", "party") if row["purpose"] == "agent"]
    answered += [row["answered_at"] for row in theirs("outgoing_calls") if row["answered_at"] is not None]
    seen["conversations"] = sum(begins <= one < ends for one in answered)
    for row in theirs("offers"):
        seen["offer", row["outcome"]] += begins <= row["began_at"] < ends
    return +seen


def _said(one: AgentFigures) -> Counter[Any]:
    work, time = one.work, one.time
    said: dict[Any, float] = {
        "conversations": work.conversations,
        "talk": work.talk_seconds,
        "hold": work.hold_seconds,
        "wrap_up": work.wrap_up_seconds,
        "logged_in": time.logged_in_seconds,
        "available": time.available_seconds,
        "other": time.other_seconds,
        **{("offer", outcome): count for outcome, count in work.offers.items()},
        **{("pause", reason): seconds for reason, seconds in time.paused_seconds.items()},
    }
    return +Counter[Any]({name: round(value) for name, value in said.items()})


@pytest.mark.parametrize("seed", range(3))
async def test_days_are_what_somebody_sees_who_looks_every_minute(database: Database, seed: int) -> None:
    """Across midnights and a day of 25 hours, at two PBXs, whatever overlaps, and told apart or not."""
    rows = _random_rows(Random(seed))
    await put(database, rows)

    found = await figures(database, step=Step.DAY)
    by_client = await figures(database, step=Step.DAY, by=WorkBy.CLIENT)
    by_queue = await figures(database, by=WorkBy.QUEUE, agents=["bea", "anne"])

    days = {(one.agent, one.from_at): one for one in found.agents}
    lengths = [one.to_at.astimezone(UTC) - one.from_at.astimezone(UTC) for one in found.agents if one.agent == "anne"]
    assert [length // timedelta(hours=1) for length in lengths] == [24, 25, 24]
    for (agent, begins), one in days.items():
        assert _said(one) == _at_each_minute(rows, agent, begins.astimezone(UTC), one.to_at.astimezone(UTC))
    assert {(one.agent, one.from_at): _said(one) for one in by_client.agents} == {
        key: _said(one) for key, one in days.items()
    }
    for whole in by_queue.totals:
        assert _said(whole) == sum((_said(one) for one in found.agents if one.agent == whole.agent), Counter())
        assert set(whole.by) == {*QUEUES, None}
        assert sum(one.conversations for one in whole.by.values()) == whole.work.conversations
        assert sum(one.handle_seconds for one in whole.by.values()) == pytest.approx(whole.work.handle_seconds)


async def test_work_is_told_apart_by_client_and_by_queue(database: Database) -> None:
    """A conversation and its wrap-up are of the call's client and of the queue whose caller they answered; so is what
    follows a callback. A caller whom a colleague handed over comes from no queue."""
    rows: Rows = {
        "calls": [call("c1", "cabinet-moreau"), call("c2", "etude-lenoir")],
        "queue_visits": [visit("c1", "medical", "anne", 10)],
        "legs": [leg("c1", "anne", 10, 14), leg("c2", "anne", 20, 21)],
        "agent_sessions": [
            session("anne", "wrap_up", 14, 15, call_id="c1"),
            session("anne", "wrap_up", 21, 23, call_id="c2"),
            session("anne", "wrap_up", 36, 40, call_id="out-1"),
        ],
        "offers": [offer("c1", 1, "anne", "medical", 9, "answered"), offer("c1", 2, "anne", "legal", 2, "refused")],
        "outgoing_calls": [outgoing(1, "anne", 30, 31, 36)],
    }
    await put(database, rows)

    clients = (await figures(database, by=WorkBy.CLIENT)).totals[0].by
    queues = (await figures(database, by=WorkBy.QUEUE)).totals[0].by

    assert {client: (one.conversations, one.handle_seconds / 60, one.offered) for client, one in clients.items()} == {
        "cabinet-moreau": (1, 5, 2),
        "etude-lenoir": (2, 1 + 2 + 5 + 4, 0),
    }
    assert {queue: (one.conversations, one.handle_seconds / 60, one.missed) for queue, one in queues.items()} == {
        "legal": (0, 0, 1),
        "medical": (2, 5 + 9, 0),
        None: (1, 3, 0),
    }


async def test_of_a_call_that_no_engine_had_there_is_the_visit_alone(database: Database) -> None:
    """It is a conversation all the same; one that has a leg is no second one, whatever two clocks say."""
    later = {**visit("c2", "legal", "anne", 60), "answered_at": at(60) + timedelta(seconds=1), "left_at": at(65)}
    rows: Rows = {
        "calls": [call("c1", "cabinet-moreau"), call("c2", "etude-lenoir")],
        "queue_visits": [{**visit("c1", "medical", "anne", 10), "left_at": at(14)}, later],
        "legs": [leg("c2", "anne", 60, 65)],
    }
    await put(database, rows)

    by_client = (await figures(database, by=WorkBy.CLIENT)).totals[0].by
    by_queue = (await figures(database, by=WorkBy.QUEUE)).totals[0].by

    found = {name: (one.conversations, one.talk_seconds / 60) for name, one in by_client.items()}
    assert found == {"cabinet-moreau": (1, 4), "etude-lenoir": (1, 5)}
    assert by_queue["medical"].conversations == 1


async def test_what_lasts_has_lasted_until_now(database: Database) -> None:
    """A log-in that goes on, one of weeks ago too, counts until somebody asks; tomorrow is not known yet."""
    await put(database, {"agent_sessions": [session("anne", "login", -40_000, None)]})

    found = await figures(database, now=at(90))

    assert (found.totals[0].time.logged_in_seconds, found.totals[0].time.available_seconds) == (5400, 5400)
    assert found.totals[0].occupancy == 0


async def test_a_session_whose_end_nobody_saw_is_beside_its_gap(database: Database) -> None:
    """An engine that was killed closes it late: the figures say of which time that is."""
    await put(database, {"agent_sessions": [session("anne", "login", 0, 60, ended_by="unseen")]})
    await open_gap(database, at(30), "the engine ended without a farewell")
    await close_gaps(database, at(60))

    found = await figures(database)

    assert found.totals[0].time.logged_in_seconds == 3600
    assert [(gap.from_at, gap.until_at) for gap in found.gaps] == [(at(30), at(60))]


async def test_nobody_is_there(database: Database) -> None:
    """No agents, or none of that name, and a period that ends before it begins."""
    assert (await figures(database)).agents == []
    assert (await figures(database, agents=["nobody"])).totals == []
    with pytest.raises(ValueError, match="ends before it begins"):
        await read_agents(database, Period.between(TUESDAY, SATURDAY), now=at(0))
