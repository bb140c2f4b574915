"""Callers hang up whenever they like: each call has exactly one row, and nothing is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.demo import stories
from deploy.demo.caller import HangUp, Press, Step, UntilSound, Wait

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

# Before the answer, around it, in the prompt, around the key and the queue's entry, while agents' phones ring.
BEFORE_ANSWER = (0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08)
IN_PROMPT = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0)
AFTER_KEY = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5)
EARLY = {"left_early"}
QUEUED = {"abandoned", "answered", "left_early"}


def sweep(town: Town, did: str, scripts: list[tuple[Step, ...]], allowed: set[str], *, from_answer: bool) -> None:
    callers = [town.somebody() for _ in scripts]
    outcomes = town.together(
        [
            town.calling(did, *script, caller=caller, from_answer=from_answer, seconds=30.0)
            for script, caller in zip(scripts, callers, strict=True)
        ],
        apart_seconds=0.1,
    )
    assert [outcome.trouble or outcome.complaints for outcome in outcomes if not outcome.went_well] == []
    assert town.nobody_is_left()
    for caller in callers:
        # Also a caller who cancels before AGI() is reached: the hangup handler's row is collected within seconds.
        rows = town.rows_of(caller, count=1)
        assert len(rows) == 1, f"{len(rows)} rows for one call"
        assert rows[0]["disposition"] in allowed, town.detail(rows[0]["call_id"])["explanation"]


def test_hanging_up_before_and_around_the_answer(town: Town) -> None:
    sweep(town, stories.MOREAU, [(Wait(at), HangUp()) for at in BEFORE_ANSWER], EARLY, from_answer=False)


def test_hanging_up_in_a_prompt(town: Town) -> None:
    sweep(town, stories.MOREAU, [(Wait(at), HangUp()) for at in IN_PROMPT], EARLY, from_answer=True)


def test_hanging_up_around_the_queue(town: Town) -> None:
    scripts: list[tuple[Step, ...]] = [(UntilSound(), Wait(0.5), Press("2"), Wait(at), HangUp()) for at in AFTER_KEY]
    sweep(town, stories.MOREAU, scripts, QUEUED, from_answer=True)


def test_hanging_up_around_a_dial(town: Town) -> None:
    scripts: list[tuple[Step, ...]] = [(UntilSound(), Wait(0.5), Press("1"), Wait(at), HangUp()) for at in AFTER_KEY]
    sweep(town, stories.MOREAU, scripts, QUEUED, from_answer=True)


def test_hanging_up_around_a_recording(town: Town, told: dict[str, object]) -> None:
    """The beep comes some twelve seconds after the answer; a message too short to say anything is none."""
    scripts: list[tuple[Step, ...]] = [(Wait(at), HangUp()) for at in (10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5)]
    sweep(town, stories.LENOIR, scripts, {"left_early", "message_left"}, from_answer=True)
