"""A line as the record has it: who came in which half hour, what an answer took, and who was there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.call import QueueOutcome
from callrouter.staffing.line import plan_of
from callrouter.staffing.model import Target
from callrouter.store.agents.line import read_line
from callrouter.store.database import Database
from tests.store.agents.test_figures import at, call, leg, offer, put, session, visit

PARIS = ZoneInfo("Europe/Paris")
DAY = date(2026, 10, 24)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
NINE = 9 * 60


async def test_a_line_as_it_was(database: Database) -> None:
    """By when somebody began to wait; handled with hold and wrap-up; missed offers; who was there half of the time."""
    calls = [{**call(f"c{number}", "cabinet-moreau"), "ringing_at": at(NINE + number)} for number in range(3)]
    calls.append({**call("c9", "etude-lenoir"), "ringing_at": at(NINE)})
    gone = {**visit("c2", "medical", "anne", NINE + 3), "agent": None, "answered_at": None, "outcome": "abandoned"}
    rows = {
        "calls": calls,
        "queue_visits": [
            {**visit("c0", "medical", "anne", NINE + 1), "waiting_seconds": 60},
            {**visit("c1", "medical", "bea", NINE + 31), "waiting_seconds": 5},
            {**gone, "waiting_seconds": 42},
            visit("c9", "legal", "anne", NINE + 40),
        ],
        "legs": [
            leg("c0", "anne", NINE + 1, NINE + 4, talk_seconds=150.0, hold_seconds=30.0),
            leg("c1", "bea", NINE + 31, NINE + 32, talk_seconds=60.0),
        ],
        "offers": [
            {**offer("c0", 1, "bea", "medical", NINE, "rang_out"), "ended_at": at(NINE + 1)},
            {**offer("c0", 2, "anne", "medical", NINE + 1, "answered"), "ended_at": at(NINE + 1)},
            {**offer("c9", 1, "dora", "legal", NINE, "refused"), "ended_at": at(NINE)},
        ],
        "agent_sessions": [
            session("anne", "login", NINE, NINE + 15),
            session("anne", "wrap_up", NINE + 4, NINE + 5, call_id="c0"),
        ],
    }
    await put(database, rows)

    line = await read_line(database, [DAY], PARIS, now=NOW, queue="medical")
    theirs = await read_line(database, [DAY], PARIS, now=NOW, client="etude-lenoir")

    stays = sorted(line.stays, key=lambda one: one.seconds)
    assert [(one.slot, one.seconds, one.outcome, one.handled) for one in stays] == [
        (19, 5, QueueOutcome.ANSWERED, (60, 0)),
        (18, 42, QueueOutcome.ABANDONED, None),
        (18, 60, QueueOutcome.ANSWERED, (180, 60)),
    ]
    assert (line.offers, line.missed, line.pick_ups) == (2, 1, [0])
    assert line.there == pytest.approx({18: 0.5 + 1.0, 17: 0} | {slot: 0 for slot in range(48) if slot != 18})
    assert [one.slot for one in theirs.stays] == [19]


async def test_a_day_of_25_hours_has_two_half_hours_of_one_name(database: Database) -> None:
    """And nobody is there for more than all of them."""
    rows = {
        "calls": [{**call("c0", "cabinet-moreau"), "ringing_at": at(1440 + 10)}],
        "queue_visits": [visit("c0", "medical", "anne", 1440 + 11)],
        "offers": [offer("c0", 1, "anne", "medical", 1440 + 10, "answered")],
        "agent_sessions": [session("anne", "login", 1440, 1440 + 25 * 60)],
    }
    await put(database, rows)

    line = await read_line(database, [date(2026, 10, 25)], PARIS, now=NOW, queue="medical")

    assert {round(there, 6) for there in line.there.values()} == {1}
    assert len(line.there) == 48


async def test_nobody_came(database: Database) -> None:
    """There is no handle time, and so nothing that could be said."""
    line = await read_line(database, [DAY], PARIS, now=NOW, queue="medical")

    assert plan_of(line, Target()).rows == []
