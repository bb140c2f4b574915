"""What a decision costs: microseconds a step of the core, and of serialising the call after it.

    python bench/core_step.py [--runs 9] [--calls 400]

A step is one input told to the engine (`start` counts as one). Measured over a tree of five waits made here, and over
the demonstration clients' trees with a caller each. Median, best and worst of several runs; the target is 20 µs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from callrouter.core import engine, state
from callrouter.core.call import CallerId
from callrouter.core.inputs import CallOffered, Input
from callrouter.core.nodes import HangupNode, MenuNode, MessageNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.documents.expected_file import ANYBODY
from callrouter.questions.decisions import TIMEOUT, Decision
from callrouter.questions.rehearsal import Script, rehearse
from callrouter.testing import plan_of, sound

TARGET_MICROSECONDS = 20.0
TUESDAY_10 = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
NOBODY = {Decision("queue", ANYBODY): TIMEOUT}

FIVE_STEPS = plan_of(
    PlayNode(name="greeting", sounds=(sound("greeting"),), exits={"next": "menu"}),
    MenuNode(
        name="menu",
        sounds=(sound("menu"),),
        keys=("1", "2"),
        exits={"key:1": "team", "key:2": "team", "no_input": "team", "no_match": "team"},
    ),
    QueueNode(name="team", queue="medical", max_wait_seconds=60, exits={"overflow": "message"}),
    MessageNode(name="message", sounds=(sound("speak"),), exits={"done": "bye"}),
    HangupNode(name="bye", sounds=(sound("good-bye"),)),
)


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One caller's inputs, to be told again and again."""

    name: str
    plan: Plan
    offered: CallOffered
    inputs: tuple[Input, ...]


def journey(name: str, plan: Plan, caller: str, script: Script) -> Journey:
    """Rehearse a caller once, and keep what the engine was told."""
    offered = CallOffered(
        call_id="5f1c6a0e9b7d4c21", did=plan.numbers[0], caller=CallerId(number=caller), at=TUESDAY_10
    )
    return Journey(name=name, plan=plan, offered=offered, inputs=rehearse(plan, offered, script).inputs)


def journeys() -> list[Journey]:
    """The tree made here, and the demonstration clients."""
    folder = Path(__file__).parents[1] / "dialplans"
    plans = load_directory(folder, PaperSpeech(), now=TUESDAY_10).plans
    return [
        journey("five waits", FIVE_STEPS, "+33612340001", Script(keys=("2",), decided=NOBODY)),
        journey("cabinet-moreau", plans["cabinet-moreau"], "+33612340001", Script(keys=("2",))),
        journey("etude-lenoir", plans["etude-lenoir"], "+33612340010", Script()),
        journey("plomberie-garnier", plans["plomberie-garnier"], "+33612340015", Script(keys=("92100",))),
        journey("brighton-books", plans["brighton-books"], "+447700900004", Script(keys=("4",), decided=NOBODY)),
    ]


def decide(one: Journey, calls: int, *, encode: bool) -> float:
    """Microseconds a step, over so many calls."""
    plan, offered, told = one.plan, one.offered, one.inputs
    start, step, write = engine.start, engine.step, state.encode
    began = perf_counter()
    for _ in range(calls):
        turn = start(plan, offered)
        if encode:
            write(plan, turn.call)
        for happened in told:
            turn = step(plan, turn.call, happened)
            # As the driver does: the state is written when something is asked for.
            if encode and turn.effects:
                write(plan, turn.call)
    return (perf_counter() - began) / (calls * (1 + len(told))) * 1e6


def largest_state(one: Journey) -> int:
    """Characters of the largest serialised form on the way."""
    turn = engine.start(one.plan, one.offered)
    sizes = [len(state.encode(one.plan, turn.call))]
    for happened in one.inputs:
        turn = engine.step(one.plan, turn.call, happened)
        sizes.append(len(state.encode(one.plan, turn.call)))
    return max(sizes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a tree is above the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--calls", type=int, default=400)
    options = parser.parse_args(arguments)
    print(f"{'tree':<20}{'steps':>6}{'µs/step':>9}{'best':>7}{'worst':>7}{'with state':>12}{'state':>7}")
    slow = False
    for one in journeys():
        decide(one, options.calls // 4, encode=True)
        bare = [decide(one, options.calls, encode=False) for _ in range(options.runs)]
        both = statistics.median(decide(one, options.calls, encode=True) for _ in range(options.runs))
        median = statistics.median(bare)
        slow = slow or median > TARGET_MICROSECONDS
        print(
            f"{one.name:<20}{1 + len(one.inputs):>6}{median:>9.1f}{min(bare):>7.1f}{max(bare):>7.1f}"
            f"{both:>12.1f}{largest_state(one):>7}"
        )
    print(f"target: {TARGET_MICROSECONDS:g} µs a step: {'missed' if slow else 'met'}")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
