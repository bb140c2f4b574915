"""A clock that is set in the middle of a call: what it lasted stays true, and it has one record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs

from callrouter.core import engine, state
from callrouter.core.books.redating import redated
from callrouter.core.call import Call, Disposition, replace
from callrouter.core.inputs import AgentAnswered, AgentOffered, CallerHungUp, Input, LegHeard, LegSign
from tests.core.books.test_offers import CALL, PLAN, answered, gone, rung, sign

RANG, UNANSWERED, CANCELLED, HUNG_UP, ENDED, HELD, RESUMED = LegSign
STORY: list[Input] = [rung(), sign(RANG, 1.1), answered(6), sign(HELD, 20), sign(RESUMED, 26), gone(60)]


def later(one: Input, by: timedelta) -> Input:
    """The same, dated by a clock that was set."""
    assert isinstance(one, AgentAnswered | AgentOffered | LegHeard | CallerHungUp)
    return structs.replace(one, at=one.at + by)


def lived(set_after: int | None, by: timedelta) -> Call:
    """The story, with a clock that is set after so many of its events."""
    call = CALL
    for place, one in enumerate(STORY):
        if place == set_after:
            call = redated(call, by)
        call = engine.step(PLAN, call, one if set_after is None or place < set_after else later(one, by)).call
    return call


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("set_after", range(len(STORY)))
def test_what_it_lasted_stays_true(set_after: int, hours: int) -> None:
    """Wait, ring, talk and hold are those of a call in which nobody touched the clock; it is that call, an hour on."""
    by = timedelta(hours=hours)
    plain, call = lived(None, by), lived(set_after, by)
    ended_at = call.clocks.ended_at
    assert ended_at is not None

    assert call.disposition is plain.disposition is Disposition.ANSWERED
    assert (call.waiting_seconds(ended_at), call.talk_seconds()) == (6.0, 48.0)
    assert [one.ring_seconds() for one in call.offers] == [one.ring_seconds() for one in plain.offers]
    assert [(one.talk_seconds(), one.hold_seconds) for one in call.legs] == [
        (one.talk_seconds(), one.hold_seconds) for one in plain.legs
    ]
    assert call.revision > plain.revision
    assert redated(plain, by).clocks == call.clocks


def test_nothing_is_left_behind() -> None:
    """Every instant of a call moves: its state, which holds the others after the ring, is the same but for the ring."""
    by = timedelta(hours=1)
    call = engine.step(PLAN, engine.step(PLAN, CALL, rung()).call, sign(RANG, 1.1)).call
    again = state.decode(PLAN, state.encode(PLAN, redated(call, by)))

    assert again.clocks.ringing_at == call.clocks.ringing_at + by
    assert again.offers == redated(call, by).offers
    assert replace(redated(redated(call, by), -by), revision=call.revision) == call
