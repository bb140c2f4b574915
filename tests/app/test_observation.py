"""Gaps in observation are declared in order, once each, and closed by the next log-in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from callrouter.app import observation as observation_module
from callrouter.app.observation import Observation
from callrouter.errors import DatabaseUnreachable
from callrouter.runtime.tasks import Tasks
from callrouter.store.gaps import KILLED_REASON, SILENT_REASON, beat, gaps_between

if TYPE_CHECKING:
    from callrouter.store.database import Database

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


async def test_a_link_that_goes_and_comes_leaves_one_gap(database: Database) -> None:
    """However often the way down is told."""
    observation = Observation(database, now=lambda: after(0))
    observation.begins(after(0))
    observation.ends(after(10), "the link is down")
    observation.ends(after(11), "connection refused")
    observation.begins(after(25))
    await observation.flush()

    (gap,) = await gaps_between(database, after(0), after(100))
    assert (after(10), after(25), "the link is down") == (gap.from_at, gap.until_at, gap.reason)


async def test_gaps_that_wait_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a link that flaps while PostgreSQL is away, one is declared too long rather than none."""
    monkeypatch.setattr(observation_module, "MOST_WAITING", 5)
    observation = Observation(database, now=lambda: after(0))
    for second in range(0, 100, 10):
        observation.begins(after(second))
        observation.ends(after(second + 5), f"down at {second + 5}")
    observation.begins(after(100))
    await observation.flush()

    found = [(gap.from_at, gap.until_at) for gap in await gaps_between(database, after(0), after(200))]
    assert found == [(after(5), after(90)), (after(95), after(100))]


async def test_the_next_engine_closes_the_gap_of_the_last(database: Database) -> None:
    """The stop of one engine, the start of another."""
    first = Observation(database, now=lambda: after(0))
    first.begins(after(0))
    first.ends(after(10), "the engine was stopped")
    await first.flush()
    second = Observation(database, now=lambda: after(0))
    second.begins(after(70))
    await second.flush()

    (gap,) = await gaps_between(database, after(0), after(100))
    assert after(70) == gap.until_at


async def test_nothing_is_declared_before_the_first_log_in(database: Database) -> None:
    """An engine that has never watched has lost sight of nothing."""
    observation = Observation(database, now=lambda: after(0))
    observation.ends(after(0), "nobody answers")
    await observation.flush()

    assert await gaps_between(database, after(0), after(100)) == []


async def watch(observation: Observation, seconds: float) -> None:
    """Its task, for a while; then it is killed."""
    tasks = Tasks()
    tasks.start(observation.run(), "observation")
    await asyncio.sleep(seconds)
    await tasks.stop()


async def test_an_engine_that_was_killed_leaves_a_gap(database: Database) -> None:
    """From its last beat to the next log-in, once; its own first beat does not hide it."""
    first = Observation(database, lambda: after(40), beat_seconds=0.05)
    first.begins(after(0))
    await watch(first, 0.5)
    second = Observation(database, lambda: after(90), beat_seconds=0.05)
    second.begins(after(90))
    await watch(second, 0.5)

    (gap,) = await gaps_between(database, after(0), after(100))
    assert (gap.from_at, gap.until_at, gap.reason) == (after(40), after(90), KILLED_REASON)


async def test_an_engine_that_was_killed_without_a_link_leaves_the_gap_it_declared(database: Database) -> None:
    """It was deaf before it died: from then on, not from its last beat on."""
    first = Observation(database, lambda: after(9))
    first.begins(after(0))
    first.ends(after(10), "the link is down")
    await watch(first, 0.2)
    second = Observation(database, lambda: after(90))
    second.begins(after(90))
    await second.flush()

    (gap,) = await gaps_between(database, after(0), after(100))
    assert (gap.from_at, gap.until_at, gap.reason) == (after(10), after(90), "the link is down")


async def test_whoever_asks_before_the_next_engine_starts_is_told(database: Database) -> None:
    """Nobody has declared it yet, and zero calls would be a lie."""
    await beat(database, after(50))
    assert await gaps_between(database, after(0), after(100)) == []
    async with database.connection() as connection:
        await connection.execute(text("UPDATE beats SET written_at = now() - interval '1 minute'"))

    (gap,) = await gaps_between(database, after(0), after(100))
    assert (gap.from_at, gap.until_at, gap.reason) == (after(50), None, SILENT_REASON)
    assert await gaps_between(database, after(0), after(50)) == []


async def test_postgresql_that_is_away_ends_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats are left out, and go on afterwards."""
    beats: list[datetime] = []

    async def no_beat(of: Database, at: datetime, pbx: str) -> None:
        beats.append(at)
        if len(beats) < 3:
            raise DatabaseUnreachable("away")

    monkeypatch.setattr("callrouter.app.observation.beat", no_beat)
    observation = Observation(database, lambda: after(1), beat_seconds=0.02)
    observation.begins(after(0))
    await watch(observation, 0.5)

    assert len(beats) > 3


async def test_each_pbx_has_its_own_gaps(database: Database) -> None:
    """One engine's log-in ends no other's gap, and whoever is silent is named."""
    paris, lyon = (Observation(database, lambda: after(1), pbx=name) for name in ("paris", "lyon"))
    for one in (paris, lyon):
        one.begins(after(0))
        one.ends(after(10), "the link is down")
        await one.flush()
    lyon.begins(after(20))
    await lyon.flush()

    found = {gap.pbx: gap.until_at for gap in await gaps_between(database, after(0), after(100))}
    assert found == {"paris": None, "lyon": after(20)}


async def test_what_lasts_goes_on_under_a_new_name(database: Database) -> None:
    """Sessions of agents and calls of ours that are not over; what is over keeps the name it was written under. It is
    said once, when PostgreSQL has it."""
    said: list[str] = []
    async with database.connection() as connection:
        for number, ended in ((1, "NULL"), (2, "now()")):
            await connection.execute(text(_SESSION.format(number=number, ended=ended)))
            await connection.execute(text(_OUTGOING.format(number=number, outcome="NULL" if number == 1 else "'busy'")))
    renamed = Observation(
        database, lambda: after(9), pbx="paris", formerly=["old", "pbx-1"], on_taken_up=lambda: said.append("taken up")
    )
    renamed.begins(after(9))
    renamed.ends(after(10), "gone")
    renamed.begins(after(11))
    await renamed.flush()

    async with database.connection() as connection:
        for table, key in (("agent_sessions", "session_id"), ("outgoing_calls", "outgoing_id")):
            found = (await connection.execute(text(f"SELECT pbx FROM {table} ORDER BY {key}"))).scalars()
            assert list(found) == ["paris", "pbx-1"], table
    assert said == ["taken up"]


_SESSION = (
    "INSERT INTO agent_sessions (session_id, agent, kind, phone, reason, ended_by, started_at, ended_at, pbx) "
    "VALUES ('s{number}', 'agent-1', 'login', 'p', '', '', now(), {ended}, 'pbx-1')"
)
_OUTGOING = (
    "INSERT INTO outgoing_calls (outgoing_id, purpose, call_id, position, client, number, shown, queue, turn_at, "
    "epoch, placed_at, outcome, pbx) VALUES ('o{number}', 'callback', 'c', 1, 'acme', '+33612340001', '', 'medical', "
    "now(), 1, now(), {outcome}, 'pbx-1')"
)


async def test_a_pbx_that_is_renamed_leaves_no_silent_one(database: Database) -> None:
    """The next engine takes up what was said under the name before."""
    await watch(_begun(Observation(database, lambda: after(5), beat_seconds=0.05)), 0.3)
    async with database.connection() as connection:
        await connection.execute(text("UPDATE beats SET written_at = now() - interval '1 minute'"))
    renamed = Observation(database, lambda: after(9), pbx="paris", formerly=["pbx-1"])
    renamed.begins(after(9))
    await renamed.flush()

    (gap,) = await gaps_between(database, after(0), after(100))
    assert (gap.pbx, gap.from_at, gap.until_at, gap.reason) == ("paris", after(5), after(9), KILLED_REASON)


def _begun(observation: Observation) -> Observation:
    observation.begins(after(0))
    return observation
