"""`callrouter route`: walk a client's tree as a caller would, by the engine that serves calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from callrouter.core import numbers
from callrouter.core.call import CallerId, CallState, DialOutcome, Presentation, QueueOutcome
from callrouter.core.effects import CollectDigits, Play, in_words
from callrouter.core.explain import passage
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import DialNode
from callrouter.core.plan import Plan
from callrouter.core.rehearsal import DialBehaviour, QueueBehaviour, Rehearsal, RehearsedStep, Script, rehearse
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.errors import DialplanError

_ANONYMOUS = frozenset({"anonymous", "withheld"})
_KEYS = frozenset("0123456789*#")


def route(
    path: Annotated[Path, typer.Argument(help="A client's file, or a folder of them (then --to says whose).")],
    caller: Annotated[str, typer.Option("--from", help="The caller's number, or 'anonymous'.")] = "+33612340001",
    to: Annotated[str, typer.Option("--to", help="The number dialled; by default the client's first.")] = "",
    at: Annotated[str, typer.Option("--at", help="When, in the client's zone: 2026-05-01T09:00; by default now.")] = "",
    keys: Annotated[
        str,
        typer.Option(help="What is keyed at each question, separated by commas: '2' or '9,,75011#'; nothing: silence."),
    ] = "",
    ahead: Annotated[str, typer.Option(help="Keys pressed at once, while the call is being answered.")] = "",
    queue_state: Annotated[
        list[str] | None, typer.Option(help="medical=empty: answered, timeout, full, empty, abandoned; '*' for all.")
    ] = None,
    dial: Annotated[
        list[str] | None,
        typer.Option(help="doctor=busy: answered, no_answer, busy, refused, unavailable, failed; '*' for all."),
    ] = None,
    message: Annotated[float, typer.Option(help="How many seconds the caller speaks after the beep.")] = 10.0,
    hang_up_after: Annotated[
        int | None, typer.Option(help="The caller hangs up in the middle of this wait, from 1.")
    ] = None,
    expect: Annotated[
        str, typer.Option(help="queue:medical, dial:doctor, message, reject, abandoned, node:NAME: else exit 1.")
    ] = "",
) -> None:
    """Walk a client's tree as a caller would: each step with its line and reason, and what the caller hears."""
    catalogue = load_directory(path, PaperSpeech())
    plan = _plan(catalogue, path, to)
    offered = CallOffered(
        call_id="rehearsal",
        did=numbers.normalise(to, catalogue.region) or to or plan.numbers[0],
        caller=_caller(caller, catalogue.region),
        at=_instant(at, plan),
    )
    queues = _given("--queue-state", queue_state or (), QueueOutcome)
    dials = _given("--dial", dial or (), DialOutcome)
    script = Script(
        ahead=_pressed("--ahead", ahead),
        keys=tuple(_pressed("--keys", part) for part in keys.split(",")) if keys else (),
        hang_up_after=hang_up_after,
        queues={name: QueueBehaviour(outcome=outcome) for name, outcome in queues.items()},
        any_queue=QueueBehaviour(outcome=queues.get("*", QueueOutcome.ANSWERED)),
        numbers=_by_number(plan, dials, catalogue.region),
        any_number=DialBehaviour(outcome=dials.get("*", DialOutcome.ANSWERED)),
        message_seconds=message,
    )
    rehearsal = rehearse(plan, offered, script)
    for line in told(plan, offered, rehearsal):
        typer.echo(line)
    if expect and not rehearsal.meets(expect):
        typer.echo(f"expected {expect}, but the call came to {rehearsal.outcome}", err=True)
        raise typer.Exit(1)


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
        return catalogue.for_did(to)
    own = [issue for issue in catalogue.issues if issue.file in catalogue.refused]
    if not catalogue.plans:
        raise DialplanError("the file cannot be served:\n" + "\n".join(str(issue) for issue in own))
    plan = next(iter(catalogue.plans.values()))
    if to and catalogue.for_did(to) is not plan:
        raise DialplanError(f"{to} is no number of {plan.client}: it has {', '.join(plan.numbers)}")
    return plan


def _caller(written: str, region: str) -> CallerId:
    if written.lower() in _ANONYMOUS:
        return CallerId(presentation=Presentation.WITHHELD)
    return CallerId(number=numbers.normalise(written, region) or written)


def _instant(written: str, plan: Plan) -> datetime:
    if not written:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        raise typer.BadParameter(f"{written!r} is no time: write 2026-05-01T09:00", param_hint="--at") from error
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(plan.timezone))).astimezone(UTC)


def _pressed(option: str, written: str) -> str:
    pressed = written.strip()
    if odd := set(pressed) - _KEYS:
        raise typer.BadParameter(f"{min(odd)!r} is no key of a telephone", param_hint=option)
    return pressed


_Outcome = TypeVar("_Outcome", bound=StrEnum)


def _given(option: str, written: Sequence[str], outcomes: type[_Outcome]) -> dict[str, _Outcome]:
    """`name=outcome` pairs."""
    given = {}
    for pair in written:
        name, _, outcome = pair.partition("=")
        if outcome not in list(outcomes):
            raise typer.BadParameter(f"write NAME=OUTCOME, one of {', '.join(outcomes)}", param_hint=option)
        given[name] = outcomes(outcome)
    return given


def _by_number(plan: Plan, dials: Mapping[str, DialOutcome], region: str) -> dict[str, DialBehaviour]:
    """Behaviours by number, from names of contacts and numbers as a person writes them."""
    contacts = {
        contact.name: contact.number
        for node in plan.nodes.values()
        if isinstance(node, DialNode)
        for contact in node.contacts
    }
    by_number = {}
    for name, outcome in dials.items():
        number = contacts.get(name) or numbers.normalise(name, region)
        if name != "*" and number is None:
            raise typer.BadParameter(f"{name!r} is neither a contact of the tree nor a number", param_hint="--dial")
        if number:
            by_number[number] = DialBehaviour(outcome=outcome)
    return by_number
