"""For tests of trees, ours and clients': a call written down as a transcript, played against the engine.

    call = Playbook(plan)
    call.offer("+33199000010").expects("answer", "collect 1: welcome")
    call.answered().digits("2").collect_ended().expects("queue sales")
    call.agent_answers("agent-1").queue_left(QueueOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)

What the caller or the switch does and what the engine asks for alternate; each effect must be expected before the next
input, as text (`core.effects.describe_effect`), as an effect, or as a type of effect. A mismatch shows the whole
transcript with an arrow; a script that stops before the call's end fails. After every step the call is serialised, read
back and compared. There is no event loop, and no time but the one the script lets pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from callrouter.core import engine, inputs, state
from callrouter.core.books.ledger import conclude
from callrouter.core.books.legs import open_legs
from callrouter.core.books.offers import open_offers
from callrouter.core.books.recordings import kept as kept_recordings
from callrouter.core.call import (
    Call,
    CallerId,
    DialOutcome,
    Disposition,
    LegFailure,
    Presentation,
    QueueOutcome,
    RecordOutcome,
    replace,
)
from callrouter.core.effects import Effect, Sound, describe_effect
from callrouter.core.facts import CallEnded, Fact
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule
from callrouter.core.steps.turn import Turn

TUESDAY_10 = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
"""10:00 on a working Tuesday in Paris."""

Expected = str | Effect | type[Effect]

_unfinished: set[Playbook] = set()


def sound(text: str, seconds: float = 2.0) -> Sound:
    """A sound that exists on paper."""
    return Sound(file=f"paper/{text}", seconds=seconds, text=text)


def plan_of(*nodes: Node, fallback: str = "", schedules: Mapping[str, Schedule] | None = None) -> Plan:
    """A plan of these nodes, which starts with the first of them; each gets a line, as in a file."""
    placed = {node.name: node if node.line else replace(node, line=10 * place) for place, node in enumerate(nodes, 1)}
    return Plan(
        client="acme",
        name="Acme",
        version="0123456789ab",
        numbers=("+33199000010",),
        timezone="Europe/Paris",
        language="fr",
        start=nodes[0].name,
        nodes=placed,
        fallback=fallback,
        schedules=schedules or {},
        source="acme.yaml",
    )


def assert_serialises(plan: Plan, call: Call) -> bytes:
    """Serialise a call, read it back and compare; what may be lost for want of room is lost by its rules.

    Raises:
        AssertionError: something else changed, or the serialised form is too long.
    """
    encoded = state.encode(plan, call)
    assert len(encoded) <= state.MAX_ENCODED, f"the state takes {len(encoded)} characters"
    assert state.peek(encoded) == (call.client, call.plan_version)
    again = state.decode(plan, encoded)
    rung = open_offers(call)
    assert again.offers == rung[len(rung) - len(again.offers) :], _first_difference(call, again)
    assert again.legs == open_legs(call), _first_difference(call, again)
    assert again.recordings == kept_recordings(call), _first_difference(call, again)
    call, again = (replace(one, offers=(), legs=(), holds=(), recordings=()) for one in (call, again))
    if again == call:
        return encoded
    dropped = again.visits_dropped - call.visits_dropped
    assert dropped or len(again.caller.name) < len(call.caller.name), _first_difference(call, again)
    assert (again.caller.number, again.caller.presentation) == (call.caller.number, call.caller.presentation)
    assert call.caller.name.startswith(again.caller.name)
    assert again.visits == call.visits[dropped:]
    until = max((visit.at for visit in call.visits), default=call.clocks.ringing_at)
    assert abs(again.waiting_seconds(until) - call.waiting_seconds(until)) < 1e-3
    assert abs(again.talk_seconds() - call.talk_seconds()) < 1e-3
    assert (again.agent or "") == (call.agent or "")
    assert conclude(again) == conclude(call)
    alike = replace(
        again,
        caller=call.caller,
        visits=call.visits,
        visits_dropped=call.visits_dropped,
        queue_visits=call.queue_visits,
        dials=call.dials,
        earlier=call.earlier,
    )
    assert alike == call, _first_difference(call, alike)
    return encoded


def finish_all() -> None:
    """Fail for each playbook that was begun and not played to its end; for a fixture that runs after each test.

    Raises:
        AssertionError: a script stopped early.
    """
    stopped = [*_unfinished]
    _unfinished.clear()
    for playbook in stopped:
        raise AssertionError(f"the script stops before the end of the call:\n{playbook.transcript()}")


class Playbook:
    """One call, played step by step."""

    def __init__(self, plan: Plan, *, at: datetime = TUESDAY_10) -> None:
        self.plan = plan
        self.at = at
        self.facts: list[Fact] = []
        self.state_sizes: list[int] = []
        """Characters of the serialised call after each step."""
        self._call: Call | None = None
        self._pending: tuple[Effect, ...] = ()
        self._lines: list[str] = []
        _unfinished.add(self)

    @property
    def call(self) -> Call:
        """The call as it stands."""
        assert self._call is not None, "offer the call first"
        return self._call

    # What happens.

    def offer(
        self,
        did: str = "+33199000010",
        *,
        caller: str | None = "+33612340001",
        name: str = "",
        presentation: Presentation = Presentation.ALLOWED,
        call_id: str = "5f1c6a0e9b7d4c21",
    ) -> Playbook:
        """The call rings."""
        caller_id = CallerId(number=caller, name=name, presentation=presentation)
        self._lines.append(f">> offer {did} from {caller or presentation}")
        offered = inputs.CallOffered(call_id=call_id, did=did, caller=caller_id, at=self.at)
        return self._turned(engine.start(self.plan, offered))

    def after(self, seconds: float) -> Playbook:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
        return self

    def tells(self, told: inputs.Input) -> Playbook:
        """Any input, as it is."""
        self._nothing_pending()
        self._lines.append(f">> {told}")
        return self._turned(engine.step(self.plan, self.call, told))

    def answered(self) -> Playbook:
        """Our Answer is done."""
        return self.tells(inputs.CallAnswered(step=self.call.step, at=self.at))

    def prompt_ended(self) -> Playbook:
        """The prompts were heard."""
        return self.tells(inputs.PromptEnded(step=self.call.step, at=self.at))

    def digits(self, keys: str) -> Playbook:
        """The caller keys these; none of them asks anything of the switch by itself."""
        for key in keys:
            self.tells(inputs.DigitPressed(digit=key, at=self.at))
        return self

    def collect_ended(self) -> Playbook:
        """Collecting is over."""
        return self.tells(inputs.CollectEnded(step=self.call.step, at=self.at))

    def keys(self, keys: str) -> Playbook:
        """The caller answers a question with these keys."""
        return self.digits(keys).collect_ended()

    def silence(self) -> Playbook:
        """The caller answers a question with silence."""
        return self.collect_ended()

    def agent_rings(self, agent: str) -> Playbook:
        """The queue rings an agent."""
        return self.tells(inputs.AgentOffered(agent=agent, at=self.at))

    def agent_answers(self, agent: str) -> Playbook:
        """An agent is connected."""
        return self.tells(inputs.AgentAnswered(agent=agent, at=self.at))

    def transferred(self, target: str, *, colleague: str = "", team: str = "", foreign: bool = False) -> Playbook:
        """The agent gives the caller away; what the target means among colleagues and teams, the switch knows."""
        given = inputs.Transferred(
            step=self.call.step, target=target, colleague=colleague, team=team, foreign=foreign, at=self.at
        )
        return self.tells(given)

    def queue_left(self, outcome: QueueOutcome, *, key: str = "") -> Playbook:
        """The caller is back from the queue; `key` is the one they pressed (`EXITED`)."""
        return self.tells(inputs.QueueLeft(step=self.call.step, outcome=outcome, at=self.at, key=key))

    def somebody_answers(self, leg: int = 0) -> Playbook:
        """Somebody of the client's is connected: of several, the one at this position."""
        return self.tells(inputs.LegAnswered(leg=leg, at=self.at))

    def leg_fails(self, leg: int = 0, *, sip: int = 486, cause: int = 17) -> Playbook:
        """Somebody who is rung is not reached, and the network says why."""
        return self.tells(inputs.LegFailed(failure=LegFailure(leg=leg, sip=sip, cause=cause), at=self.at))

    def dial_ended(self, outcome: DialOutcome) -> Playbook:
        """The dial is over."""
        return self.tells(inputs.DialEnded(step=self.call.step, outcome=outcome, at=self.at))

    def recorded(self, seconds: float, outcome: RecordOutcome = RecordOutcome.FINISHED) -> Playbook:
        """The recording is over; its time passes."""
        self.after(seconds)
        return self.tells(inputs.RecordingEnded(step=self.call.step, outcome=outcome, seconds=seconds, at=self.at))

    def queues_seen(self, **looks: inputs.QueueLook) -> Playbook:
        """The queues were looked at; those not given could not be."""
        return self.tells(inputs.QueuesSeen(step=self.call.step, looks=looks, at=self.at))

    def lookup_done(self, **values: str) -> Playbook:
        """The web service answered."""
        return self.tells(inputs.LookupDone(step=self.call.step, values=values, at=self.at))

    def lookup_fails(self, reason: str = "no answer in time") -> Playbook:
        """The web service did not answer with what was wanted."""
        return self.tells(inputs.LookupFailed(step=self.call.step, reason=reason, at=self.at))

    def command_fails(self, reason: str = "no such file") -> Playbook:
        """What we asked for could not be done."""
        return self.tells(inputs.CommandFailed(step=self.call.step, reason=reason, at=self.at))

    def control_lost(self, reason: str = "the lease ran out") -> Playbook:
        """Asterisk took the call back."""
        return self.tells(inputs.ControlLost(reason=reason, at=self.at))

    def hangs_up(self, cause: int | None = 16) -> Playbook:
        """The caller's side is over."""
        return self.tells(inputs.CallerHungUp(at=self.at, cause=cause))

    # What must follow.

    def expects(self, *expected: Expected) -> Playbook:
        """Exactly these effects were asked for by the last step."""
        done, self._pending = self._pending, ()
        if len(done) == len(expected) and all(_fits(want, did) for want, did in zip(expected, done, strict=True)):
            self._lines += [f"<< {describe_effect(effect)}" for effect in done]
            return self
        self._lines += _compared(expected, done)
        raise self._failed("the call did something else")

    def expects_nothing(self) -> Playbook:
        """The last step asked for nothing."""
        return self.expects()

    def passes(self, *visits: str) -> Playbook:
        """The journey so far is this, each visit as `node:exit`."""
        passed = tuple(f"{visit.node}:{visit.exit}" for visit in self.call.visits)
        if passed != visits:
            self._lines += [f"   expected  {' '.join(visits)}", f"=> passed    {' '.join(passed)}"]
            raise self._failed("the call went another way")
        return self

    def ends(self, disposition: Disposition) -> Playbook:
        """The call is over, with this outcome; the script is complete."""
        self._nothing_pending()
        _unfinished.discard(self)
        if not self.call.ended:
            raise self._failed(f"the call is not over, it is {self.call.state}")
        if self.call.disposition is not disposition:
            self._lines.append(f"=> ended {self.call.disposition}, expected {disposition}")
            raise self._failed("the call ended otherwise")
        assert [type(fact) for fact in self.facts].count(CallEnded) == 1
        return self

    def stops_here(self) -> Call:
        """The call as it stands, for a test that goes on without the script."""
        _unfinished.discard(self)
        return self.call

    def transcript(self) -> str:
        """All that happened so far, `>>` in and `<<` out."""
        return "\n".join(
            [*self._lines, *(f"=> {describe_effect(effect)}  (not expected yet)" for effect in self._pending)]
        )

    def _turned(self, turn: Turn) -> Playbook:
        self._call, self._pending = turn.call, turn.effects
        self.facts += turn.facts
        self.state_sizes.append(len(assert_serialises(self.plan, turn.call)))
        return self

    def _nothing_pending(self) -> None:
        if self._pending:
            raise self._failed("the call did something that the script does not expect")

    def _failed(self, why: str) -> AssertionError:
        _unfinished.discard(self)
        return AssertionError(f"{why}:\n{self.transcript()}")


def _fits(expected: Expected, effect: Effect) -> bool:
    if isinstance(expected, str):
        return describe_effect(effect) == expected
    if isinstance(expected, type):
        return isinstance(effect, expected)
    return effect == expected


def _shown(expected: Expected | None) -> str:
    if expected is None:
        return "nothing"
    if isinstance(expected, str):
        return expected
    return f"any {expected.__name__}" if isinstance(expected, type) else describe_effect(expected)


def _compared(expected: tuple[Expected, ...], done: tuple[Effect, ...]) -> list[str]:
    lines = []
    for place in range(max(len(expected), len(done))):
        want = expected[place] if place < len(expected) else None
        did = done[place] if place < len(done) else None
        fits = want is not None and did is not None and _fits(want, did)
        arrow = "<<" if fits else "=>"
        shown = (_shown(did), _shown(want))
        if not fits and shown[0] == shown[1]:
            shown = (repr(did), repr(want))
        lines.append(f"{arrow} {shown[0]}" + ("" if fits else f"    expected: {shown[1]}"))
    return lines


def _first_difference(call: Call, again: Call) -> str:
    for name in Call.__struct_fields__:
        before, after = getattr(call, name), getattr(again, name)
        if before != after:
            return f"{name} was {before!r} and reads back as {after!r}"
    return "no field differs"
