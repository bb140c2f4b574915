"""Gaps in observation are declared in order, once each, and closed by the next log-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from callrouter.app.observation import Observation
from callrouter.store.gaps import gaps_between

if TYPE_CHECKING:
    from callrouter.store.database import Database

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


async def test_a_link_that_goes_and_comes_leaves_one_gap(database: Database) -> None:
    """However often the way down is told."""
    observation = Observation(database)
    observation.begins(after(0))
    observation.ends(after(10), "the link is down")
    observation.ends(after(11), "connection refused")
    observation.begins(after(25))
    await observation.flush()

    (gap,) = await gaps_between(database, after(0), after(100))
    assert (after(10), after(25), "the link is down") == (gap.from_at, gap.until_at, gap.reason)


async def test_the_next_engine_closes_the_gap_of_the_last(database: Database) -> None:
    """The stop of one engine, the start of another."""
    first = Observation(database)
    first.begins(after(0))
    first.ends(after(10), "the engine was stopped")
    await first.flush()
    second = Observation(database)
    second.begins(after(70))
    await second.flush()

    (gap,) = await gaps_between(database, after(0), after(100))
    assert after(70) == gap.until_at


async def test_nothing_is_declared_before_the_first_log_in(database: Database) -> None:
    """An engine that has never watched has lost sight of nothing."""
    observation = Observation(database)
    observation.ends(after(0), "nobody answers")
    await observation.flush()

    assert await gaps_between(database, after(0), after(100)) == []
