"""Ready-made answers: what a tree comes to when nobody decides, and how Asterisk's dialplan reads it."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from callrouter.asterisk.alone.ready_made import ANSWERS, DAYS_AHEAD, FALLBACKS, MOST_BYTES, TIMES, id_of, ready_made
from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.nodes import HangupNode
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.questions.alone import AloneBy
from tests.asterisk.alone.practice import PRACTICE, at
from tests.asterisk.engine_room import DID, plan_of


def _resolved(plan: Plan, made_at: str, when: str) -> str:
    """As extensions.conf does it."""
    made = ready_made(plan, at(made_at))
    told = made.of_numbers[DID][FALLBACKS, ""]
    if not told.startswith("at:"):
        return told
    first, ids, changes = made.shared[TIMES, told.removeprefix("at:")].split("|")
    minute = at(when).timestamp() // 60 - int(first)
    nth = 1
    for change in changes.split("&"):
        after, _, then = change.partition("-")
        if int(after) > minute:
            break
        nth = int(then)
    return made.shared[ANSWERS, ids.split("&")[nth - 1]]


def test_every_quarter_of_two_weeks_is_published_as_it_is_decided() -> None:
    """Also where the clocks change: 2026-10-25 in Europe."""
    alone = AloneBy(PRACTICE, DID)
    made = ready_made(PRACTICE, at("2026-10-17 00:00"))
    first, ids, changes = made.shared[TIMES, "test"].split("|")
    held = [change.partition("-") for change in changes.split("&")]
    for quarter in range(14 * 96):
        when = at("2026-10-17 00:00") + timedelta(minutes=15 * quarter)
        minute = int(when.timestamp()) // 60 - int(first)
        nth = next(int(then) for after, _, then in reversed(held) if int(after) <= minute)
        answer = made.shared[ANSWERS, ids.split("&")[nth - 1]]
        ready = alone.at(when)
        assert answer.split(":")[0] == ready.does, when
        assert ready.whom in answer


@pytest.mark.parametrize(("day", "zone"), [("2026-10-25", "Europe/Paris"), ("2026-03-29", "Europe/Paris")])
def test_hours_around_the_change_of_the_clocks_are_right_to_the_minute(day: str, zone: str) -> None:
    """A night watch from 02:30 to 03:30 by the wall clock, which shows 02:30 twice, or not at all."""
    night = (TimeRange(start=time(2, 30), end=time(3, 30)),)
    watch = Schedule(name="open", timezone=zone, week=(night,) * 7)
    plan = replace(PRACTICE, schedules={"open": watch})
    alone = AloneBy(plan, DID)
    for minute in range(6 * 60):
        when = at(f"{day} 00:00") + timedelta(minutes=minute)
        answer = _resolved(plan, f"{day} 00:00", when.replace(tzinfo=None).isoformat(" "))
        assert answer.split(":")[0] == alone.at(when).does, when


def test_after_the_two_weeks_the_declared_fallback_has_them() -> None:
    """An engine that is away for so long cannot know."""
    assert _resolved(PRACTICE, "2026-06-06 00:00", "2026-06-20 23:00") == "message:120:0:night:silence/1"
    assert _resolved(PRACTICE, "2026-06-06 00:00", "2026-06-21 00:00") == "queue:reception"


def test_a_year_of_many_changes_is_cut_where_there_is_no_more_room() -> None:
    """And then says the declared fallback, not what was right last."""
    ranges = tuple(TimeRange(start=time(hour), end=time(hour, 30)) for hour in range(24))
    busy = replace(PRACTICE, schedules={"open": Schedule(name="open", timezone="Europe/Paris", week=(ranges,) * 7)})
    made = ready_made(busy, at("2026-06-06 00:00"))

    assert len(made.shared[TIMES, "test"]) <= MOST_BYTES
    minutes = int(made.shared[TIMES, "test"].rpartition("&")[2].partition("-")[0])
    assert timedelta(days=2) < timedelta(minutes=minutes) < timedelta(days=DAYS_AHEAD)
    assert _resolved(busy, "2026-06-06 00:00", "2026-06-20 10:45") == "queue:reception"


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
