"""`callrouter route`: walk a client's tree as a caller would, by the engine that serves calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from callrouter.core.call import CallState
from callrouter.core.effects import CollectDigits, Play, describe_effect
from callrouter.core.explain import passage
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED, ORDINARY_CALLER, ExpectedCall, wait_of
from callrouter.dialplan.issues import errors, how_many
from callrouter.dialplan.language import values
from callrouter.errors import DialplanError, UsageError
from callrouter.questions import asking, delivered
from callrouter.questions.instants import instant_of, remarks_on
from callrouter.questions.rehearsal import Rehearsal, RehearsedStep, rehearse

_Value = TypeVar("_Value")
_OPTIONS = {"queues": "--queue-state", "lookups": "--lookup"}
"""Options that are called otherwise than what an expected call says by them."""


File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A client's file, or a folder of them (then --to says whose).")
]
From = Annotated[str, typer.Option("--from", metavar="NUMBER", help="The caller's number, or why they show none.")]
To = Annotated[str, typer.Option(metavar="NUMBER", help="The number dialled; by default the client's first.")]
At = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="When, in the client's zone: 2026-05-01T09:00, or the next 'tue 10:00', 'holiday 10:00',"
        " '12-24 17:00' or 'christmas 10:00'; by default now.",
    ),
]
Keys = Annotated[
    str,
    typer.Option(
        metavar="KEYS",
        help="What is keyed at each question, and in each queue that a key leaves, with commas between: '2' or"
        " '9,,75011#'; nothing: silence.",
    ),
]
Ahead = Annotated[str, typer.Option(metavar="KEYS", help="Keys pressed at once, while the call is being answered.")]
QueueStates = Annotated[
    list[str] | None,
    typer.Option(
        metavar="QUEUE=STATE",
        help="medical=full: answered, timeout, full, empty, abandoned; medical=agents:0,waiting:7,free:0,talk:2m:"
        " what a branch sees of it; medical=unseen; '*' for all; may be repeated.",
    ),
]
Lookups = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VARIABLE=VALUE",
        help="rank=gold: what a web service answers; 'failed', or NODE=failed: it does not; may be repeated.",
    ),
]
Dials = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONTACT=OUTCOME",
        help="doctor=busy: answered, no_answer, busy, refused, unavailable, failed; a contact, a rota, a number,"
        " or '*' for all; may be repeated.",
    ),
]
Speaks = Annotated[str, typer.Option(metavar="SECONDS", help="How long the caller speaks after the beep.")]
HangsUp = Annotated[
    str | None, typer.Option(metavar="WAIT", help="The caller hangs up in the middle of this wait, from 1.")
]
Expected = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OUTCOME",
        help="queue:medical, dial:doctor, message, callback, reject, abandoned, node:NAME: else exit 1; repeatable.",
    ),
]
Everything = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Instead: every distinct outcome of the tree within a year, with the shortest way to each.",
    ),
]


def route(  # noqa: PLR0913, RUF100  # each is an option
    *,
    path: File,
    caller: From = ORDINARY_CALLER,
    to: To = "",
    at: At = "",
    keys: Keys = "",
    ahead: Ahead = "",
    queue_state: QueueStates = None,
    lookup: Lookups = None,
    dial: Dials = None,
    message: Speaks = "10",
    hang_up_after: HangsUp = None,
    expect: Expected = None,
    everything: Everything = False,
) -> None:
    """Walk a client's tree as a caller would: each step with its line and reason, and what the caller hears."""
    catalogue, now = load_directory(path, PaperSpeech()), datetime.now(UTC)
    plan = _plan(catalogue, path, to)
    instant = _understood("--at", lambda: instant_of(at, plan, now) if at else now)
    for remark in remarks_on(at, instant, plan):
        print(f"callrouter route: --at: {remark}", file=sys.stderr)
    if everything:
        _say_all(plan, instant)
        return
    # As a row of a table of expected routes says it, and no more checked than one that was read.
    call = ExpectedCall.model_construct(
        from_=caller,
        to=to,
        at=at,
        keys=keys,
        ahead=ahead,
        queues=_understood("--queue-state", lambda: _pairs(queue_state or ())),
        dial=_understood("--dial", lambda: _pairs(dial or ())),
        lookups=_understood("--lookup", lambda: _lookups(lookup or ())),
        message=_understood("--message", lambda: _speaking_seconds(message)),
        hang_up_after=_understood("--hang-up-after", lambda: _wait(hang_up_after)),
        expect=tuple(expect or ()),
    )
    _walk(plan, call, asking.region_of(plan, catalogue.region), now)


def _walk(plan: Plan, call: ExpectedCall, region: str, now: datetime) -> None:
    """Say what becomes of one call, and whether that was expected."""
    try:
        offered, script = asking.understood(call, plan, region, now)
    except asking.NotUnderstood as error:
        raise UsageError(f"{_OPTIONS.get(error.key, f'--{error.key}')}: {error}") from None
    rehearsal = rehearse(plan, offered, script)
    print("\n".join(told(plan, offered, rehearsal)))
    _judge(rehearsal, call.expect)


def _understood(option: str, understand: Callable[[], _Value]) -> _Value:
    try:
        return understand()
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _judge(rehearsal: Rehearsal, expected: Sequence[str]) -> None:
    missed = [one for one in expected if not rehearsal.meets(one)]
    if missed:
        print(f"expected {' and '.join(missed)}, but the call came to {rehearsal.outcome}", file=sys.stderr)
        raise typer.Exit(1)


def _say_all(plan: Plan, since: datetime) -> None:
    from callrouter.questions import outcomes  # only here: a single route needs none of it

    for line in outcomes.told(plan, outcomes.outcomes(plan, since)):
        print(line)


def told(plan: Plan, offered: CallOffered, rehearsal: Rehearsal) -> list[str]:
    """The rehearsed call, as lines a person reads."""
    zone = ZoneInfo(plan.timezone)
    caller = offered.caller.number or offered.caller.presentation
    when = f"{offered.at.astimezone(zone):%a %d %b %Y %H:%M} {plan.timezone}"
    lines = [f"{plan.name} ({plan.source}): {caller} calls {offered.did}, {when}"]
    for step in rehearsal.steps:
        lines.append(f"{step.at.astimezone(zone):%H:%M:%S}  {step.told}")
        lines += [f"          {detail}" for detail in _details(plan, step)]
    lines += delivered.of_call(plan, rehearsal.call)
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
            details.append(describe_effect(effect))
        if isinstance(effect, CollectDigits):
            details.append(f"asked for {how_many(effect.max_digits, 'key')}")
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


def _speaking_seconds(written: str) -> float:
    """How long a caller speaks after the beep: seconds (`10`), or a duration (`1m30s`).

    Raises:
        ValueError: it is neither, or longer than a day.
    """
    plain = re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", written.strip(), re.ASCII)
    return values.duration(f"{written.strip()}s" if plain else written)


def _pairs(written: Sequence[str]) -> dict[str, str]:
    """`name=state` pairs; what is said of one name twice is said together.

    Raises:
        ValueError: one of them is no pair.
    """
    found: dict[str, list[str]] = {}
    for pair in written:
        name, state = _pair(pair, f"write NAME={pair}, or '*={pair}' for all")
        found.setdefault(name, []).append(state)
    return {name: ",".join(states) for name, states in found.items()}


def _lookups(written: Sequence[str]) -> dict[str, str]:
    """`variable=value` pairs; `failed` alone is said of all.

    Raises:
        ValueError: one of them is no pair.
    """
    return dict((ANYBODY, one) if one == FAILED else _pair(one, f"write {one}=VALUE") for one in written)


def _pair(written: str, mend: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise ValueError(f"{written!r} has no '=': {mend}")
    return name, value


def _wait(written: str | None) -> int | None:
    return None if written is None else wait_of(written)
