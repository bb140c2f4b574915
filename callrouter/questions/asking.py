"""A rehearsed call from texts, as the command line and the tables of expected routes write them.

Every function raises ValueError with a sentence that says what is wrong and how to write it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import phonenumbers

from callrouter.core import numbers
from callrouter.core.call import WITHOUT_NUMBER, CallerId, DialOutcome, Presentation, QueueOutcome
from callrouter.core.effects import Lookup
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan, names_of
from callrouter.core.rota import Contact, Rota
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED, ExpectedCall
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import values
from callrouter.errors import CallrouterError
from callrouter.questions.decisions import MESSAGE, UNSEEN, Decided, Decision, Option
from callrouter.questions.examples import standing
from callrouter.questions.instants import instant_of
from callrouter.questions.rehearsal import Script, at_node

_WITHOUT_NUMBER = {
    **{one.value: one for one in WITHOUT_NUMBER},
    "anonymous": Presentation.WITHHELD,  # as it was called
}
_KEYS = frozenset("0123456789*#")
_Outcome = TypeVar("_Outcome", bound=StrEnum)
_Value = TypeVar("_Value")


def caller_of(written: str, region: str) -> CallerId:
    """A caller by their number, or by why they have none: `withheld`, `unauthenticated` or `unavailable`.

    Raises:
        ValueError: it is neither.
    """
    if why := _WITHOUT_NUMBER.get(written.strip().lower()):
        return CallerId(presentation=why)
    number = numbers.normalise(written, region)
    if number is None:
        without = ", ".join(WITHOUT_NUMBER)
        raise ValueError(f"{shown(written)} is no telephone number of {region}: write one, or one of {without}")
    return CallerId(number=number)


def did_of(written: str, plan: Plan, region: str) -> str:
    """One of the client's numbers; the first when none is written.

    Raises:
        ValueError: it is none of them.
    """
    if not written:
        return plan.numbers[0] if plan.numbers else ""
    number = numbers.normalise(written, region)
    if number not in plan.numbers:
        raise ValueError(f"{written} is no number of {plan.client}: it has {', '.join(plan.numbers)}")
    return number or ""


def region_of(plan: Plan, default: str) -> str:
    """The country whose national numbers a client's people write: that of the client's own first number."""
    if not plan.numbers:
        return default
    return phonenumbers.region_code_for_number(phonenumbers.parse(plan.numbers[0])) or default


def pressed(written: str) -> str:
    """Keys of a telephone.

    Raises:
        ValueError: one of them is none.
    """
    keys = written.strip()
    if odd := set(keys) - _KEYS:
        raise ValueError(f"{min(odd)!r} is no key of a telephone; a comma stands between two questions, as in 9,2")
    return keys


def pressed_in_turn(written: str) -> tuple[str, ...]:
    """What is keyed at each question: `2`, or `9,,75011#`; nothing between two commas is silence.

    Raises:
        ValueError: something else than a key stands there.
    """
    return tuple(pressed(part) for part in written.split(",")) if written else ()


def queues_of(written: Mapping[str, str], plan: Plan) -> Decided:
    """`full`, `agents:0,waiting:7`, `unseen` or several of them, for queues by name.

    A queue that is `empty` has no agents, and one without agents is `empty`, as long as nothing else is said.

    Raises:
        ValueError: the tree has no such queue, or what is said of it cannot be understood.
    """
    known = queues_in(plan)
    decided: dict[Decision, Option] = {}
    for name, text in written.items():
        if name != ANYBODY and name not in known:
            raise ValueError(f"{name!r} is no queue of the tree{_meant(name, known)}")
        decided[Decision("queue", name)], decided[Decision("look", name)] = _queue_state(name, text)
    return decided


def queues_in(plan: Plan) -> tuple[str, ...]:
    """All queues a tree has callers wait in, or looks at."""
    return tuple(sorted({queue for about in plan.about.values() for queue in about.queues_named}))


def _queue_state(name: str, written: str) -> tuple[QueueOutcome, Option]:
    """What becomes of callers in a queue, and how it stands."""
    outcome: QueueOutcome | None = None
    seen = True
    said: dict[str, float] = {}
    for part in (part.strip() for part in written.split(",")):
        measure, colon, value = part.partition(":")
        if colon:
            said[measure] = _measured(measure, value)
        elif part == UNSEEN:
            seen = False
        else:
            outcome = _outcome(
                name, part, QueueOutcome, f"{', '.join(_MEASURES)} with a number (agents:0), or {UNSEEN}"
            )
    if outcome is QueueOutcome.EMPTY:
        said.setdefault("agents", 0)
    counts = {name: int(said[name]) for name in _COUNTED if name in said}
    look = standing(**counts, talk=said.get("talk"))
    if look.free > look.agents:
        raise ValueError(f"{look.free} agents cannot be free where {look.agents} are logged in")
    nobody = QueueOutcome.EMPTY if look.agents == 0 else QueueOutcome.ANSWERED
    return outcome or nobody, look if seen else UNSEEN


_COUNTED = ("agents", "free", "waiting")
_MEASURES = (*_COUNTED, "talk")


def _measured(measure: str, value: str) -> float:
    if measure not in _MEASURES:
        raise ValueError(f"{measure!r} cannot be said of a queue{_meant(measure, _MEASURES)}")
    try:
        return values.duration(value) if measure == "talk" else values.count(value)
    except ValueError as error:
        raise ValueError(f"{measure}: {error}") from None


def lookups_of(written: Mapping[str, str], plan: Plan) -> Decided:
    """What web services answer: values by variable; `failed` for the name of a lookup, or for `*`.

    Raises:
        ValueError: no lookup has such a variable or such a name, or the value is longer than its field.
    """
    asked = [(node, one) for node, about in plan.about.items() for one in about.does if isinstance(one, Lookup)]
    names = {name for node, _ in asked for name in names_of(node)}
    longest = {field.variable: field.longest for _, lookup in asked for field in lookup.fields}
    decided: dict[Decision, Option] = {}
    for name, value in written.items():
        if value == FAILED and (name == ANYBODY or name in names):
            decided[Decision("lookup", name if name == ANYBODY else at_node(name))] = FAILED
        elif name not in longest:
            raise ValueError(f"{name!r} is no variable of a lookup{_meant(name, (*longest, *names))}")
        elif not value or len(value.encode()) > longest[name]:
            raise ValueError(f"{name} holds 1 to {longest[name]} bytes: no lookup could answer {shown(value)}")
        else:
            decided[Decision("answer", name)] = value
    return decided


def dials_of(written: Mapping[str, str], plan: Plan, region: str) -> Decided:
    """What people and numbers do when they are rung, from names of contacts and rotas and numbers as written.

    Of a rota it is said of everybody it names; what is said of one of them comes before that. People who have the same
    telephone do the same.

    Raises:
        ValueError: it is neither a contact or rota of the tree nor a number, or there is no such outcome.
    """
    whom = _rung_in(plan)
    rotas = {one.name: one.people() for one in whom if isinstance(one, Rota)}
    people = {one.name: one for one in whom if isinstance(one, Contact)}
    people |= {one.name: one for rota in rotas.values() for one in rota}
    said: dict[str, DialOutcome] = {}
    for name, text in sorted(written.items(), key=lambda one: one[0] in people or one[0] not in rotas):
        outcome = _outcome(name, text, DialOutcome)
        if name in people:
            said[people[name].number] = outcome
        elif name in rotas:
            said |= dict.fromkeys((one.number for one in rotas[name]), outcome)
        elif number := ANYBODY if name == ANYBODY else numbers.normalise(name, region):
            said[number] = outcome
        else:
            hint = closest(name, (*people, *rotas))
            meant = f' (did you mean "{hint}"?)' if hint else ""
            raise ValueError(f"{name!r} is neither a contact of the tree nor a number{meant}")
    telephones = [pair for about in plan.about.values() for ring in about.uses.rings for pair in ring.numbers]
    return {
        Decision("dial", person or number): said[number]
        for person, number in (*telephones, ("", ANYBODY))
        if number in said
    }


def dialled_in(plan: Plan) -> frozenset[str]:
    """Names of all contacts and rotas a tree rings."""
    whom = _rung_in(plan)
    people = (person.name for one in whom if isinstance(one, Rota) for person in one.people())
    return frozenset((*people, *(one.name for one in whom if not isinstance(one, str))))


def _rung_in(plan: Plan) -> list[Contact | Rota | str]:
    """Contacts, rotas and numbers by themselves, as the nodes name them."""
    return [ring.whom for about in plan.about.values() for ring in about.uses.rings]


def _meant(name: str, known: Collection[str]) -> str:
    """What was probably meant, or all there is."""
    hint = closest(name, known)
    return f' (did you mean "{hint}"?)' if hint else f": it has {', '.join(sorted(known)) or 'none'}"


def _outcome(name: str, written: str, outcomes: type[_Outcome], besides: str = "") -> _Outcome:
    """What becomes of whoever waits in, or is rung by, a name."""
    try:
        return outcomes(written)
    except ValueError:
        also = f", or {besides}" if besides else ""
        hint = closest(written, outcomes)
        meant = f' (did you mean "{hint}"?)' if hint else ""
        raise ValueError(f"{name}: {written!r} is none of {', '.join(outcomes)}{also}{meant}") from None


class NotUnderstood(CallrouterError):
    """A value of what was asked cannot be understood; `key` is the one an expected call has for it."""

    def __init__(self, key: str, reason: ValueError) -> None:
        super().__init__(str(reason))
        self.key = key


def understood(asked: ExpectedCall, plan: Plan, region: str, now: datetime) -> tuple[CallOffered, Script]:
    """The call that is asked for, and what everybody does in it; what must come of it is left to the one who asks.

    Raises:
        NotUnderstood: one of the values is wrong.
    """

    def read(key: str, reading: Callable[[], _Value]) -> _Value:
        try:
            return reading()
        except ValueError as error:
            raise NotUnderstood(key, error) from error

    offered = CallOffered(
        call_id="rehearsal",
        at=read("at", lambda: instant_of(asked.at, plan, now) if asked.at else now),
        did=read("to", lambda: did_of(asked.to or "", plan, region)),
        caller=read("from", lambda: caller_of(asked.from_, region)),
    )
    script = Script(
        keys=read("keys", lambda: pressed_in_turn(asked.keys)),
        ahead=read("ahead", lambda: pressed(asked.ahead)),
        hang_up_after=asked.hang_up_after,
        decided={
            **read("queues", lambda: queues_of(asked.queues, plan)),
            **read("lookups", lambda: lookups_of(asked.lookups, plan)),
            **read("dial", lambda: dials_of(asked.dial, plan, region)),
            MESSAGE: str(asked.message),
        },
    )
    return offered, script
