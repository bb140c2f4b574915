"""The one place where inputs and effects meet: input, step, perform, pass on the facts.

A call is stepped where its input arrives, in the reader of the switch's link, without a task or a queue of its own:
the core decides in microseconds and the switch only writes to a socket, so nothing there can wait, and a call
costs no context switch. What arrives while a step is being carried out (a switch that fails at once tells so from
within `perform`) is kept in the mailbox and taken next, so that steps never nest.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import perf_counter

import structlog

from callrouter.core import engine, facts, state
from callrouter.core.books.redating import redated
from callrouter.core.call import DEFAULT_PBX, Call, CallState, replace
from callrouter.core.effects import Effect, Hangup, Lookup
from callrouter.core.inputs import CallerHungUp, CallOffered, CommandFailed, ControlLost, Input
from callrouter.core.plan import Plan
from callrouter.core.steps.turn import Turn
from callrouter.errors import CoreError
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.ports import NOT_KEPT, CallKeeper, Clock, Meter, Plans, Switch, WebServices

log = structlog.get_logger(__name__)

_CONSULTING, _ENDED = CallState.CONSULTING, CallState.ENDED  # bound once: asked for at every step
_TO_KEEP = frozenset(
    {
        facts.Bridged,
        facts.ConsultationChanged,
        facts.OfferMade,
        facts.HoldNoted,
        facts.RecordingNoted,
        facts.SupervisionNoted,
    }
)
"""Facts that are written to the channel at once."""


class Driver:
    """Steps all live calls; the Inbox of the switch and of the web services."""

    def __init__(
        self,
        switch: Switch,
        web: WebServices,
        *,
        plans: Plans,
        clock: Clock,
        listeners: Listeners,
        meter: Meter,
        calls: LiveCalls,
        pbx: str = DEFAULT_PBX,
        epoch: int = 0,
        keeper: CallKeeper = NOT_KEPT,
    ) -> None:
        """`pbx` and `epoch` go into each call's record: where it came in, and which engine has it. `keeper` is told
        each state that a call reaches, the last one too.
        """
        self.calls = calls
        self._pbx = pbx
        self._epoch = epoch
        self._switch = switch
        self._web = web
        self._plans = plans
        self._clock = clock
        self._listeners = listeners
        self._meter = meter
        self._keeper = keeper
        self._mailbox: deque[tuple[str, Input] | CallOffered] = deque()
        self._stepping = False
        self._guessing = False
        switch.tells(self)
        web.tells(self)

    def offer(self, offered: CallOffered) -> None:
        """A new call rings."""
        self._mailbox.append(offered)
        self._take_turns()

    def tell(self, call_id: str, told: Input) -> None:
        """Something happened to a call; unknown and ended calls are ignored."""
        if self._stepping:
            self._mailbox.append((call_id, told))
            return
        self._stepping = True
        try:
            self._step(call_id, told)
        except Exception:  # a fault of ours, whatever it is, is one call's
            self._note_fault(call_id)
        finally:
            self._stepping = False
        if self._mailbox:
            self._take_turns()

    def take_over(self, plan: Plan, call: Call, at: datetime) -> LiveCall:
        """Go on with a live call that another engine had, by the plan it walks; nothing is asked for."""
        turn = engine.take_over(replace(call, pbx=self._pbx), self._epoch, at)
        live = LiveCall(turn.call, plan)
        self.calls.add(live)
        with contextlib.suppress(CoreError):  # its channel has the state of before
            self._keeper.note(live.call.call_id, state.encode(plan, live.call))
        self._listeners.tell(turn.facts)
        return live

    def ask_again(self, call_id: str) -> None:
        """Have what a call waits for done once more: nobody did it, or nobody heard how it went."""
        live = self.calls.get(call_id)
        if live is None:
            return
        turn = engine.ask_again(live.plan, live.call, self._clock.now())
        if turn.effects:
            self._perform(live.plan, turn, turn.effects)

    def redate(self, by: timedelta) -> None:
        """The clock was set: what live calls have lasted stays true, and their dates are those of the new one."""
        for live in self.calls:
            live.call = redated(live.call, by)

    def conclude(self, reason: str, at: datetime) -> None:
        """Nobody will hear of the live calls any more: they ended at that time, at the latest known.

        Each is a guess: where Asterisk's journal knows better, its row corrects the record.
        """
        self._guessing = True
        for live in self.calls:
            self.tell(live.call.call_id, ControlLost(reason=reason, at=at))
            self.tell(live.call.call_id, CallerHungUp(at=at, by_caller=None))
        self._guessing = False

    def _take_turns(self) -> None:
        if self._stepping:
            return
        self._stepping = True
        mailbox = self._mailbox
        try:
            while mailbox:
                mail = mailbox.popleft()
                try:
                    if type(mail) is tuple:
                        self._step(*mail)
                    elif isinstance(mail, CallOffered):
                        self._begin(mail)
                except Exception:  # a fault of ours, whatever it is, is one call's: the others' mail is read
                    self._note_fault(mail[0] if isinstance(mail, tuple) else mail.call_id)
        finally:
            self._stepping = False

    def _begin(self, offered: CallOffered) -> None:
        if offered.call_id in self.calls:
            log.warning("a call was offered twice", call_id=offered.call_id)
            return
        plan = self._plans.for_did(offered.did)
        began = perf_counter()
        try:
            turn = engine.start(plan, offered, pbx=self._pbx, epoch=self._epoch)
        except Exception:
            self._note_fault(offered.call_id)
            # Asterisk's journal gives the call its record; nobody else will ask the switch to forget it.
            self._switch.release(offered.call_id)
        else:
            self._meter.observe_decision(perf_counter() - began)
            self.calls.add(LiveCall(turn.call, plan))
            self._carry_out(plan, turn)

    def _step(self, call_id: str, told: Input) -> None:
        live = self.calls.get(call_id)
        if live is None:
            return
        plan, call = live.plan, live.call
        began = perf_counter()
        try:
            turn = engine.step(plan, call, told)
        except Exception:
            self._note_fault(call_id)
            if not isinstance(told, CallerHungUp):
                return
            turn = engine.fail(call, told.at, told.cause)
        else:
            self._meter.observe_decision(perf_counter() - began)
        live.call = turn.call
        if call.state is _CONSULTING and turn.call.state is not _CONSULTING:
            self._web.cancel(call_id)
        if turn.call.state is _ENDED:
            self.calls.remove(call_id)
        self._carry_out(plan, turn)

    @staticmethod
    def _note_fault(call_id: str) -> None:
        """A fault of ours: this call is left to its lease, and Asterisk's fallback takes the caller; others go on."""
        log.exception("the engine failed to decide; Asterisk's fallback will take the call", call_id=call_id)

    def _carry_out(self, plan: Plan, turn: Turn) -> None:
        if turn.effects:
            self._perform(plan, turn, turn.effects)
        elif any(type(fact) in _TO_KEEP for fact in turn.facts):
            # Nothing is commanded now, and for minutes: whoever finds this call must know that it was answered, and
            # who was rung, so that the numbers of further offers go on.
            self._keep(plan, turn.call)
        if turn.facts:
            self._listeners.tell(engine.guessed(turn.facts) if self._guessing else turn.facts)
        if turn.call.state is _ENDED:
            with contextlib.suppress(CoreError):  # then the state noted before stands
                self._keeper.note(turn.call.call_id, state.encode(plan, turn.call))
            self._switch.release(turn.call.call_id)

    def _keep(self, plan: Plan, call: Call) -> None:
        with contextlib.suppress(CoreError):  # then the state written before stands
            encoded = state.encode(plan, call)
            self._keeper.note(call.call_id, encoded)
            self._switch.keep(call, encoded)

    def _perform(self, plan: Plan, turn: Turn, effects: Sequence[Effect]) -> None:
        call, last = turn.call, effects[-1]
        try:
            encoded = state.encode(plan, call)
        except CoreError as error:
            if type(last) is Hangup:  # the state noted before stands
                self._switch.perform(call, b"", effects)
                return
            # The caller's journey is more than the call can carry: they are served by the client's fallback.
            self.tell(call.call_id, CommandFailed(step=call.step, reason=str(error), at=self._clock.now()))
            return
        self._keeper.note(call.call_id, encoded)
        self._switch.perform(call, encoded, effects)
        if type(last) is Lookup:
            self._web.start(call.call_id, call.step, last)
