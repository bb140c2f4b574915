"""What has to be decided at a wait of a call, and the options; `waits` says what happens then.

Whoever plays a call decides, and nobody needs to know more of a wait than this: a script (`route`, expected routes), a
search for every outcome (`route --all`), a comparison of two trees (`diff`), or chance (the tests of the proof).

A new kind of wait is added here and in `waits`, and nowhere else in the questions: its decisions in `decisions_of`,
their options in `Decisions.options`, what happens and its words in `waits.happens`. mypy names what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, assert_never

from msgspec import Struct

from callrouter.core.call import Call, DialOutcome, QueueOutcome
from callrouter.core.effects import (
    Answer,
    CollectDigits,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    LookAtQueues,
    Lookup,
    Play,
    Record,
)
from callrouter.core.inputs import QueueLook, QueuesSeen
from callrouter.core.nodes.about import NumberAsked, Question
from callrouter.core.plan import Plan
from callrouter.dialplan.documents.expected_file import FAILED
from callrouter.questions.ahead import Ahead
from callrouter.questions.examples import ORDINARY_ANSWER, QUIET, Distinctions, describe_look
from callrouter.questions.once import found_once

Kind = Literal["keys", "queue", "dial", "message", "look", "lookup", "answer", "draw"]


class Decision(Struct, frozen=True):
    """Something that is up to the caller, to somebody else, or to chance."""

    kind: Kind
    of: str = ""
    """The queue, the person or number, the variables of a web service; empty for what the caller does."""


Option = str | QueueLook
"""What may be decided. How a queue stands is a look, or `UNSEEN`; all else is a text, as in tables of expected routes:
keys, the outcome of a queue or of ringing, the seconds a caller speaks, `ANSWERED` or `FAILED`, a variable's value."""

Decided = Mapping[Decision, Option]

KEYS: Final = Decision("keys")
"""What is keyed at the next question, or in a queue that a key leaves; nothing is silence, and patience."""
MESSAGE: Final = Decision("message")
DRAW: Final = Decision("draw")
"""Which share of the calls the call is drawn into: known from its beginning, and asked at no wait."""

WRONG, OTHER = "?", "other"
"""Keys by what they mean in any tree: none that means anything there, and a number that no condition tells apart."""
ANSWERED, UNSEEN = "answered", "unseen"
TIMEOUT, NO_ANSWER = QueueOutcome.TIMEOUT.value, DialOutcome.NO_ANSWER.value
SPEAKS, SILENT = "10", "0"
"""Seconds that a caller speaks after the beep."""

ORDINARY: Final[Mapping[Kind, Option]] = {
    "keys": "",
    "queue": ANSWERED,
    "dial": ANSWERED,
    "message": SPEAKS,
    "look": QUIET,
    "lookup": ANSWERED,
    "answer": ORDINARY_ANSWER,
}
"""What happens where nothing is said of it."""

_ENOUGH = {("dial", ANSWERED), ("lookup", FAILED)}
"""After these, nothing more is asked at the same wait."""


def decisions_of(wait: Effect) -> tuple[Decision, ...]:
    """All that may have to be decided at a wait, in the order in which it is asked."""
    match wait:
        case CollectDigits():
            return (KEYS,)
        case EnterQueue(queue=queue, keys=keys):
            return (KEYS, Decision("queue", queue)) if keys else (Decision("queue", queue),)
        case Dial(names=names, numbers=numbers):
            # A contact who has got another number is the same person.
            return tuple([Decision("dial", whom) for whom in names or numbers])
        case Record():
            return (MESSAGE,)
        case LookAtQueues(queues=queues):
            return tuple([Decision("look", queue) for queue in queues])
        case Lookup(fields=fields):
            variables = [field.variable for field in fields]
            # Two lookups that ask for the same are one.
            whether = Decision("lookup", ", ".join(sorted(variables)))
            return (whether, *(Decision("answer", variable) for variable in variables))
        case Answer() | Play() | Hangup():
            return ()


def key_pressed(wait: Effect, decided: Decided) -> str:
    """The key by which a caller leaves the line they wait in; empty: they stay, whatever else they press."""
    key = str(decided.get(KEYS, ""))
    return key if isinstance(wait, EnterQueue) and key in wait.keys else ""


class Decisions:
    """What has to be decided at the waits of one tree; `examples` are those of all trees in question."""

    def __init__(self, plan: Plan, examples: Distinctions | None = None) -> None:
        self.plan = plan
        self.ahead = Ahead(plan)
        self.examples = examples or Distinctions(plan)

    def undecided(self, call: Call, wait: Effect, at: datetime, decided: Decided) -> Decision | None:
        """What has to be decided next before the wait can end; None: nothing more."""
        if isinstance(wait, CollectDigits) and call.digits:
            return None
        if isinstance(wait, LookAtQueues):
            return self._queue_looked_at(call, at, decided)
        for decision in decisions_of(wait):
            if decision not in decided:
                return decision
            if (decision.kind, decided[decision]) in _ENOUGH or key_pressed(wait, decided):
                return None
        return None

    def _queue_looked_at(self, call: Call, at: datetime, decided: Decided) -> Decision | None:
        """Of the queues that a node may look at, the first it really asks for and of which nothing is decided."""
        looks = _Looks(decided)
        seen = QueuesSeen(step=call.step, looks=looks, at=at)
        self.plan.nodes[call.node].resume(self.plan, call, seen, at)
        return looks.missing

    def options(self, call: Call, wait: Effect, decision: Decision) -> Mapping[Option, int]:
        """What may be decided, the ordinary first, and how far out of a caller's way each option is.

        What is expected costs nothing, keys little, silence and mistakes more. One of each kind that some condition
        tells apart is there; of what no condition reads, the ordinary alone.
        """
        match decision.kind:
            case "keys":
                if isinstance(wait, EnterQueue):
                    return {"": 0, **dict.fromkeys(wait.keys, 3)}
                assert isinstance(wait, CollectDigits)
                asked = self._keys(self.plan.nodes[call.node].question(wait))
                return {option: effort for option, (_, effort) in asked.items()}
            case "queue":
                return {ANSWERED: 0, TIMEOUT: 4}
            case "dial":
                return {ANSWERED: 0, NO_ANSWER: 3 if decision == decisions_of(wait)[0] else 0}
            case "message":
                return {SPEAKS: 0, SILENT: 5}
            case "look":
                looks = self.examples.standings(decision.of)
                return {**{look: 0 if look == QUIET else 2 for look in looks}, UNSEEN: 5}
            case "lookup":
                return {ANSWERED: 0, FAILED: 4}
            case "answer":
                return self._answer_options(call, wait, decision.of)
            case "draw":
                raise ValueError("a draw is decided before the call")
        assert_never(decision.kind)

    @found_once
    def _keys(self, question: Question) -> Mapping[str, tuple[str, int]]:
        """By option, as it is called in any tree: the keys to press for it, and the effort; silence last."""
        number = question.number
        numbers = numbers_asked_for(number, self.examples) if number else ()
        efforts: dict[str, int] = dict.fromkeys((*question.keys, *numbers), 2)
        for keys in (*question.seldom, question.wrong, ""):
            efforts.setdefault(keys, 3)
        other = numbers[0] if number and self.examples.plain(number) else ""
        meant = {question.wrong: WRONG, other: OTHER, "": ""}
        return {meant.get(keys, keys): (keys, effort) for keys, effort in efforts.items()}

    def keys(self, call: Call, wait: CollectDigits, option: str) -> str:
        """The keys to press for one of the options; none for a kind of keys that there is not at this question."""
        if option not in (WRONG, OTHER):
            return option
        return self._keys(self.plan.nodes[call.node].question(wait)).get(option, ("", 0))[0]

    def _answer_options(self, call: Call, wait: Effect, variable: str) -> Mapping[Option, int]:
        if variable not in self.ahead.compared(call.node):
            return {ORDINARY_ANSWER: 0}
        fields = wait.fields if isinstance(wait, Lookup) else ()
        values = (value for field in fields if field.variable == variable for value in self.examples.answered(field))
        return {value: 0 if value == ORDINARY_ANSWER else 2 for value in values}

    @found_once
    def decisions_ahead(self, node: str) -> frozenset[Decision]:
        """All that may have to be decided from a node on, but for keys."""
        waits = (wait for about in self.ahead.about(node).values() for wait in about.does)
        found = (decision for wait in waits for decision in decisions_of(wait))
        return frozenset(decision for decision in found if decision != KEYS)


class _Looks(Mapping[str, QueueLook]):
    """How queues stand, as decided; it keeps the first that is asked for without a decision."""

    def __init__(self, decided: Decided) -> None:
        self._decided = decided
        self.missing: Decision | None = None

    def __getitem__(self, queue: str) -> QueueLook:
        decision = Decision("look", queue)
        look = self._decided.get(decision)
        if look is None and self.missing is None:
            self.missing = decision
        if not isinstance(look, QueueLook):
            raise KeyError(queue)
        return look

    def __iter__(self) -> Iterator[str]:
        return (decision.of for decision in self._decided if decision.kind == "look")

    def __len__(self) -> int:
        return len([*self])


def words_of(option: Option) -> str:
    """An option as a text: `agents:0,waiting:7` for a look."""
    return option if isinstance(option, str) else describe_look(option)


def numbers_asked_for(asked: NumberAsked, examples: Distinctions) -> tuple[str, ...]:
    """What may be keyed there: one number of each kind that is told apart, and the key that ends it."""
    return tuple(value + ("#" if len(value) < asked.max_digits else "") for value in examples.keyed(asked))
