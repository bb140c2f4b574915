"""Expected routes: beside `acme.yaml`, `acme.test.yaml` says what callers must come to.

```yaml
calls:
  - { at: "tue 10:00", keys: "2", expect: queue:medical }
  - { at: "tue 10:00", keys: "9,9,9", expect: queue:medical, hears: "n'existe pas" }
  - { at: "2026-12-25T10:00", expect: message:night }
  - { from: "06 12 34 00 07", at: "sun 03:00", queues: { medical: full }, expect: message:take_message }
  - { at: "tue 10:00", keys: "1", dial: { on_call: no_answer }, expect: [dial:doctor, node:urgent] }
```

`at` is a time in the client's zone: a date and time, or the next ordinary `tue 10:00`, or `holiday 10:00`. `keys` is
what is keyed at each question, with a comma between two; nothing is silence. `expect` is an outcome (`queue:medical`,
`dial:doctor`, `redirect:+33…`, `message:night`, `callback:offer`, `reject`), its first word, a disposition, or
`node:NAME` for a node passed; of several, all must hold. National numbers are those of the client's country.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from callrouter.core.call import Disposition
from callrouter.core.effects import CollectDigits, Play
from callrouter.core.frozen import frozen
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.core.rehearsal import Rehearsal, Script, rehearse
from callrouter.dialplan import asking, values
from callrouter.dialplan.catalogue import Catalogue
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.reader import Document, read_file
from callrouter.dialplan.validation import validate

SUFFIX = ".test"
"""Between the client's name and `.yaml`."""

ORDINARY_CALLER = "+33612340001"
MOST_CALLS = 500


def _texts(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


Text = Annotated[str, BeforeValidator(values.text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_texts), Field(min_length=1)]


def _keys(value: object) -> object:
    """`["9", "2"]` for `"9,2"`."""
    return ",".join(str(part or "") for part in value) if isinstance(value, list) else value


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedCall(_Block):
    """One row of the table: who calls, when, what everybody does, and what must come of it."""

    from_: Text = Field(default=ORDINARY_CALLER, alias="from")
    to: Text | None = None
    at: Text
    keys: Annotated[str, BeforeValidator(_keys)] = ""
    ahead: str = ""
    queues: Mapping[str, Text] = Field(default_factory=dict)
    dial: Mapping[str, Text] = Field(default_factory=dict)
    message: Annotated[float, BeforeValidator(values.duration)] = 10.0
    hang_up_after: Annotated[int | None, BeforeValidator(values.count)] = None
    expect: Texts
    hears: Texts | None = None


class ExpectedCalls(_Block):
    """A client's table."""

    calls: Annotated[tuple[ExpectedCall, ...], Field(min_length=1, max_length=MOST_CALLS)]


@frozen(slots=True)
class _Row:
    document: Document
    index: int
    call: ExpectedCall

    def issue(self, message: str, *path: str, suggestion: str = "") -> Issue:
        """A finding at this row, or at one of its values."""
        return Issue(
            file=self.document.file,
            line=self.document.line("calls", self.index, *path),
            field=".".join(("calls", str(self.index + 1), *path)),
            message=f"call {self.index + 1}: {message}",
            suggestion=suggestion,
        )


def run_expected(path: Path, catalogue: Catalogue, now: datetime | None = None) -> list[Issue]:
    """Rehearse the expected calls of every table in a folder, or of one client's file; what differs is an issue.

    `now` is the instant after which `tue 10:00` is looked for; by default the present.
    """
    now = now or datetime.now(UTC)
    return [issue for table in tables(path) for issue in _run(table, catalogue, now)]


def tables(path: Path) -> list[Path]:
    """The tables of a folder, or the one beside a client's file."""
    folder = path if path.is_dir() else path.parent
    found = sorted(one for suffix in ("yaml", "yml") for one in folder.glob(f"*{SUFFIX}.{suffix}"))
    return found if path.is_dir() else [one for one in found if _client_file(one) in (path.name, _swapped(path.name))]


def _client_file(table: Path) -> str:
    return f"{table.stem.removesuffix(SUFFIX)}{table.suffix}"


def _swapped(name: str) -> str:
    """The same name with YAML's other suffix."""
    return f"{name[:-5]}.yml" if name.endswith(".yaml") else f"{name.removesuffix('.yml')}.yaml"


def _run(table: Path, catalogue: Catalogue, now: datetime) -> Iterator[Issue]:
    document = read_file(table, table.name)
    if document.issues:
        yield from document.issues
        return
    found, issues = validate(ExpectedCalls, document)
    yield from issues
    names = (_client_file(table), _swapped(_client_file(table)))
    plan = next((plan for plan in catalogue.plans.values() if plan.source in names), None)
    if plan is None:
        if not catalogue.refused.intersection(names):
            message = f"there is no {names[0]} beside it whose callers these could be"
            yield Issue(file=document.file, line=0, message=message, suggestion=_meant(names[0], catalogue))
        return
    region = asking.region_of(plan, catalogue.region)
    for index, call in enumerate(found.calls if found else ()):
        yield from _judge(_Row(document=document, index=index, call=call), plan, region, now)


def _meant(name: str, catalogue: Catalogue) -> str:
    return closest(name, [plan.source for plan in catalogue.plans.values()])


def _judge(row: _Row, plan: Plan, region: str, now: datetime) -> Iterator[Issue]:
    """What is wrong with a row, or with what came of it."""
    unknown = [row.issue(message, "expect", suggestion=meant) for message, meant in _unknown(plan, row.call.expect)]
    yield from unknown
    try:
        rehearsal = _rehearse(row, plan, region, now)
    except _WrongValue as error:
        yield row.issue(f"{error.key}: {error}", error.key)
        return
    if unknown:
        return
    missed = [expected for expected in row.call.expect if not rehearsal.meets(expected)]
    if missed:
        yield row.issue(f"expected {' and '.join(missed)}, but {_came_to(plan, rehearsal)}", "expect")
    heard = " ".join(_texts_heard(rehearsal))
    for words in row.call.hears or ():
        if words not in heard:
            yield row.issue(f"expected to hear {shown(words)}, but the caller heard {shown(heard, 160)}", "hears")


class _WrongValue(ValueError):
    """A value of a row cannot be understood."""

    def __init__(self, key: str, reason: ValueError) -> None:
        super().__init__(str(reason))
        self.key = key


def _rehearse(row: _Row, plan: Plan, region: str, now: datetime) -> Rehearsal:
    """Play a row.

    Raises:
        _WrongValue: one of its values cannot be understood.
    """
    call = row.call
    key = "to"
    try:
        did = asking.did_of(call.to or "", plan, region)
        key = "from"
        caller = asking.caller_of(call.from_, region)
        key = "at"
        at = asking.instant_of(call.at, plan, now)
        key = "keys"
        keys = asking.pressed_in_turn(call.keys)
        key = "ahead"
        ahead = asking.pressed(call.ahead)
        key = "queues"
        queues, any_queue = asking.queues_of(call.queues, plan)
        key = "dial"
        dials, any_number = asking.dials_of(call.dial, plan, region)
    except ValueError as error:
        raise _WrongValue(key, error) from error
    script = Script(
        ahead=ahead,
        keys=keys,
        hang_up_after=call.hang_up_after,
        queues=queues,
        any_queue=any_queue,
        numbers=dials,
        any_number=any_number,
        message_seconds=call.message,
    )
    return rehearse(plan, CallOffered(call_id="expected", did=did, caller=caller, at=at), script)


_OUTCOMES = ("queue", "dial", "redirect", "message", "callback", "reject", *Disposition)


def _unknown(plan: Plan, expected: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Expectations that no call could ever meet: what is wrong, and what was probably meant."""
    for one in expected:
        kind, colon, name = one.partition(":")
        if not colon:
            if one not in _OUTCOMES:
                yield f"{shown(one)} is no outcome", closest(one, _OUTCOMES)
            continue
        known = {
            "node": tuple(plan.nodes),
            "message": tuple(plan.nodes),
            "callback": tuple(plan.nodes),
            "queue": tuple({queue for node in plan.nodes.values() if (queue := getattr(node, "queue", ""))}),
        }.get(kind)
        if known is None and kind not in ("dial", "redirect"):
            yield f"{shown(one)} is no outcome", closest(kind, ("node", *_OUTCOMES))
        elif known is not None and name not in known:
            what = "queue" if kind == "queue" else "node"
            yield f"{plan.source} has no {what} {shown(name)}", closest(name, known)


def _came_to(plan: Plan, rehearsal: Rehearsal) -> str:
    path = " → ".join(visit.node for visit in rehearsal.call.visits)
    last = rehearsal.call.visits[-1] if rehearsal.call.visits else None
    because = f" ({last.exit}{f': {last.because}' if last.because else ''})" if last else ""
    place = f", in {plan.where(last.node)}" if last else ""
    return f"the call came to {rehearsal.outcome}{place} by {path}{because}"


def _texts_heard(rehearsal: Rehearsal) -> Iterator[str]:
    for step in rehearsal.steps:
        for effect in step.effects:
            if isinstance(effect, Play | CollectDigits):
                yield from (getattr(sound, "text", "") or getattr(sound, "file", "") for sound in effect.sounds)


__all__ = ["SUFFIX", "ExpectedCall", "ExpectedCalls", "run_expected", "tables"]
