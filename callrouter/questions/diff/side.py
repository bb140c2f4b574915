"""One side of a comparison: a rehearsed call that goes on until something is asked that nobody has decided yet.

Everybody sticks to what was decided: a caller answers a question that is asked again as they did before, an agent who
does not answer never does, a queue stands all the time as it stood when it was first looked at.

Two calls in the same state go on in the same way, so that each `Stand` of a tree is walked on from once for each
decision, however many pairs of calls come by.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct

from callrouter.core.call import replace
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.questions.decisions import KEYS, Decided, Decision, Decisions, Option
from callrouter.questions.diff.experience import ended, met
from callrouter.questions.examples import Distinctions
from callrouter.questions.once import found_once
from callrouter.questions.rehearsal import RehearsedStep, begin, follow

Met = tuple[str, ...]
"""Things a caller meets on the way, in order."""

_Here = tuple[tuple[Decision, Option], ...]
"""What is decided of one wait, in the order in which it is asked."""


class Needed(Struct, frozen=True, kw_only=True):
    """What has to be decided before a call can go on."""

    decision: Decision
    options: tuple[Option, ...]
    """The ordinary one first."""


class Stand(Struct, frozen=True, kw_only=True, eq=False):
    """A state that calls of one tree can be in, and the first call that was; there is one of each."""

    step: RehearsedStep
    reads: Callable[[str], Hashable]
    """What the nodes ahead of a node read of who calls and when."""
    end: str
    """Where the call has ended; empty while it waits."""
    progress: Hashable
    """As in `Ahead.progress`."""


class Tree:
    """One tree, and all stands that were reached in it."""

    def __init__(self, plan: Plan, examples: Distinctions) -> None:
        self.decisions = Decisions(plan, examples)
        self._stands: dict[Hashable, Stand] = {}

    @property
    def plan(self) -> Plan:
        """The tree itself."""
        return self.decisions.plan

    def begun(self, offered: CallOffered) -> tuple[Side, Hashable]:
        """A call as far as its first wait, and all the tree reads of it; or to the first number."""
        first = self.plan.numbers[0] if self.plan.numbers else ""
        did = offered.did if offered.did in self.plan.numbers else first
        step = begin(self.plan, replace(offered, did=did))
        reads = self.decisions.ahead.offer_read(step.call, offered.at)
        stand = self._stand(step, reads)
        return Side(tree=self, stand=stand, waits=tuple(met(step.effects))), reads(self.plan.start)

    @found_once
    def needed(self, stand: Stand, here: _Here) -> Needed | None:
        """What has to be decided next of a wait of which so much is decided."""
        step = stand.step
        decision = self.decisions.undecided(step.call, step.wait, step.at, dict(here))
        if decision is None:
            return None
        return Needed(decision=decision, options=tuple(self.decisions.options(step.call, step.wait, decision)))

    @found_once
    def after(self, stand: Stand, here: _Here, again: bool) -> tuple[Stand, Met]:
        """Where a call stands next, once all of its wait is decided, and what it meets there.

        With `again` the call was here before and would go round for ever: it is walked for itself, until the engine
        ends it.
        """
        step = follow(self.decisions, stand.step, dict(here))
        return self._stand(step, stand.reads, again=again), tuple(met(step.effects))

    def _stand(self, step: RehearsedStep, reads: Callable[[str], Hashable], *, again: bool = False) -> Stand:
        call, ahead = step.call, self.decisions.ahead
        end = ended(self.plan, call) if call.ended else ""
        stand = Stand(step=step, reads=reads, end=end, progress=ahead.progress(call))
        return stand if again else self._stands.setdefault(end or ahead.state_of(call, reads), stand)


class Side(Struct, frozen=True, kw_only=True):
    """A call in one of the trees."""

    tree: Tree
    stand: Stand
    asked: tuple[str, Needed, Option] | None = None
    """The question answered last: its node, what was asked, the answer."""
    used: int = 0
    """How many of the caller's answers were used."""
    met: Met = ()
    """What was met before the present wait, since both sides last waited for the same."""
    waits: Met = ()
    """What is met at the present wait."""
    needs: Needed | None = None
    """What it goes on with; None: it has ended, or has not gone on yet."""

    @property
    def node(self) -> str:
        """Where it stands."""
        return self.stand.step.call.node

    @property
    def all_met(self) -> Met:
        """What was met, the present wait included."""
        return (*self.met, *self.waits)

    def gone_on(self, decided: Decided, answers: tuple[str, ...]) -> Side:
        """The same call, as far as the decisions and the caller's answers lead it."""
        side = self
        here: _Here = ()
        passed: set[tuple[Stand, int]] = set()
        again = False
        while not side.stand.end:
            needed = side.tree.needed(side.stand, here)
            if needed is None:
                again = again or (side.stand, side.used) in passed
                passed.add((side.stand, side.used))
                stand, waits = side.tree.after(side.stand, here, again)
                side, here = replace(side, stand=stand, met=side.all_met, waits=waits), ()
            elif needed.decision == KEYS:
                answer, used = side._answer_before(needed), side.used
                if answer is None and used == len(answers):
                    return replace(side, needs=needed)
                if answer is None:
                    answer, used = answers[used], used + 1
                side, here = replace(side, asked=(side.node, needed, answer), used=used), ((KEYS, answer),)
            elif needed.decision in decided or len(needed.options) == 1:
                here = (*here, (needed.decision, decided.get(needed.decision, needed.options[0])))
            else:
                return replace(side, needs=needed)
        return replace(side, needs=None)

    def _answer_before(self, needed: Needed) -> Option | None:
        """The answer to the same question, where it was asked just before."""
        if self.asked is None or not self.stand.step.call.memory:
            return None
        node, before, answer = self.asked
        return answer if node == self.node and before.options == needed.options else None

    def state(self, decided: Decided, answers: tuple[str, ...]) -> Hashable:
        """All that can matter for what follows."""
        if self.stand.end:
            return self.stand.end
        still_asked = self.tree.decisions.decisions_ahead(self.node)
        kept = frozenset([item for item in decided.items() if item[0] in still_asked])
        asked = self.asked if self.stand.step.call.memory else None
        return self.stand, kept, asked, answers[self.used :]
