"""A call rehearsed: a caller walks the very engine that serves calls, without a switch.

A cast, most often one that plays a script, decides what caller, agents and web services do at each wait; a virtual
clock advances by the prompts' lengths and by what `waits` says of the rest. A call is a chain of steps, and a step is
never changed: whoever wants to see where another decision leads goes on from the same step twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from callrouter.core import engine, inputs
from callrouter.core.call import Call, Callback, Disposition, Message, Visit, replace
from callrouter.core.effects import Answer, CollectDigits, Effect, Hangup, Part, Play
from callrouter.core.facts import Fact, NodeVisited
from callrouter.core.plan import Plan, names_of
from callrouter.core.steps.turn import Turn
from callrouter.dialplan.documents.expected_file import ANYBODY
from callrouter.questions.decisions import KEYS, ORDINARY, Decided, Decision, Decisions, Option
from callrouter.questions.waits import Happening, happens, longest_seconds


class Script(Struct, frozen=True, kw_only=True):
    """What the caller and the others do."""

    ahead: str = ""
    """Keyed at once, while the call is being answered."""
    keys: tuple[str, ...] = ()
    """What is keyed at each question, and in each queue that a key leaves, in turn; empty: silence. After the last one:
    silence."""
    hang_up_after: int | None = None
    """The caller hangs up in the middle of this wait (from 1); None: they hear everything out."""
    decided: Mapping[Decision, Option] = field(default_factory=dict)
    """All else, by decision. A decision of `ANYBODY` holds where nothing is said of the one that is asked for; that of
    a lookup may also name the node (`at_node`). Where nothing is said, the ordinary happens."""


class Cast:
    """The caller and the others of one call, asked from its start what they do: they play a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._keys = iter(script.keys)

    def decide(self, call: Call, wait: Effect, decision: Decision) -> Option:
        """The next keys that are written, or what is said of this decision."""
        if decision == KEYS:
            return next(self._keys, "")
        nodes = [at_node(name) for name in names_of(call.node)] if decision.kind == "lookup" else []
        named = (Decision(decision.kind, name) for name in (decision.of, *nodes, ANYBODY))
        said = (self.script.decided[one] for one in named if one in self.script.decided)
        return next(said, ORDINARY[decision.kind])


def at_node(name: str) -> str:
    """How a script says which lookup it means, where it does so by a name of the node."""
    return f"node:{name}"


class RehearsedStep(Struct, frozen=True, kw_only=True):
    """A call as far as one of its waits, or as its end."""

    told: str
    """What happened, as in `Happening`."""
    done: str = ""
    """What the caller or the others did, as in `Happening`."""
    at: datetime
    call: Call
    effects: tuple[Effect, ...]
    """What is asked for thereupon; the call waits for the last of them."""
    inputs: tuple[inputs.Input, ...] = ()
    """What the engine was told since the step before, and what it took note of while the call waits."""
    facts: tuple[Fact, ...]
    before: RehearsedStep | None = None

    @property
    def wait(self) -> Effect:
        """What the call waits for; only while it has not ended."""
        return self.effects[-1]

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Nodes passed thereupon."""
        return tuple(fact.visit for fact in self.facts if isinstance(fact, NodeVisited))

    @property
    def heard(self) -> tuple[Part, ...]:
        """What the caller hears next."""
        return tuple(
            sound for effect in self.effects if isinstance(effect, Play | CollectDigits) for sound in effect.sounds
        )


class Rehearsal(Struct, frozen=True, kw_only=True):
    """The whole call."""

    call: Call
    steps: tuple[RehearsedStep, ...]
    inputs: tuple[inputs.Input, ...]
    """All that the engine was told after the offer, in order: stepping through them again gives the same call."""
    outcome: str
    """What finally had the caller: `queue:medical`, `dial:doctor`, `redirect:+44…`, `message:take_message`,
    `callback:offer`, `reject`, or the disposition when nobody and nothing had them."""
    also: frozenset[str] = frozenset()
    """Other names of the outcome: a rota for whoever was on call, a node as its file writes it, one of several rung."""

    @property
    def heard(self) -> tuple[Part, ...]:
        """All sounds, in order."""
        return tuple(sound for step in self.steps for sound in step.heard)

    def meets(self, expected: str) -> bool:
        """Whether the call ended as expected: an outcome, its first word, a disposition, or `node:NAME` passed.

        Nodes may be named as their file does: without the language (`file` for `file@en`), and for all of a snippet or
        of another client's tree by what brought it in (`word` for `word/ask`).
        """
        if expected.startswith("node:"):
            name = expected.removeprefix("node:")
            return any(name in names_of(visit.node) for visit in self.call.visits)
        return expected in (self.outcome, self.outcome.partition(":")[0], self.call.disposition, *self.also)


def rehearse(plan: Plan, offered: inputs.CallOffered, cast: Script | Cast) -> Rehearsal:
    """Walk the plan with this caller to the end of the call."""
    cast = Cast(cast) if isinstance(cast, Script) else cast
    script = cast.script
    decisions = Decisions(plan)
    step = begin(plan, offered)
    if isinstance(step.effects[0], Answer):
        step = aside(plan, step, [inputs.DigitPressed(digit=key, at=step.at) for key in script.ahead])
    wait = 1
    while not step.call.ended:
        if wait == script.hang_up_after and not isinstance(step.wait, Hangup):
            at = step.at + timedelta(seconds=longest_seconds(step.wait) / 2)
            step = tell(plan, step, Happening("the caller hangs up", [inputs.CallerHungUp(at=at, cause=16)]))
        else:
            step = follow(decisions, step, decided_by(decisions, step, cast))
        wait += 1
    return done(plan, step)


def decided_by(decisions: Decisions, step: RehearsedStep, cast: Cast) -> Decided:
    """All that a cast decides at a wait."""
    decided: dict[Decision, Option] = {}
    while decision := decisions.undecided(step.call, step.wait, step.at, decided):
        decided[decision] = cast.decide(step.call, step.wait, decision)
    return decided


def begin(plan: Plan, offered: inputs.CallOffered) -> RehearsedStep:
    """The call as far as its first wait."""
    turn = engine.start(plan, offered)
    return RehearsedStep(
        told="the call rings", at=offered.at, call=turn.call, effects=turn.effects, facts=tuple(turn.facts)
    )


def follow(decisions: Decisions, step: RehearsedStep, decided: Decided) -> RehearsedStep:
    """The call as far as its next wait, once all is decided that this one asks for."""
    return tell(decisions.plan, step, happening(decisions, step, decided))


def happening(decisions: Decisions, step: RehearsedStep, decided: Decided) -> Happening:
    """What happens at a wait, and the answer to the call before it where that is asked for besides."""
    if not isinstance(step.effects[0], Answer) or len(step.effects) == 1:
        return happens(decisions, step.call, step.wait, step.at, decided)
    (answered,) = happens(decisions, step.call, step.effects[0], step.at, decided).inputs
    happened = happens(decisions, step.call, step.wait, answered.at, decided)
    return replace(happened, inputs=[answered, *happened.inputs])


def tell(plan: Plan, step: RehearsedStep, happened: Happening) -> RehearsedStep:
    """Tell the engine what happened."""
    call, facts = step.call, list[Fact]()
    turn = Turn(call=call)
    for one in happened.inputs:
        turn = engine.step(plan, call, one)
        call = turn.call
        facts += turn.facts
    return RehearsedStep(
        told=happened.told,
        done=happened.done,
        at=happened.inputs[-1].at,
        call=call,
        effects=turn.effects,
        inputs=tuple(happened.inputs),
        facts=tuple(facts),
        before=step,
    )


def aside(plan: Plan, step: RehearsedStep, happened: Iterable[inputs.Input]) -> RehearsedStep:
    """Tell the engine what it only takes note of: the call goes on waiting."""
    for one in happened:
        turn = engine.step(plan, step.call, one)
        step = replace(step, call=turn.call, inputs=(*step.inputs, one), facts=(*step.facts, *turn.facts))
    return step


def done(plan: Plan, last: RehearsedStep) -> Rehearsal:
    """The whole of a call that has ended."""
    steps = [last]
    while (before := steps[-1].before) is not None:
        steps.append(before)
    steps.reverse()
    outcome = outcome_of(plan, last.call)
    return Rehearsal(
        call=last.call,
        steps=tuple(steps),
        inputs=tuple(one for step in steps for one in step.inputs),
        outcome=outcome,
        also=frozenset(_other_names(plan, last.call, outcome)),
    )


def outcome_of(plan: Plan, call: Call) -> str:
    """What finally had the caller, for an ended call."""
    match call.disposition:
        case Disposition.ANSWERED:
            answered = [visit.queue for visit in call.queue_visits if visit.answered_at]
            return f"queue:{answered[-1]}" if answered else "queue"
        case Disposition.REDIRECTED:
            return _reached(plan, call)
        case Disposition.MESSAGE_LEFT:
            left = word_left(call)
            return f"{'message' if isinstance(left, Message) else 'callback'}:{left.node}"
        case Disposition.REJECTED:
            return "reject"
        case _:
            return str(call.disposition)


def word_left(call: Call) -> Message | Callback:
    """What a caller left who reached nobody: the last of their messages and of their wishes to be called back."""
    left: tuple[Message | Callback, ...] = (*call.messages, *call.callbacks)
    return max(left, key=lambda one: one.started_at if isinstance(one, Message) else one.asked_at)


def _other_names(plan: Plan, call: Call, outcome: str) -> Iterator[str]:
    """Names other than its outcome by which the end of a call may be expected."""
    kind, _, name = outcome.partition(":")
    if kind in ("message", "callback"):
        yield from (f"{kind}:{written}" for written in names_of(name))
    elif kind == "dial":
        people = frozenset(name.split(" + "))
        yield from (f"dial:{person}" for person in people)
        rung_at = next(dial.started_at for dial in reversed(call.dials) if dial.answered_at)
        passed = (plan.about[visit.node] for visit in call.visits if visit.node in plan.nodes)
        for rota in (rota for about in passed for rota in about.reads.rotas):
            if any(one.name in people for one in rota.at(rung_at)):
                yield f"dial:{rota.name}"


def _reached(plan: Plan, call: Call) -> str:
    """The contact or the number that took the call."""
    reached = next((dial.target for dial in reversed(call.dials) if dial.answered_at), "")
    passed = {call.node, *(visit.node for visit in call.visits)} & plan.about.keys()
    redirected = any(ring.whom == reached for node in passed for ring in plan.about[node].uses.rings)
    return f"redirect:{reached}" if redirected else f"dial:{reached}"
