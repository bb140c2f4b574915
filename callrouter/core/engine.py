"""The engine: walk nodes until one waits, and say what to perform and what is now known.

`start` takes an offered call, `step` any later input; both return a `Turn`: the next call, the effects to perform
as one batch, and the facts concluded. Neither ever raises for what a caller or a switch can do.

The engine keeps the clocks, the visits and the outcome, so that nodes only decide; it answers the call before the
first sound; it bounds every walk; and when something cannot be done it goes to the client's fallback once, and
otherwise ends the call as failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, structs

from callrouter.core import facts as fact
from callrouter.core import inputs
from callrouter.core.books import holds, legs, offers, recordings, supervision
from callrouter.core.books.ledger import (
    bridge,
    close_open_visits,
    conclude,
    leave_other,
    note_agent_offered,
    note_leg_failed,
)
from callrouter.core.call import (
    DEFAULT_PBX,
    TOGETHER,
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    EndedBy,
    Leg,
    LegPurpose,
    QueueOutcome,
    QueueVisit,
    Revision,
    Visit,
    replace,
)
from callrouter.core.effects import Answer, CollectDigits, Dial, Effect, EnterQueue, Hangup, Play, Record
from callrouter.core.lifecycle import admits
from callrouter.core.nodes._base import Finish, Leave, Node, Stay, Step
from callrouter.core.plan import MAX_MESSAGES, MAX_VISITS, MAX_VISITS_WITHOUT_WAIT, Plan
from callrouter.core.transfers import consultations, waits
from callrouter.core.transfers.targets import MAX_TARGET, Destination, destination

MAX_DIGITS_AHEAD = 32
"""Keys kept for later; a caller who leans on the keypad fills no memory."""

MAX_NUMBER = 40
"""Characters kept of a number that did not normalise: what is longer is no number."""

MAX_NAME = 500
"""Characters kept of a caller's name."""

_NEEDS_ANSWER = (Play, CollectDigits, EnterQueue, Record)
DIGITS = frozenset("0123456789*#ABCD")
_ENDS_PLAINLY = frozenset({inputs.PromptEnded, inputs.CollectEnded})
"""Results that complete no visit; most inputs are of these kinds, so they are asked for first."""
_KEEPS_DIGITS = frozenset({CallState.ANSWERING, CallState.PLAYING, CallState.COLLECTING, CallState.CONSULTING})
_WHOEVER_WAS_CALLED: Mapping[LegPurpose, EndedBy] = {
    LegPurpose.AGENT: EndedBy.AGENT,
    LegPurpose.CONTACT: EndedBy.CONTACT,
}
"""Who ended a conversation after which the caller is still there."""
_GIVEN_AWAY: Mapping[LegPurpose, EndedBy] = {}
"""Nobody did: the caller was given to somebody else."""
_ENDED_BY: Mapping[EndedBy | None, Mapping[LegPurpose, EndedBy]] = {
    None: {},
    **{by: dict.fromkeys(LegPurpose, by) for by in EndedBy},
}
"""All of them by one."""


class Turn(Struct, frozen=True, kw_only=True, gc=False):
    """What one input led to."""

    call: Call
    effects: tuple[Effect, ...] = ()
    facts: tuple[fact.Fact, ...] = ()


def start(plan: Plan, offered: inputs.CallOffered, *, pbx: str = DEFAULT_PBX, epoch: int = 0) -> Turn:
    """Take a call on and walk its tree to the first wait; `epoch` is that of the engine that takes it."""
    call = Call(
        call_id=offered.call_id,
        pbx=pbx,
        revision=Revision(epoch),
        client=plan.client,
        plan_version=plan.version,
        did=offered.did[:MAX_NUMBER],
        caller=_bounded(offered.caller),
        diverted_from=offered.diverted_from and offered.diverted_from[:MAX_NUMBER],
        trunk=offered.trunk,
        clocks=Clocks(ringing_at=offered.at),
    )
    return _Walk(plan, offered.at, [fact.CallStarted(call=call)]).go_to(call, plan.start)


def step(plan: Plan, call: Call, told: inputs.Input) -> Turn:
    """Tell a call what happened; an input that does not fit is refused and changes nothing."""
    if not admits(call.state, type(told)):
        return _refuse(call, f"{type(told).__name__} while {call.state}")
    if isinstance(told, (inputs.PromptEnded, inputs.CollectEnded)):  # first, because most inputs are
        return _end_wait(plan, call, told)
    at = told.at
    match told:
        case inputs.DigitPressed():
            return _digit_pressed(call, told)
        case inputs.LegHeard() | inputs.AgentOffered() | inputs.LegFailed() | inputs.ConsultationHeard():
            return _rung(call, told)
        case inputs.SupervisorTold():
            return _supervised(call, told)
        case inputs.RecordingTold():
            return _recording_noted(call, recordings.hear(call, told))
        case inputs.AgentAnswered():
            return _agent_answered(call, told)
        case inputs.LegAnswered(leg=leg, channel=channel, trunk=trunk):
            return _bridged(call, at, None, leg, channel, trunk)
        case inputs.CallerHungUp():
            return _end(plan, call, told)
        case inputs.ControlLost(reason=reason):
            return _adrift(call, reason, at)
        case inputs.RecordingFound():
            return _recording_found(plan, call, told)
        case inputs.CallAnswered():
            answered_at = call.clocks.answered_at or at
            call = replace(call, clocks=replace(call.clocks, answered_at=answered_at))
            if call.state is not CallState.ANSWERING or told.step != call.step:
                return Turn(call=call)
    return _end_wait(plan, call, told)


def _digit_pressed(call: Call, told: inputs.DigitPressed) -> Turn:
    """A key: kept for the next question, or an objection to being recorded where nothing is asked."""
    if told.digit not in DIGITS:
        return _refuse(call, "not a key of a telephone")
    if call.recordings and (heard := recordings.press(call, told.digit, told.at)) is not call:
        return _recording_noted(call, heard)
    if call.state not in _KEEPS_DIGITS or len(call.digits) >= MAX_DIGITS_AHEAD:
        return Turn(call=call)
    return Turn(call=replace(call, digits=call.digits + told.digit))


def _end_wait(plan: Plan, call: Call, result: inputs.Result) -> Turn:
    if result.step != call.step:
        return _refuse(call, f"{type(result).__name__} of step {result.step} in step {call.step}")
    return _resume(plan, call, result, result.at)


def fail(call: Call, at: datetime, cause: int | None) -> Turn:
    """The end of a call that `step` itself cannot end, by a fault of ours: as little as can go wrong, and a record."""
    ended = replace(
        call,
        disposition=Disposition.FAILED,
        state=CallState.ENDED,
        clocks=replace(call.clocks, ended_at=at),
        hangup_cause=cause,
        revision=call.revision.next(),
    )
    return Turn(call=ended, facts=(fact.CallEnded(call=ended),))


def guessed(facts: tuple[fact.Fact, ...]) -> tuple[fact.Fact, ...]:
    """The same facts of a call whose end nobody saw: its record is the lowest of its epoch, for others to correct."""
    return tuple(
        fact.CallEnded(call=replace(one.call, revision=Revision(one.call.revision.epoch)))
        if isinstance(one, fact.CallEnded)
        else one
        for one in facts
    )


def _resume(plan: Plan, call: Call, result: inputs.Result, at: datetime) -> Turn:
    """Hand the result of a wait to the node that waits."""
    walk = _Walk(plan, at, [])
    if isinstance(result, inputs.Transferred):
        return _transferred(plan, call, result)
    if type(result) not in _ENDS_PLAINLY and call.state is CallState.CONNECTED:
        result = _of_conversation(result)
    if type(result) in _ENDS_PLAINLY:
        pass
    elif isinstance(result, inputs.QueueLeft):
        call = walk.keep(close_open_visits(call, at, queue=result.outcome))
    elif isinstance(result, inputs.DialEnded):
        call = walk.keep(close_open_visits(call, at, dial=result.outcome))
    elif isinstance(result, inputs.CommandFailed):
        call = walk.keep(close_open_visits(call, at, queue=QueueOutcome.FAILED, dial=DialOutcome.FAILED))
        if waits.is_given_away(call):
            return walk.give_back(call, result.reason)
        return walk.fall_back(replace(call, recording_at=None), result.reason)
    node = plan.nodes[call.node]
    if waits.is_given_away(call):
        if not waits.reached(result):
            return walk.give_back(call, "nobody was reached")
        # Whoever had the last part of it, it was the conversation that the node led to.
        return walk.follow(call, node, node.leave_or_finish(call, "done", "conversation over"))
    return walk.follow(call, node, node.resume(plan, call, result, at))


def _transferred(plan: Plan, call: Call, told: inputs.Transferred) -> Turn:
    """An agent has given the caller away: their conversation is over, and the caller's journey goes on."""
    walk = _Walk(plan, told.at, [])
    by = call.agent or ""
    closed = close_open_visits(_end_consultation(walk.facts, call, told.at), told.at)
    call = replace(_note_closed(walk.facts, closed, _GIVEN_AWAY), memory={})
    found = destination(plan.transfers, plan.nodes, told)
    return walk.give(call, told.target[:MAX_TARGET], found, by)


def _of_conversation(result: inputs.Result) -> inputs.Result:
    """A queue or a dial that ends after somebody had answered ended with a conversation, whatever the switch calls it.

    After a transfer it calls it nothing at all: the application was left, and never came to say how.
    """
    match result:
        case inputs.QueueLeft():
            return structs.replace(result, outcome=QueueOutcome.ANSWERED)
        case inputs.DialEnded():
            return structs.replace(result, outcome=DialOutcome.ANSWERED)
        case _:
            return result


def _bounded(caller: CallerId) -> CallerId:
    """The caller with no more text than a record needs: it is their own writing."""
    if len(caller.number or "") <= MAX_NUMBER and len(caller.name) <= MAX_NAME:
        return caller
    number = caller.number and caller.number[:MAX_NUMBER]
    return CallerId(number=number, name=caller.name[:MAX_NAME], presentation=caller.presentation)


def _rung(
    call: Call, heard: inputs.LegHeard | inputs.AgentOffered | inputs.LegFailed | inputs.ConsultationHeard
) -> Turn:
    """More was heard of those who are rung: the books change, and nothing is asked for."""
    if isinstance(heard, inputs.ConsultationHeard):
        return _consulted(call, heard)
    if isinstance(heard, inputs.LegFailed):
        return Turn(call=replace(note_leg_failed(call, heard.failure), revision=call.revision.next()))
    if isinstance(heard, inputs.LegHeard):
        after = legs.hear(offers.hear(call, heard), heard)
    else:
        after = offers.offer(call, heard)
    if after is call:
        return Turn(call=call)
    after, held = holds.noted(call, after)
    after, left = supervision.closed(call, after, heard.at)
    after, told = _note_offers(call, replace(after, revision=call.revision.next()), heard.at)
    told += [fact.HoldNoted(call=after, hold=one) for one in held]
    if left:
        told += _supervisors_left(call, after, left)
    return Turn(call=after, facts=tuple(told))


def _supervised(call: Call, told: inputs.SupervisorTold) -> Turn:
    """A supervisor joins, does something else, or has the caller from now on."""
    after = supervision.hear(call, told)
    if after is call:
        return Turn(call=call)
    after, held = holds.noted(call, replace(after, revision=call.revision.next()))
    return Turn(
        call=after,
        facts=(
            *[fact.HoldNoted(call=after, hold=one) for one in held],
            *[fact.LegEnded(call=after, leg=one) for one in legs.closed(call, after)],
            fact.SupervisionNoted(call=after, party=told.party, mode=told.mode, at=told.at),
        ),
    )


def _supervisors_left(before: Call, after: Call, left: list[Leg]) -> list[fact.Fact]:
    ended: list[fact.Fact] = [fact.LegEnded(call=after, leg=one) for one in legs.closed(before, after)]
    at = after.clocks.ringing_at
    return ended + [fact.SupervisionNoted(call=after, party=one.party, mode="", at=one.ended_at or at) for one in left]


def _recording_noted(before: Call, after: Call) -> Turn:
    """More is known of the recording of the conversation, which goes on."""
    if after is before:
        return Turn(call=before)
    after = replace(after, revision=before.revision.next())
    return Turn(call=after, facts=tuple(_recordings_changed(before, after)))


def _recordings_changed(before: Call, after: Call) -> list[fact.Fact]:
    return [fact.RecordingNoted(call=after, recording=one) for one in recordings.changed(before, after)]


def _note_offers(before: Call, after: Call, at: datetime) -> tuple[Call, list[fact.Fact]]:
    """The call with the rings of its visit counted, and what was made or ended since `before`."""
    made, ended = offers.changed(before, after)
    for _ in made:
        after = note_agent_offered(after, at)
    told: list[fact.Fact] = [fact.OfferMade(call=after, offer=one) for one in made]
    return after, told + [fact.OfferEnded(call=after, offer=one) for one in ended]


def _agent_answered(call: Call, told: inputs.AgentAnswered) -> Turn:
    if offers.has_answered(call, told.leg):
        return Turn(call=call)  # told again, perhaps after that conversation: no channel answers twice
    known = replace(offers.answer(call, told), revision=call.revision.next())
    after, rung = _note_offers(call, known, told.at)
    turn = _bridged(after, told.at, told.agent)
    entered = tuple(one for one in turn.facts if type(one) is not fact.Bridged)
    return Turn(call=turn.call, facts=(*entered, *rung, *turn.facts[len(entered) :]))


def _bridged(call: Call, at: datetime, agent: str | None, leg: int = 0, channel: str = "", trunk: str = "") -> Turn:
    """Somebody answered; a queue we did not send the caller to (the fallback's) is entered only now.

    A call adrift may be told again who has it: that is no news.
    """
    told: list[fact.Fact] = []
    if call.state is CallState.ADRIFT:
        call = _note_closed(told, leave_other(call, at, agent))
    after = replace(bridge(call, at, agent, leg), revision=call.revision.next())
    if agent is not None:
        after = legs.begin_agent(after, agent, at)
    elif after.dials[-1].agent:
        after = legs.begin_colleague(after, at, channel)
        after = _colleague_answered(told, after, at)
    else:
        after = legs.begin_contact(after, at, trunk)
    known, after = after, recordings.begin(after, at)
    told += _recordings_changed(known, after)
    if len(after.queue_visits) > len(call.queue_visits):
        told.append(fact.QueueEntered(call=after, visit=after.queue_visits[-1]))
    if after.legs_made > call.legs_made:
        told.append(fact.Bridged(call=after))
    return Turn(call=after, facts=tuple(told))


def _colleague_answered(told: list[fact.Fact], call: Call, at: datetime) -> Call:
    answered = offers.answer(call, inputs.AgentAnswered(agent=call.dials[-1].agent, at=at))
    told += [fact.OfferEnded(call=answered, offer=one) for one in offers.changed(call, answered)[1]]
    return answered


def _consulted(call: Call, told: inputs.ConsultationHeard) -> Turn:
    """An agent consults somebody, or has given them the caller: the caller waits for nothing meanwhile."""
    by = call.agent or ""
    heard = consultations.hear(call, told)
    facts: list[fact.Fact] = [fact.LegEnded(call=heard, leg=one) for one in legs.closed(call, heard)]
    if told.sign is not inputs.ConsultationSign.COMPLETED:
        if heard is call:
            return Turn(call=call)
        heard = replace(heard, revision=heard.revision.next())
        changed = fact.ConsultationChanged(call=heard, by=by, party=told.agent or told.party, sign=told.sign)
        return Turn(call=heard, facts=(*facts, changed))
    closed = _note_closed(facts, close_open_visits(heard, told.at), _GIVEN_AWAY)
    after = consultations.change_hands(closed, told, by)
    after = replace(after, revision=after.revision.next())
    facts += [
        fact.NodeVisited(call=after, visit=after.visits[-1]),
        fact.CallTransferred(call=after, by=by, target=told.agent or told.party),
        fact.Bridged(call=after),
    ]
    return Turn(call=after, facts=tuple(facts))


def _refuse(call: Call, reason: str) -> Turn:
    return Turn(call=call, facts=(fact.InputRefused(call=call, reason=reason),))


def _adrift(call: Call, reason: str, at: datetime) -> Turn:
    """Asterisk has the caller: a conversation is over, a wait goes on in its fallback, and we watch until the end."""
    walk: list[fact.Fact] = []
    # A tree that had reached its end has served the caller; any other was cut short.
    verdict = call.verdict or (conclude(call) if call.state is CallState.HANGING_UP else Disposition.FAILED)
    if call.state is CallState.CONNECTED:
        call = _note_closed(walk, close_open_visits(call, at), _GIVEN_AWAY)
    note = Visit(node=call.node, exit="control lost", because=reason, at=at)
    call = replace(
        call,
        state=CallState.ADRIFT,
        verdict=verdict,
        visits=(*call.visits, note),
        revision=call.revision.next(),
    )
    return Turn(call=call, facts=(*walk, fact.TroubleMet(call=call, reason=reason)))


def _recording_found(plan: Plan, call: Call, found: inputs.RecordingFound) -> Turn:
    """A message that nobody goes on from is one all the same."""
    walk = _Walk(plan, found.at, [])
    node = plan.nodes.get(call.node)
    if node is not None:
        call = walk.keep_messages(call, node.on_recording_found(call, found))
    return Turn(call=call, facts=tuple(walk.facts))


def _end(plan: Plan, call: Call, told: inputs.CallerHungUp) -> Turn:
    """The caller's side is over: close what is open, and conclude once."""
    at = told.at
    by = None if told.by_caller is None else EndedBy.CALLER if told.by_caller else EndedBy.SYSTEM
    walk = _Walk(plan, at, [])
    node = plan.nodes.get(call.node)
    if node is not None and call.state is CallState.RECORDING:
        call = walk.keep_messages(call, node.on_hangup(call, at))
    call = _end_consultation(walk.facts, call, at)
    call = _note_closed(walk.facts, close_open_visits(call, at), _ENDED_BY[by])
    known, call = call, recordings.close(call, at)  # of a conversation that went on elsewhere
    walk.facts.extend(_recordings_changed(known, call))
    known, (call, left) = call, supervision.close(call, at)
    walk.facts.extend(_supervisors_left(known, call, left) if left else ())
    if call.offers:  # of a queue that was not ours: the fallback's
        call = _close_offers(walk.facts, call, QueueOutcome.ABANDONED, at)
    call = replace(
        call,
        disposition=conclude(call),
        state=CallState.ENDED,
        clocks=replace(call.clocks, ended_at=at),
        hangup_cause=told.cause,
        revision=call.revision.next(),
    )
    call = legs.end_caller(call, at, by)
    return Turn(call=call, facts=(*walk.facts, fact.CallEnded(call=call)))


def _end_consultation(facts: list[fact.Fact], call: Call, at: datetime) -> Call:
    """Whom the agent still speaks to, they speak to without a caller."""
    closed = legs.close(call, LegPurpose.CONSULTATION, at, None)
    facts += [fact.LegEnded(call=closed, leg=one) for one in legs.closed(call, closed)]
    return closed


def _note_closed(
    facts: list[fact.Fact],
    closed: tuple[Call, QueueVisit | None, DialAttempt | None],
    by: Mapping[LegPurpose, EndedBy] = _WHOEVER_WAS_CALLED,
) -> Call:
    """Note what is complete; `by` is who ended a conversation that it belongs to, as far as that is known."""
    call, visit, dial = closed
    before = call
    if visit:
        at = visit.left_at or visit.entered_at
        call = _close_offers(facts, call, visit.outcome or QueueOutcome.FAILED, at)
        call = legs.close(call, LegPurpose.AGENT, at, by.get(LegPurpose.AGENT))
    if dial and dial.agent:
        at = dial.ended_at or dial.started_at
        rung = offers.ring_over(call, dial.outcome or DialOutcome.FAILED, at)
        facts += [fact.OfferEnded(call=rung, offer=one) for one in offers.changed(call, rung)[1]]
        call = legs.close(rung, LegPurpose.AGENT, at, by.get(LegPurpose.AGENT))
    elif dial:
        at = dial.ended_at or dial.started_at
        call = legs.close(call, LegPurpose.CONTACT, at, by.get(LegPurpose.CONTACT))
        call = legs.unanswered_contacts(call, dial)
    if visit and by is not _GIVEN_AWAY:  # else the recording goes on with whoever has the caller then
        call = recordings.close(call, visit.left_at or visit.entered_at)
    call, held = holds.noted(before, call)
    facts += [fact.HoldNoted(call=call, hold=one) for one in held]
    facts += _recordings_changed(before, call)
    if visit:
        facts.append(fact.QueueEnded(call=call, visit=visit))
    if dial:
        facts.append(fact.DialFinished(call=call, dial=dial))
    facts += [fact.LegEnded(call=call, leg=one) for one in legs.closed(before, call)]
    return call


def _close_offers(facts: list[fact.Fact], call: Call, outcome: QueueOutcome, at: datetime) -> Call:
    closed = offers.close(call, outcome, at)
    facts += [fact.OfferEnded(call=closed, offer=one) for one in offers.changed(call, closed)[1]]
    return closed


class _Walk:
    """One passage through nodes, from an input to the next wait."""

    def __init__(self, plan: Plan, at: datetime, facts: list[fact.Fact], passed: int = 0) -> None:
        """`passed`: nodes that the caller has passed since they last waited."""
        self.plan = plan
        self.at = at
        self.facts = facts
        self._passed = passed

    def go_to(self, call: Call, name: str) -> Turn:
        """Enter a node, and go on until one waits."""
        node = self.plan.nodes[name]
        entered = replace(call, node=name, memory={})
        return self.follow(entered, node, node.enter(self.plan, entered, self.at))

    def follow(self, before: Call, node: Node, taken: Step) -> Turn:
        """Carry out what a node answered, and what the following ones do."""
        while isinstance(taken, Leave):
            if taken.troubles:
                self._note_troubles(before, taken.troubles)
            call = self._visited(self.keep_messages(before, taken.call), taken.exit, taken.because)
            if taken.notification is not None:
                self.facts.append(fact.NotificationAsked(call=call, notification=taken.notification))
            self._passed += 1
            if self._passed > MAX_VISITS_WITHOUT_WAIT or len(call.visits) + call.visits_dropped > MAX_VISITS:
                return self._give_up(call, "the tree goes round without end")
            node = self.plan.nodes[node.exits[taken.exit]]
            before = replace(call, node=node.name, memory={})
            taken = node.enter(self.plan, before, self.at)
        if isinstance(taken, Stay):
            if taken.instead is not None and (turn := self._answered_ahead(before, node, taken.instead)):
                return turn
            if taken.troubles:
                self._note_troubles(before, taken.troubles)
            return self._wait(taken)
        return self._finish(taken)

    def _answered_ahead(self, before: Call, node: Node, left: Leave) -> Turn | None:
        """The next wait in place of the answer's own, if it begins with an answer and says or asks something."""
        ahead = _Walk(self.plan, self.at, [*self.facts], self._passed)
        turn = ahead.follow(before, node, left)
        return turn if len(turn.effects) > 1 and isinstance(turn.effects[0], Answer) else None

    def fall_back(self, call: Call, reason: str) -> Turn:
        """Something could not be done: the client's fallback, once, and otherwise the end."""
        self.facts.append(fact.TroubleMet(call=call, reason=reason))
        call = self._visited(call, "failed", reason)
        fallback = self.plan.fallback
        if not fallback or any(visit.node == fallback for visit in call.visits):
            return self._give_up(call, reason)
        return self.go_to(call, fallback)

    def give(self, call: Call, target: str, found: Destination, by: str) -> Turn:
        """An agent gives the caller away: they wait for whom the target means, or come back where that is refused."""
        whom = found.refusal or str(found)
        because = f"to {target}{f' by {by}' if by else ''}: {whom}"
        call = self._visited(call, "transfer refused" if found.refusal else "transferred", because)
        self.facts.append(fact.CallTransferred(call=call, by=by, target=target, refusal=found.refusal))
        if found.refusal:
            return self.give_back(call, f"a transfer to {target} was refused: {found.refusal}")
        if found.node:
            return self.go_to(call, found.node)
        stay = waits.wait_for(self.plan, call, found)
        assert stay is not None, "a destination is one of four"
        return self._wait(stay)

    def give_back(self, call: Call, reason: str) -> Turn:
        """Whom the caller was given to is not there: back to who gave them away, and then to the fallback."""
        stay = waits.give_back(self.plan, call)
        if stay is None:
            return self.fall_back(replace(call, memory={}), reason)
        call = self._visited(stay.call, "given back", reason)
        return self._wait(structs.replace(stay, call=call))

    def keep(self, closed: tuple[Call, QueueVisit | None, DialAttempt | None]) -> Call:
        """Note the visits that have just been completed."""
        return _note_closed(self.facts, closed)

    def keep_messages(self, before: Call, after: Call) -> Call:
        """Note what the caller has just left: messages, and wishes to be called back."""
        if after.messages is before.messages and after.callbacks is before.callbacks:
            return after
        for message in after.messages[len(before.messages) :]:
            self.facts.append(fact.MessageLeft(call=after, message=message))
        for callback in after.callbacks[len(before.callbacks) :]:
            self.facts.append(fact.CallbackAsked(call=after, callback=callback))
        return after

    def _note_troubles(self, call: Call, troubles: tuple[str, ...]) -> None:
        for reason in troubles:
            self.facts.append(fact.TroubleMet(call=call, reason=reason))

    def _visited(self, call: Call, exit_name: str, because: str) -> Call:
        visit = Visit(node=call.node, exit=exit_name, because=because, at=self.at)
        call = replace(call, visits=(*call.visits, visit))
        self.facts.append(fact.NodeVisited(call=call, visit=visit))
        return call

    def _wait(self, stay: Stay) -> Turn:
        effects = stay.effects
        last = effects[-1]
        if type(last) is Record and len(stay.call.messages) >= MAX_MESSAGES:
            return self._give_up(stay.call, f"more than {MAX_MESSAGES} messages in one call")
        call = replace(stay.call, state=stay.state, step=stay.call.step + 1, revision=stay.call.revision.next())
        # Looking at a queue and asking a web service leave the caller with the ringing tone, if that is what they hear.
        if call.clocks.answered_at is None and isinstance(effects[0], _NEEDS_ANSWER):
            effects = (Answer(), *effects)
        if type(last) is EnterQueue:
            visit = QueueVisit(queue=last.queue, entered_at=self.at)
            call = self._in_service(replace(call, queue_visits=(*call.queue_visits, visit), digits=""))
            self.facts.append(fact.QueueEntered(call=call, visit=visit))
        elif type(last) is Dial and last.agent:
            call = self._in_service(self._ring_colleague(call, last.agent))
        elif type(last) is Dial:
            identity = last.identity or self.plan.identity
            presented = identity and identity.presented(call.caller, call.did)
            effects = (*effects[:-1], structs.replace(last, identity=None, presented=presented))
            shown = presented.number if presented else ""
            attempt = DialAttempt(target=TOGETHER.join(last.names or last.numbers), started_at=self.at, shown=shown)
            call = self._in_service(replace(call, dials=(*call.dials, attempt), digits=""))
        return Turn(call=call, effects=effects, facts=tuple(self.facts))

    def _ring_colleague(self, call: Call, agent: str) -> Call:
        """A dial of an agent, which is an offer too: their screen shows the caller, and the record who let it ring."""
        attempt = DialAttempt(target=agent, started_at=self.at, agent=agent)
        before = replace(call, dials=(*call.dials, attempt), digits="")
        call = offers.offer(before, inputs.AgentOffered(agent=agent, at=self.at))
        self.facts += [fact.OfferMade(call=call, offer=one) for one in offers.changed(before, call)[0]]
        return call

    def _in_service(self, call: Call) -> Call:
        if call.clocks.entered_service_at:
            return call
        return replace(call, clocks=replace(call.clocks, entered_service_at=self.at))

    def _finish(self, finish: Finish) -> Turn:
        call = self._visited(finish.call, "end", finish.because)
        call = replace(
            call,
            state=CallState.HANGING_UP,
            step=call.step + 1,
            revision=call.revision.next(),
            verdict=finish.verdict or call.verdict,
        )
        return Turn(call=call, effects=(Hangup(cause=finish.cause),), facts=tuple(self.facts))

    def _give_up(self, call: Call, reason: str) -> Turn:
        self.facts.append(fact.TroubleMet(call=call, reason=reason))
        return self._finish(Finish(call=call, verdict=Disposition.FAILED, cause=41, because=reason))
