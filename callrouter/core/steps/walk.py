"""From node to node, until one waits."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from callrouter.core import facts as fact
from callrouter.core import inputs
from callrouter.core.books import offers
from callrouter.core.call import (
    GIVEN_BACK,
    TOGETHER,
    Call,
    CallState,
    DialAttempt,
    Disposition,
    QueueVisit,
    Visit,
    replace,
)
from callrouter.core.effects import Answer, CollectDigits, Dial, Effect, EnterQueue, Hangup, Play, Record
from callrouter.core.nodes._base import Finish, Leave, Node, Stay, Step
from callrouter.core.plan import MAX_MESSAGES, MAX_VISITS, MAX_VISITS_WITHOUT_WAIT, Plan
from callrouter.core.steps.people import note_closed
from callrouter.core.steps.turn import Turn
from callrouter.core.transfers import waits
from callrouter.core.transfers.targets import Destination

_NEEDS_ANSWER = (Play, CollectDigits, EnterQueue, Record)


def in_full(plan: Plan, call: Call, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """What a node asks for, with what the engine adds: the call is answered before the first sound, and whoever is
    rung outside sees whose number is declared.
    """
    # Looking at a queue and asking a web service leave the caller with the ringing tone, if that is what they hear.
    if call.clocks.answered_at is None and isinstance(effects[0], _NEEDS_ANSWER):
        effects = (Answer(), *effects)
    last = effects[-1]
    if type(last) is Dial and not last.agent:
        identity = last.identity or plan.identity
        presented = identity and identity.presented(call.caller, call.did)
        effects = (*effects[:-1], structs.replace(last, identity=None, presented=presented))
    return effects


class Walk:
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
        ahead = Walk(self.plan, self.at, [*self.facts], self._passed)
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
        self.facts.append(fact.CallTransferred(call=call, by=by, target=target, refusal=found.refusal, kind=found.kind))
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
        call = self._visited(stay.call, GIVEN_BACK, reason)
        return self._wait(structs.replace(stay, call=call))

    def keep(self, closed: tuple[Call, QueueVisit | None, DialAttempt | None]) -> Call:
        """Note the visits that have just been completed."""
        return note_closed(self.facts, closed)

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
        last = stay.effects[-1]
        if type(last) is Record and len(stay.call.messages) >= MAX_MESSAGES:
            return self._give_up(stay.call, f"more than {MAX_MESSAGES} messages in one call")
        call = replace(stay.call, state=stay.state, step=stay.call.step + 1, revision=stay.call.revision.next())
        effects = in_full(self.plan, call, stay.effects)
        if type(last) is EnterQueue:
            visit = QueueVisit(queue=last.queue, entered_at=self.at)
            call = self._in_service(replace(call, queue_visits=(*call.queue_visits, visit), digits=""))
            self.facts.append(fact.QueueEntered(call=call, visit=visit))
        elif type(last) is Dial and last.agent:
            call = self._in_service(self._ring_colleague(call, last.agent))
        elif type(last) is Dial:
            asked = effects[-1]
            shown = asked.presented.number if type(asked) is Dial and asked.presented else ""
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
            hangup_cause=finish.cause,
        )
        return Turn(call=call, effects=(Hangup(cause=finish.cause),), facts=tuple(self.facts))

    def _give_up(self, call: Call, reason: str) -> Turn:
        self.facts.append(fact.TroubleMet(call=call, reason=reason))
        return self._finish(Finish(call=call, verdict=Disposition.FAILED, cause=41, because=reason))
