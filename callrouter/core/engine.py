"""The engine: walk nodes until one waits, and say what to perform and what is now known.

`start` takes an offered call, `step` any later input; both return a `Turn`: the next call, the effects to perform
as one batch, and the facts concluded. Neither ever raises for what a caller or a switch can do. `take_over` and
`ask_again` are for a call that another engine had.

The engine keeps the clocks, the visits and the outcome, so that nodes only decide; it answers the call before the
first sound; it bounds every walk; and when something cannot be done it goes to the client's fallback once, and
otherwise ends the call as failed.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from callrouter.core import facts as fact
from callrouter.core import inputs
from callrouter.core.books import legs, recordings, supervision
from callrouter.core.books.ledger import (
    close_open_visits,
    conclude,
)
from callrouter.core.call import (
    DEFAULT_PBX,
    Call,
    CallerId,
    CallState,
    Clocks,
    DialOutcome,
    Disposition,
    EndedBy,
    QueueOutcome,
    Revision,
    Visit,
    replace,
)
from callrouter.core.lifecycle import admits
from callrouter.core.nodes.message import kept
from callrouter.core.plan import Plan
from callrouter.core.steps import taking_over
from callrouter.core.steps.people import (
    ENDED_BY,
    GIVEN_AWAY,
    agent_answered,
    bridged,
    close_offers,
    end_consultation,
    note_closed,
    recording_noted,
    recordings_changed,
    rung,
    supervised,
    supervisors_left,
)
from callrouter.core.steps.turn import Turn, refuse
from callrouter.core.steps.walk import Walk
from callrouter.core.transfers import waits
from callrouter.core.transfers.targets import MAX_TARGET, destination

MAX_DIGITS_AHEAD = 32
"""Keys kept for later; a caller who leans on the keypad fills no memory."""

MAX_NUMBER = 40
"""Characters kept of a number that did not normalise: what is longer is no number."""

MAX_NAME = 500
"""Characters kept of a caller's name."""

DIGITS = frozenset("0123456789*#ABCD")
_ENDS_PLAINLY = frozenset({inputs.PromptEnded, inputs.CollectEnded})
"""Results that complete no visit; most inputs are of these kinds, so they are asked for first."""
_KEEPS_DIGITS = frozenset({CallState.ANSWERING, CallState.PLAYING, CallState.COLLECTING, CallState.CONSULTING})


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
    return Walk(plan, offered.at, [fact.CallStarted(call=call)]).go_to(call, plan.start)


def step(plan: Plan, call: Call, told: inputs.Input) -> Turn:
    """Tell a call what happened; an input that does not fit is refused and changes nothing."""
    if not admits(call.state, type(told)):
        return refuse(call, f"{type(told).__name__} while {call.state}")
    if isinstance(told, (inputs.PromptEnded, inputs.CollectEnded)):  # first, because most inputs are
        return _end_wait(plan, call, told)
    at = told.at
    match told:
        case inputs.DigitPressed():
            return _digit_pressed(call, told)
        case inputs.LegHeard() | inputs.AgentOffered() | inputs.LegFailed() | inputs.ConsultationHeard():
            return rung(call, told)
        case inputs.SupervisorTold():
            return supervised(call, told)
        case inputs.RecordingTold():
            return recording_noted(call, recordings.hear(call, told))
        case inputs.AgentAnswered():
            return agent_answered(call, told)
        case inputs.LegAnswered(leg=leg, channel=channel, trunk=trunk):
            return bridged(call, at, None, leg, channel, trunk)
        case inputs.CallerHungUp():
            return _end(plan, call, told)
        case inputs.ControlLost():
            return _adrift(call, told)
        case inputs.RecordingFound() | inputs.MessageTaken():
            return _recording_found(plan, call, told)
        case inputs.CallAnswered():
            answered_at = call.clocks.answered_at or at
            call = replace(call, clocks=replace(call.clocks, answered_at=answered_at))
            if call.state is not CallState.ANSWERING or told.step != call.step:
                return Turn(call=call)
    return _end_wait(plan, call, told)


def take_over(call: Call, epoch: int, at: datetime) -> Turn:
    """Another engine, of this epoch, has the call from now on; nothing is asked for."""
    return taking_over.take_over(call, epoch, at)


def ask_again(plan: Plan, call: Call, at: datetime) -> Turn:
    """What the call waits for, once more, where it may have been lost: the same step, and no try is counted."""
    return taking_over.ask_again(plan, call, at)


def _digit_pressed(call: Call, told: inputs.DigitPressed) -> Turn:
    """A key: kept for the next question, or an objection to being recorded where nothing is asked."""
    if told.digit not in DIGITS:
        return refuse(call, "not a key of a telephone")
    if call.recordings and (heard := recordings.press(call, told.digit, told.at)) is not call:
        return recording_noted(call, heard)
    if call.state not in _KEEPS_DIGITS or len(call.digits) >= MAX_DIGITS_AHEAD:
        return Turn(call=call)
    return Turn(call=replace(call, digits=call.digits + told.digit))


def _end_wait(plan: Plan, call: Call, result: inputs.Result) -> Turn:
    if result.step != call.step:
        return refuse(call, f"{type(result).__name__} of step {result.step} in step {call.step}")
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
    walk = Walk(plan, at, [])
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
        if not waits.reached(call):
            return walk.give_back(call, "nobody was reached")
        # Whoever had the last part of it, it was the conversation that the node led to.
        return walk.follow(call, node, node.leave_or_finish(call, "done", "conversation over"))
    return walk.follow(call, node, node.resume(plan, call, result, at))


def _transferred(plan: Plan, call: Call, told: inputs.Transferred) -> Turn:
    """An agent has given the caller away: their conversation is over, and the caller's journey goes on."""
    walk = Walk(plan, told.at, [])
    by = call.agent or ""
    closed = close_open_visits(end_consultation(walk.facts, call, told.at), told.at)
    call = replace(note_closed(walk.facts, closed, GIVEN_AWAY), memory={})
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


def _adrift(call: Call, told: inputs.ControlLost) -> Turn:
    """Asterisk has the caller: a conversation is over, a wait goes on in its fallback, and we watch until the end."""
    reason, at = told.reason, told.at
    walk: list[fact.Fact] = []
    # A tree that had reached its end has served the caller; any other was cut short.
    verdict = call.verdict or (conclude(call) if call.state is CallState.HANGING_UP else Disposition.FAILED)
    if call.state is CallState.CONNECTED:
        call = note_closed(walk, close_open_visits(call, at), GIVEN_AWAY)
    elif told.wait_over:
        call = note_closed(walk, close_open_visits(call, at, queue=QueueOutcome.FAILED, dial=DialOutcome.FAILED))
    note = Visit(node=call.node, exit="control lost", because=reason, at=at)
    call = replace(
        call,
        state=CallState.ADRIFT,
        verdict=verdict,
        visits=(*call.visits, note),
        revision=call.revision.next(),
    )
    return Turn(call=call, facts=(*walk, fact.TroubleMet(call=call, reason=reason)))


def _recording_found(plan: Plan, call: Call, found: inputs.RecordingFound | inputs.MessageTaken) -> Turn:
    """A message that nobody goes on from is one all the same, and so is one that Asterisk's fallback took."""
    walk = Walk(plan, found.at, [])
    if isinstance(found, inputs.MessageTaken):
        call = walk.keep_messages(call, _with_message(plan, call, found))
    elif (node := plan.nodes.get(call.node)) is not None:
        call = walk.keep_messages(call, node.on_recording_found(call, found))
    return Turn(call=call, facts=tuple(walk.facts))


def _with_message(plan: Plan, call: Call, taken: inputs.MessageTaken) -> Call:
    """Once; where its node is gone, the message is for whoever reads them."""
    if any(message.recording == taken.recording for message in call.messages):
        return call
    node = plan.nodes.get(taken.node)
    if node is not None:
        return node.on_message_taken(call, taken)
    return kept(call, taken) if taken.heard else call


def _talked_until(call: Call, told: inputs.CallerHungUp) -> datetime | None:
    """When whoever was called ended the conversation that this call is in; None where it went on to the end."""
    began_at, until = call.clocks.bridged_at, told.talked_until
    if call.state is not CallState.CONNECTED or until is None or began_at is None or until < began_at:
        return None
    return min(until, told.at)


def _end(plan: Plan, call: Call, told: inputs.CallerHungUp) -> Turn:
    """The caller's side is over: close what is open, and conclude once."""
    at = told.at
    by = None if told.by_caller is None else EndedBy.CALLER if told.by_caller else EndedBy.SYSTEM
    if by is None and call.state is CallState.HANGING_UP:
        by = EndedBy.SYSTEM  # whoever did not see it knows that we had asked for it
    walk = Walk(plan, at, [])
    node = plan.nodes.get(call.node)
    if node is not None and call.state is CallState.RECORDING:
        call = walk.keep_messages(call, node.on_hangup(call, at))
    call = end_consultation(walk.facts, call, at)
    if (until := _talked_until(call, told)) is None:
        call = note_closed(walk.facts, close_open_visits(call, at), ENDED_BY[by])
    else:
        call = walk.keep(close_open_visits(legs.left(call), until))
    known, call = call, recordings.close(call, at)  # of a conversation that went on elsewhere
    walk.facts.extend(recordings_changed(known, call))
    known, (call, left) = call, supervision.close(call, at)
    walk.facts.extend(supervisors_left(known, call, left) if left else ())
    if call.offers:  # of a queue that was not ours: the fallback's
        call = close_offers(walk.facts, call, QueueOutcome.ABANDONED, at)
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
