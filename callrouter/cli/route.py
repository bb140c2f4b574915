"""`callrouter route`: walk a client's tree as a caller would, by the engine that serves calls."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from callrouter.cli.arguments import Parser
from callrouter.core.call import CallState
from callrouter.core.effects import CollectDigits, Play, in_words
from callrouter.core.explain import passage
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.issues import errors
from callrouter.dialplan.language.expected_file import ANYBODY, FAILED, wait_of
from callrouter.errors import DialplanError
from callrouter.questions import asking
from callrouter.questions.rehearsal import Rehearsal, RehearsedStep, Script, rehearse

SUMMARY: Final = (
    "Walk a client's tree as a caller would: each step with its line and reason, and what the caller hears."
)

_Value = TypeVar("_Value")


def main(arguments: Sequence[str]) -> int:
    """Run the command; 0, or 1 when the call does not come to what was expected.

    Raises:
        DialplanError: the file is wrong, or none of the clients has the number.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    catalogue = load_directory(asked.path, PaperSpeech())
    plan = _plan(catalogue, asked.path, asked.to)
    region = asking.region_of(plan, catalogue.region)

    def understood(option: str, understand: Callable[[], _Value]) -> _Value:
        try:
            return understand()
        except ValueError as error:
            return parser.error(f"{option}: {error}")

    now = datetime.now(UTC)
    at = understood("--at", lambda: asking.instant_of(asked.at, plan, now) if asked.at else now)
    for remark in asking.remarks_on(asked.at, at, plan):
        print(f"callrouter route: --at: {remark}", file=sys.stderr)
    if asked.all:
        return _say_all(plan, at)
    offered = CallOffered(
        call_id="rehearsal",
        did=understood("--to", lambda: asking.did_of(asked.to, plan, region)),
        caller=understood("--from", lambda: asking.caller_of(asked.caller, region)),
        at=at,
    )
    queues = understood("--queue-state", lambda: asking.queues_of(_pairs(asked.queue_state), plan))
    lookups = understood("--lookup", lambda: asking.lookups_of(_lookups(asked.lookup), plan))
    dials, any_number = understood("--dial", lambda: asking.dials_of(_pairs(asked.dial), plan, region))
    script = Script(
        ahead=understood("--ahead", lambda: asking.pressed(asked.ahead)),
        keys=understood("--keys", lambda: asking.pressed_in_turn(asked.keys)),
        hang_up_after=understood("--hang-up-after", lambda: _wait(asked.hang_up_after)),
        queues=queues.behaviours,
        any_queue=queues.others,
        looks=queues.looks,
        numbers=dials,
        any_number=any_number,
        answers=lookups.answers,
        failing=lookups.failing,
        message_seconds=understood("--message", lambda: asking.speaking_seconds(asked.message)),
    )
    rehearsal = rehearse(plan, offered, script)
    print("\n".join(told(plan, offered, rehearsal)))
    return _judge(rehearsal, asked)


def _judge(rehearsal: Rehearsal, asked: Namespace) -> int:
    missed = [one for one in asked.expect if not rehearsal.meets(one)]
    if missed:
        print(f"expected {' and '.join(missed)}, but the call came to {rehearsal.outcome}", file=sys.stderr)
    return 1 if missed else 0


def _parser() -> Parser:
    parser = Parser(prog="callrouter route", description=SUMMARY)
    add = parser.add_argument
    add("path", type=Path, metavar="FILE", help="a client's file, or a folder of them (then --to says whose)")
    number = "the caller's number, or 'anonymous'"
    add("--from", dest="caller", default="+33612340001", metavar="NUMBER", help=number)
    add("--to", default="", metavar="NUMBER", help="the number dialled; by default the client's first")
    when = "when, in the client's zone: 2026-05-01T09:00, or the next 'tue 10:00' or 'holiday 10:00'; by default now"
    add("--at", default="", metavar="TIME", help=when)
    keys = "what is keyed at each question, with commas between: '2' or '9,,75011#'; nothing: silence"
    add("--keys", default="", help=keys)
    add("--ahead", default="", metavar="KEYS", help="keys pressed at once, while the call is being answered")
    queues = (
        "medical=full: answered, timeout, full, empty, abandoned; medical=agents:0,waiting:7,free:0,talk:2m: what a"
        " branch sees of it; medical=unseen; '*' for all; may be repeated"
    )
    add("--queue-state", action="append", default=[], metavar="QUEUE=STATE", help=queues)
    lookups = "rank=gold: what a web service answers; 'failed', or NODE=failed: it does not; may be repeated"
    add("--lookup", action="append", default=[], metavar="VARIABLE=VALUE", help=lookups)
    dials = (
        "doctor=busy: answered, no_answer, busy, refused, unavailable, failed; a contact, a rota, a number, or '*' for"
        " all; may be repeated"
    )
    add("--dial", action="append", default=[], metavar="CONTACT=OUTCOME", help=dials)
    add("--message", default="10", metavar="SECONDS", help="how long the caller speaks after the beep")
    add("--hang-up-after", metavar="WAIT", help="the caller hangs up in the middle of this wait, from 1")
    expected = "queue:medical, dial:doctor, message, callback, reject, abandoned, node:NAME: else exit 1; repeatable"
    add("--expect", action="append", default=[], metavar="OUTCOME", help=expected)
    everything = "instead: every distinct outcome of the tree within a year, with the shortest way to each"
    add("--all", action="store_true", help=everything)
    return parser


def _say_all(plan: Plan, since: datetime) -> int:
    from callrouter.questions import outcomes  # only here: a single route needs none of it

    for line in outcomes.told(plan, outcomes.outcomes(plan, since)):
        print(line)
    return 0


def told(plan: Plan, offered: CallOffered, rehearsal: Rehearsal) -> list[str]:
    """The rehearsed call, as lines a person reads."""
    zone = ZoneInfo(plan.timezone)
    caller = offered.caller.number or offered.caller.presentation
    when = f"{offered.at.astimezone(zone):%a %d %b %Y %H:%M} {plan.timezone}"
    lines = [f"{plan.name} ({plan.source}): {caller} calls {offered.did}, {when}"]
    for step in rehearsal.steps:
        lines.append(f"{step.at.astimezone(zone):%H:%M:%S}  {step.told}")
        lines += [f"          {detail}" for detail in _details(plan, step)]
    lines.append(f"ended: {rehearsal.call.disposition}, {rehearsal.outcome}")
    return lines


def _details(plan: Plan, step: RehearsedStep) -> list[str]:
    details = [passage(visit, plan) for visit in step.visits]
    if step.effects and step.call.state is not CallState.HANGING_UP:
        details.append(f"{plan.where(step.call.node)}:")
    for effect in step.effects:
        if isinstance(effect, Play | CollectDigits):
            details += [f"hears  «{sound.text or sound.file}»" for sound in effect.sounds]
        else:
            details.append(in_words(effect))
        if isinstance(effect, CollectDigits):
            details.append(f"asked for {effect.max_digits} key{'s' if effect.max_digits > 1 else ''}")
    return details


def _plan(catalogue: Catalogue, path: Path, to: str) -> Plan:
    """The plan that was asked about.

    Raises:
        DialplanError: the file is wrong, or none of the clients has the number.
    """
    if path.is_dir():
        if not to:
            raise DialplanError(f"{path} holds several clients: say which number is dialled with --to")
        found = catalogue.for_did(to)
        if found is catalogue.unknown:
            raise DialplanError(f"no client of {path} has the number {to}: callers hear that it is not in service")
        return found
    plan = next((plan for plan in catalogue.plans.values() if plan.source == path.name), None)
    if plan is None:
        # The mistake may stand in a shared document, or in another client's.
        wrong = [str(issue) for issue in errors(catalogue.issues)]
        raise DialplanError("the file cannot be served:\n" + "\n".join(wrong))
    return plan


def _pairs(written: Sequence[str]) -> dict[str, str]:
    """`name=state` pairs; what is said of one name twice is said together."""
    found: dict[str, list[str]] = {}
    for pair in written:
        name, _, state = pair.partition("=")
        found.setdefault(name, []).append(state)
    return {name: ",".join(states) for name, states in found.items()}


def _lookups(written: Sequence[str]) -> dict[str, str]:
    """`variable=value` pairs; `failed` alone is said of all."""
    pairs = ((ANYBODY, "", one) if one == FAILED else one.partition("=") for one in written)
    return {name: value for name, _, value in pairs}


def _wait(written: str | None) -> int | None:
    return None if written is None else wait_of(written)
