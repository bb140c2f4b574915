"""One side of a comparison: a rehearsed call that goes on until something is asked of it that nobody has decided yet.

Everybody keeps to what was decided: a caller answers a question that is asked again as he did before, an agent who does
not answer never does, a queue stands all the time as it stood when it was first looked at.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime

from callrouter.core.call import Call, DialOutcome, QueueOutcome, replace
from callrouter.core.conditions import VariableIs, VariableNumber, VariableStartsWith
from callrouter.core.effects import CollectDigits, Dial, Effect, EnterQueue, LookAtQueues, Lookup, Record
from callrouter.core.inputs import CallOffered, QueueLook, QueuesSeen
from callrouter.core.nodes.about import About, Question
from callrouter.core.plan import Plan
from callrouter.questions.ahead import Behind
from callrouter.questions.diff.diagram import KEYS, Decision
from callrouter.questions.diff.experience import ended, met
from callrouter.questions.examples import ORDINARY_ANSWER, Distinctions, in_words
from callrouter.questions.exploring import MESSAGE_SECONDS, keys_at, numbers_asked_for
from callrouter.questions.rehearsal import DialBehaviour, QueueBehaviour, Rehearsing, begin

WRONG = "?"
"""A key that means nothing where it is pressed."""
OTHER = "other"
"""A number no branch of the tree tells apart."""
UNSEEN = "unseen"
YES, NO = "yes", "no"
"""Somebody answers, says something after the beep, knows an answer; or does not."""

MESSAGE = Decision(kind="message")

Decided = Mapping[Decision, str]


class Tree:
    """A plan, and what is known of it."""

    def __init__(self, plan: Plan, told_apart: Distinctions) -> None:
        self.plan = plan
        self.told_apart = told_apart
        self.behind = Behind(plan)
        self._looks: dict[str, Mapping[str, QueueLook]] = {}
        self._options: dict[tuple[str, int], tuple[str, ...]] = {}
        self._decisions: dict[str, frozenset[Decision]] = {}
        self._compared: dict[str, frozenset[str]] = {}

    def begun(self, offered: CallOffered) -> Side:
        """The call as far as its first wait."""
        did = self.plan.numbers[0] if self.plan.numbers else ""
        return Side(tree=self, call=begin(self.plan, replace(offered, did=did), _Keeping(self, {}, "")), at=offered.at)

    def looks(self, queue: str) -> Mapping[str, QueueLook]:
        """How a queue can stand, one of each kind, by the words for it; the ordinary one first."""
        if queue not in self._looks:
            self._looks[queue] = {in_words(look): look for look in self.told_apart.standings(queue)}
        return self._looks[queue]

    def options(self, call: Call, asked: CollectDigits) -> tuple[str, ...]:
        """What may be keyed at a question, by names that mean the same in both trees; silence last."""
        place = call.node, asked.max_digits
        if place not in self._options:
            question = self.plan.nodes[call.node].question(asked)
            named = {question.wrong: WRONG, self.other(question): OTHER, "": ""}
            found = (keys for keys, _ in keys_at(self.plan, call, asked, self.told_apart))
            self._options[place] = tuple(dict.fromkeys(named.get(keys, keys) for keys in found))
        return self._options[place]

    def keyed(self, call: Call, asked: CollectDigits, answer: str) -> str:
        """The keys of one of the options."""
        question = self.plan.nodes[call.node].question(asked)
        return question.wrong if answer == WRONG else self.other(question) if answer == OTHER else answer

    def other(self, question: Question) -> str:
        """A number that is not told apart, and ended; empty where each is."""
        if question.number is None or not self.told_apart.plain(question.number):
            return ""
        return numbers_asked_for(question.number, self.told_apart)[0]

    def decisions(self, node: str) -> frozenset[Decision]:
        """All that may be asked behind a node of what is kept to: not what is keyed."""
        if node not in self._decisions:
            self._decisions[node] = frozenset(
                one for found in self.behind.nodes(node) for one in _decisions_of(self.plan.about[found.name])
            )
        return self._decisions[node]

    def compared(self, node: str) -> frozenset[str]:
        """Variables whose value decides of a way behind a node."""
        if node not in self._compared:
            self._compared[node] = frozenset(
                one.variable
                for found in self.behind.nodes(node)
                for one in self.plan.about[found.name].reads.conditions
                if isinstance(one, VariableStartsWith | VariableNumber) or (isinstance(one, VariableIs) and one.values)
            )
        return self._compared[node]


def _decisions_of(about: About) -> Iterator[Decision]:
    for effect in about.does:
        match effect:
            case EnterQueue(queue=queue):
                yield Decision(kind="queue", of=queue)
            case Dial():
                yield from _rung(effect)
            case Record():
                yield MESSAGE
            case LookAtQueues(queues=queues):
                yield from (Decision(kind="look", of=queue) for queue in queues)
            case Lookup(fields=fields):
                yield lookup_of(tuple(one.variable for one in fields))
                yield from (Decision(kind="answer", of=one.variable) for one in fields)
            case _:
                pass


def lookup_of(variables: tuple[str, ...]) -> Decision:
    """Whether a web service answers: two lookups that ask for the same are one."""
    return Decision(kind="lookup", of=", ".join(sorted(variables)))


class Side:
    """A call in one of the trees."""

    def __init__(self, *, tree: Tree, call: Rehearsing, at: datetime) -> None:
        self.tree = tree
        self.facing = tree.behind.facing(call.call, at)
        self._call = call
        self._last: tuple[str, tuple[str, ...], str] = ("", (), "")
        self._before = 0
        """How many answers were used."""

    @property
    def call(self) -> Call:
        """The call as it stands."""
        return self._call.call

    @property
    def plan(self) -> Plan:
        """Its tree."""
        return self.tree.plan

    @property
    def pending(self) -> Effect:
        """What it waits for."""
        return self._call.pending

    def fork(self) -> Side:
        """The same call, which goes on by itself."""
        other = Side.__new__(Side)
        other.__dict__.update(self.__dict__)
        other._call = self._call.fork(self._call.cast)
        return other

    def met_since(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """What was met since this was last asked: before what it waits for now, and by that. None: it has not moved."""
        steps = self._call.steps
        if not steps:
            return None
        self._call.steps, self._call.inputs = [], []
        passed = tuple(text for step in steps[:-1] for text in met(step.effects))
        return passed, tuple(met(steps[-1].effects))

    def answers_ahead(self, answers: tuple[str, ...]) -> tuple[str, ...]:
        """What was keyed at questions of the other side that this one has not asked yet."""
        return answers[self._before :]

    def needs(self, decided: Decided, answers: tuple[str, ...]) -> tuple[Decision, tuple[str, ...]] | None:
        """What has to be decided before it can go on, and what the decision may be, the ordinary first; or nothing."""
        match self.pending:
            case CollectDigits() as asked if not self.call.digits:
                options = self._options(asked)
                ahead = self._asked_again(options) or self._before < len(answers)
                return None if ahead else (KEYS, options)
            case EnterQueue(queue=queue):
                return _unless_decided(Decision(kind="queue", of=queue), (YES, NO), decided)
            case Dial() as dial:
                return self._whether_answered(dial, decided)
            case Record():
                return _unless_decided(MESSAGE, (YES, NO), decided)
            case LookAtQueues():
                return self._how_it_stands(decided)
            case Lookup() as lookup:
                return self._what_is_answered(lookup, decided)
            case _:
                return None

    def go_on(self, decided: Decided, answers: tuple[str, ...]) -> None:
        """To the next wait, by what is decided."""
        keys = ""
        if isinstance(asked := self.pending, CollectDigits) and not self.call.digits:
            options = self._options(asked)
            if self._asked_again(options):
                answer = self._last[2]
            else:
                answer, self._before = answers[self._before], self._before + 1
            self._last = self.call.node, options, answer
            keys = self.tree.keyed(self.call, asked, answer)
        self._call.cast = _Keeping(self.tree, decided, keys)
        self._call.go_on()

    def state(self, decided: Decided, answers: tuple[str, ...]) -> Hashable:
        """All that can matter for what follows."""
        if self.call.ended:
            return ended(self.plan, self.call)
        call = self.call
        later = self.tree.decisions(call.node)
        kept = frozenset(item for item in decided.items() if item[0] in later)
        last = self._last if call.memory else None
        place = call.node, call.state, frozenset(call.memory.items()), call.digits, self.facing(call.node)
        return place, self.tree.behind.still_read(call), self.history(), kept, last, self.answers_ahead(answers)

    def history(self) -> Hashable:
        """What counts in the end of what has happened, by names that both trees have."""
        call = self.call
        answered = [visit.queue for visit in call.queue_visits if visit.answered_at]
        reached = [dial.target for dial in call.dials if dial.answered_at]
        return (
            call.verdict,
            call.offered,
            *answered[-1:],
            "",
            *reached[-1:],
            call.messages[-1].deliver if call.messages else None,
            len(call.callbacks),
        )

    def stands_like(self, other: Side) -> bool:
        """Whether two calls that wait at nodes of the same kind have nothing else that could part them."""
        one, two = self.call, other.call
        return (
            (one.state, one.memory, one.digits) == (two.state, two.memory, two.digits)
            and self.tree.behind.still_read(one) == other.tree.behind.still_read(two)
            and self.history() == other.history()
        )

    # What is asked

    def _options(self, asked: CollectDigits) -> tuple[str, ...]:
        return self.tree.options(self.call, asked)

    def _asked_again(self, options: tuple[str, ...]) -> bool:
        node, before, _ = self._last
        return bool(self.call.memory) and node == self.call.node and before == options

    def _whether_answered(self, dial: Dial, decided: Decided) -> tuple[Decision, tuple[str, ...]] | None:
        """Of several who are rung at once, one after the other until one answers."""
        for decision in _rung(dial):
            if decision not in decided:
                return decision, (YES, NO)
            if decided[decision] == YES:
                return None
        return None

    def _how_it_stands(self, decided: Decided) -> tuple[Decision, tuple[str, ...]] | None:
        """Only the queues that the branch comes to are varied."""
        call, at = self.call, self._call.at
        seen = QueuesSeen(step=call.step, looks=_Looks(self.tree, decided), at=at)
        try:
            self.plan.nodes[call.node].resume(self.plan, call, seen, at)
        except _Undecided as undecided:
            return undecided.decision, (*self.tree.looks(undecided.decision.of), UNSEEN)
        return None

    def _what_is_answered(self, lookup: Lookup, decided: Decided) -> tuple[Decision, tuple[str, ...]] | None:
        whether = lookup_of(tuple(one.variable for one in lookup.fields))
        if whether not in decided:
            return whether, (YES, NO)
        if decided[whether] == NO:
            return None
        compared = self.tree.compared(self.call.node)
        for field in lookup.fields:
            decision = Decision(kind="answer", of=field.variable)
            if field.variable in compared and decision not in decided:
                return decision, self.tree.told_apart.answered(field)
        return None


def _rung(dial: Dial) -> tuple[Decision, ...]:
    """Whether each of those who are rung answers: a contact who got another number is the same person."""
    return tuple(Decision(kind="dial", of=one) for one in dial.names or dial.numbers)


def _unless_decided(
    decision: Decision, options: tuple[str, ...], decided: Decided
) -> tuple[Decision, tuple[str, ...]] | None:
    return None if decision in decided else (decision, options)


class _Undecided(Exception):
    def __init__(self, decision: Decision) -> None:
        super().__init__(decision)
        self.decision = decision


class _Looks(Mapping[str, QueueLook]):
    """How queues were decided to stand; asked for another one it says which."""

    def __init__(self, tree: Tree, decided: Decided) -> None:
        self._tree = tree
        self._decided = decided

    def __getitem__(self, queue: str) -> QueueLook:
        decision = Decision(kind="look", of=queue)
        if decision not in self._decided:
            raise _Undecided(decision)
        return self._tree.looks(queue)[self._decided[decision]]  # a KeyError where it is unseen

    def __iter__(self) -> Iterator[str]:
        return (decision.of for decision in self._decided if decision.kind == "look")

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Keeping:
    """A cast that keeps to what was decided."""

    def __init__(self, tree: Tree, decided: Decided, keys: str) -> None:
        self._tree = tree
        self._decided = decided
        self._keys = keys

    def ahead(self) -> str:
        return ""

    def hangs_up(self, wait: int) -> bool:
        return False

    def keys(self, call: Call, asked: CollectDigits) -> str:
        return self._keys

    def queue(self, call: Call, entered: EnterQueue) -> QueueBehaviour:
        answers = self._decided[Decision(kind="queue", of=entered.queue)] == YES
        return QueueBehaviour(outcome=QueueOutcome.ANSWERED if answers else QueueOutcome.TIMEOUT)

    def dial(self, call: Call, rung: Dial) -> DialBehaviour:
        answers = any(self._decided.get(one) == YES for one in _rung(rung))
        return DialBehaviour(outcome=DialOutcome.ANSWERED if answers else DialOutcome.NO_ANSWER)

    def speaks(self, call: Call, recorded: Record) -> float:
        return MESSAGE_SECONDS if self._decided[MESSAGE] == YES else 0.0

    def sees(self, call: Call, asked: LookAtQueues) -> Mapping[str, QueueLook]:
        return _Looks(self._tree, self._decided)

    def looks_up(self, call: Call, asked: Lookup) -> Mapping[str, str] | None:
        if self._decided[lookup_of(tuple(one.variable for one in asked.fields))] == NO:
            return None
        return {
            one.variable: self._decided.get(Decision(kind="answer", of=one.variable), ORDINARY_ANSWER)
            for one in asked.fields
        }
