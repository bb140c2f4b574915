"""What callers hear, compared with what should be played."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from callrouter.dialplan.folder.catalogue import unknown_plan
from callrouter.speech import Speech
from deploy.demo import g711, stories
from deploy.demo.caller import HangUp, Press, UntilSound, UntilTone, Wait
from deploy.demo.hearing import HEARD, find, heard, share_heard, spoken_part
from deploy.demo.stack import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from callrouter.core.plan import Plan
    from tests.acceptance.conftest import Told, Town

    Prompt = Callable[[str, str], g711.Pcm]


@pytest.mark.parametrize(
    ("story", "client", "node"),
    [
        ("silent", "cabinet-moreau", "welcome"),
        ("unwanted", "cabinet-moreau", "refuse"),
        ("message", "etude-lenoir", "night"),
        ("message", "etude-lenoir", "take_message/ask"),
        ("message_hash", "etude-lenoir", "take_message/bye"),
        ("withheld", "etude-lenoir", "screening/ask"),
        ("opening_times", "brighton-books", "times"),
        ("opening_times", "brighton-books", "thanks"),
        ("returns", "brighton-books", "take_message/ask"),
    ],
)
def test_caller_hears_the_whole_prompt(
    told: dict[str, Told], prompt: Prompt, story: str, client: str, node: str
) -> None:
    assert share_heard(told[story].outcome.heard, spoken_part(prompt(client, node))) > HEARD


@pytest.mark.parametrize(
    ("story", "client", "node"),
    [
        ("vip", "cabinet-moreau", "welcome"),
        ("unwanted", "cabinet-moreau", "welcome"),
        ("appointment", "cabinet-moreau", "night"),
        ("left_early", "etude-lenoir", "take_message/ask"),
        ("shop", "brighton-books", "times"),
    ],
)
def test_caller_does_not_hear_what_is_not_for_him(
    told: dict[str, Told], prompt: Prompt, story: str, client: str, node: str
) -> None:
    assert heard(told[story].outcome.heard, spoken_part(prompt(client, node))[: 2 * g711.RATE]) < HEARD / 2


def test_scores_tell_prompts_apart(plans: Mapping[str, Plan], prompt: Prompt) -> None:
    """The threshold lies far from both sides: the same prompt through A-law, and any two different ones."""
    names = {
        str(sounds): (plan.client, name)  # what two clients say alike: once
        for plan in plans.values()
        for name, node in plan.nodes.items()
        if (sounds := getattr(node, "sounds", ())) and not name.startswith("(")
    }
    prompts = [spoken_part(prompt(*name))[: 4 * g711.RATE] for name in names.values()]
    same = [heard(g711.expand(g711.compress(one)), one) for one in prompts]
    other = [heard(g711.expand(g711.compress(a)), b[: 2 * g711.RATE]) for a, b in itertools.permutations(prompts, 2)]
    assert min(same) > 0.95
    assert max(other) < HEARD - 0.2
    shares = [share_heard(g711.expand(g711.compress(a)), b) for a, b in itertools.permutations(prompts, 2)]
    assert max(shares) < HEARD / 2


def test_a_prompt_with_a_pause_in_it_is_heard_whole(prompt: Prompt) -> None:
    """As a machine that stands still for half a second makes of it."""
    one = spoken_part(prompt("cabinet-moreau", "refuse"))
    paused = np.concatenate((one[: g711.RATE], np.zeros(g711.RATE // 2, np.int16), one[g711.RATE :]))
    assert heard(paused, one) < HEARD < share_heard(paused, one)
    without = np.concatenate((one[: g711.RATE], one[g711.RATE * 2 :]))
    assert share_heard(without, one) < HEARD


def test_key_cuts_the_prompt_short(town: Town, prompt: Prompt) -> None:
    outcome = town.call(stories.BRIGHTON, UntilSound(), Wait(1.5), Press("1"), Wait(3), HangUp())
    menu, times = (spoken_part(prompt("brighton-books", node)) for node in ("welcome", "times"))
    assert heard(outcome.heard, menu[: g711.RATE]) > HEARD
    assert heard(outcome.heard, menu[3 * g711.RATE : 5 * g711.RATE]) < HEARD / 2
    answer = find(outcome.heard, times[: 2 * g711.RATE])
    assert answer.score > HEARD
    assert answer.at_seconds < 1.5 + 1.0


def test_type_ahead_skips_the_menu(town: Town, prompt: Prompt) -> None:
    outcome = town.call(stories.BRIGHTON, Press("1"), Wait(3), HangUp())
    menu, times = (spoken_part(prompt("brighton-books", node)) for node in ("welcome", "times"))
    assert heard(outcome.heard, menu[2 * g711.RATE : 4 * g711.RATE]) < HEARD / 2
    assert find(outcome.heard, times[: 2 * g711.RATE]).at_seconds < 1.5


def test_agent_is_told_for_whom_he_speaks(town: Town, plans: Mapping[str, Plan]) -> None:
    caller = town.somebody()
    town.call(
        stories.GARNIER, UntilSound(), Wait(1), Press("69001"), stories.reached(4), Wait(1), HangUp(), caller=caller
    )
    assert town.row_of(caller)["agent"] == "agent-4"
    brief = plans["plomberie-garnier"].nodes["dispatch"].brief[0]  # type: ignore[attr-defined]
    agent = town.stack.agents[4]
    town.until(lambda: len(agent.heard_last), lambda length: length > 0, 3)
    assert heard(agent.heard_last, spoken_part(g711.read_wav(Path(f"{brief.file}.wav")))) > HEARD


def test_caller_hears_a_beep_before_the_recording(town: Town) -> None:
    outcome = town.call(stories.LENOIR, UntilTone(seconds=30), HangUp())
    assert outcome.trouble == ""


def test_a_number_of_nobody_is_told_so_and_counted(town: Town) -> None:
    """In each language; the operator sees that somebody dials a number no client has."""
    sounds = Speech(CHECKOUT / ".run" / "prompts", ())
    said = [g711.read_wav(Path(f"{one.file}.wav")) for one in unknown_plan(sounds).nodes["unknown"].sounds]  # type: ignore[attr-defined]
    caller, before = town.somebody(), town.figures()

    outcome = town.call("0199009999", UntilSound(), Wait(30), caller=caller, seconds=60.0)

    assert len(said) > 1
    assert [heard(outcome.heard, spoken_part(one)) > HEARD for one in said] == [True] * len(said)
    row = town.row_of(caller)
    assert (row["client"], row["did"], row["disposition"]) == ("unknown-did", "+33199009999", "rejected")
    name = "callrouter_unknown_did_calls_total"
    assert town.figures()[name] == before[name] + 1
