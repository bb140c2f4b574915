"""Ready-made answers: what a tree comes to when nobody decides, and how Asterisk's dialplan reads it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from callrouter.asterisk.alone.ready_made import ANSWERS, FALLBACKS, MOST_BYTES, TIMES, ReadyMade, id_of, ready_made
from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.fallback import Alone, Ready
from callrouter.core.nodes import HangupNode
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.questions.alone import DAYS_AHEAD, AloneBy
from tests.asterisk.alone.as_asterisk import followed
from tests.asterisk.alone.practice import PRACTICE, at
from tests.asterisk.engine_room import DID, plan_of


def _resolved(made: ReadyMade, when: datetime) -> str:
    """As extensions.conf does it."""
    return followed({**made.shared, (FALLBACKS, DID): made.of_numbers[DID][FALLBACKS, ""]}, DID, "", "", when)


def _head(ready: Ready) -> str:
    """The beginning of an answer: what is done, and with what queue or number."""
    return ready.does if ready.does is Alone.MESSAGE else str(ready)


def test_every_quarter_of_two_weeks_is_published_as_it_is_decided() -> None:
    """Also where the clocks change: 2026-10-25 in Europe."""
    alone = AloneBy(PRACTICE, DID)
    made = ready_made(PRACTICE, at("2026-10-17 00:00"))
    for quarter in range(14 * 96):
        when = at("2026-10-17 00:00") + timedelta(minutes=15 * quarter)
        assert _resolved(made, when).startswith(_head(alone.at(when))), when


@pytest.mark.parametrize(("day", "zone"), [("2026-10-25", "Europe/Paris"), ("2026-03-29", "Europe/Paris")])
def test_hours_around_the_change_of_the_clocks_are_right_to_the_minute(day: str, zone: str) -> None:
    """A night watch from 02:30 to 03:30 by the wall clock, which shows 02:30 twice, or not at all."""
    night = (TimeRange(start=time(2, 30), end=time(3, 30)),)
    watch = Schedule(name="open", timezone=zone, week=(night,) * 7)
    plan = replace(PRACTICE, schedules={"open": watch})
    alone, made = AloneBy(plan, DID), ready_made(plan, at(f"{day} 00:00"))
    for minute in range(6 * 60):
        when = at(f"{day} 00:00") + timedelta(minutes=minute)
        assert _resolved(made, when).startswith(_head(alone.at(when))), when


def test_after_the_two_weeks_the_declared_fallback_has_them() -> None:
    """An engine that is away for so long cannot know."""
    made = ready_made(PRACTICE, at("2026-06-06 00:00"))

    assert _resolved(made, at("2026-06-20 23:00")) == "message:120:0:night:silence/1"
    assert _resolved(made, at("2026-06-21 00:00")) == "queue:reception"


def test_of_many_changes_none_is_left_out() -> None:
    """They go on in more values, each of which Asterisk can read whole."""
    ranges = tuple(TimeRange(start=time(hour), end=time(hour, 30)) for hour in range(24))
    busy = replace(PRACTICE, schedules={"open": Schedule(name="open", timezone="Europe/Paris", week=(ranges,) * 7)})
    made = ready_made(busy, at("2026-06-06 00:00"))
    alone = AloneBy(busy, DID)
    values = [value for (family, _), value in made.shared.items() if family == TIMES]

    assert len(values) > 3
    assert max(len(value) for value in values) <= MOST_BYTES
    for hour in range(24 * DAYS_AHEAD):
        for minute in (0, 29, 30, 59):
            when = at("2026-06-06 00:00") + timedelta(hours=hour, minutes=minute)
            assert _resolved(made, when).startswith(_head(alone.at(when))), when
    assert _resolved(made, at("2026-06-21 00:15")) == "queue:reception"


def test_of_too_many_sounds_the_last_ones_are_said() -> None:
    """A value has 900 bytes."""
    many = tuple(Sound(file=f"callrouter/spoken/{number:060}", seconds=1.0) for number in range(30))
    plan = plan_of(HangupNode(name="bye", sounds=many))
    told = ready_made(plan, at("2026-06-06 00:00")).of_numbers[DID][FALLBACKS, ""]

    assert len(told) <= MOST_BYTES
    assert told.endswith(many[-1].file)


def test_clients_share_answers_and_an_answer_never_changes() -> None:
    """Its key is its digest."""
    made = ready_made(PRACTICE, at("2026-06-01 00:00"))

    assert {key: text for (family, key), text in made.shared.items() if family == ANSWERS} == {
        id_of(text): text
        for text in ("queue:reception", "message:120:0:night:silence/1", "number:+33199000099", "closed:vm-goodbye")
    }
