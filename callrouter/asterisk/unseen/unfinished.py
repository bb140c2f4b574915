"""Ends the calls that were in progress when an engine ended, and that nobody has seen since.

An engine that is killed leaves its calls to their channels; the next one finds them there, or in Asterisk's journal.
What our own journal (`store.writing.live_journal`) has of one whose end that engine saw is told before: who ended it,
when, and all that was decided. Only when Asterisk is killed too, as by a machine that is reset, is nothing left of them
there: no channel, no row. Then it says what they had reached, and until when somebody saw them. They end then, and
their record is a guess that whoever knows better corrects.

The channels are asked for first, and Asterisk's journal is collected next: who has no channel at the first look, and no
row at the second, has ended unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from callrouter.asterisk.ended_row import Listen, last_known, with_recording
from callrouter.asterisk.journal import Known, Pauses, PlanLookup, Tell
from callrouter.asterisk.pbx.astdb import Collects
from callrouter.core import engine, inputs, state
from callrouter.core.call import DEFAULT_PBX, Call, Revision, replace
from callrouter.core.facts import CallEnded
from callrouter.core.plan import Plan
from callrouter.errors import StateDecodeError, StoreError

log = structlog.get_logger(__name__)

_CALL_VARIABLE = "CR_CALL"


class LiveJournal(Protocol):
    """What an engine keeps of calls in progress (`store.writing.live_journal`)."""

    taken_over: asyncio.Event

    @property
    def left(self) -> Mapping[str, tuple[bytes, datetime]]: ...

    def resumed(self, call_ids: Iterable[str]) -> None: ...

    def told(self, call_id: str) -> None: ...

    def safe(self, call_ids: Iterable[str]) -> None: ...


class Ended(Protocol):
    """Asterisk's journal (`journal.EndedJournal`)."""

    def knows(self, call_id: str) -> bool: ...

    async def collect(self, tell: Tell) -> list[str]: ...


class UnfinishedCalls:
    """Collects Asterisk's journal, and ends what only ours knows of.

    Args:
        link: the link to Asterisk.
        ended: Asterisk's journal.
        kept: our own.
        plans: how a state finds its plan.
        live: which calls are being driven.
        known: which are in the record.
        listen: what their recordings hold.
    """

    def __init__(
        self,
        link: Collects,
        ended: Ended,
        kept: LiveJournal,
        plans: PlanLookup,
        *,
        live: Callable[[str], bool],
        known: Known,
        listen: Listen | None = None,
        pbx: str = DEFAULT_PBX,
    ) -> None:
        self._link = link
        self._ended = ended
        self._kept = kept
        self._plans = plans
        self._live = live
        self._known = known
        self._listen = listen
        self._pbx = pbx
        self._unreadable: set[str] = set()

    async def collect(self, tell: Tell) -> list[str]:
        """Report the calls of Asterisk's journal, and then those that ended with it; returns their ids.

        Raises:
            AmiError: the link went away meanwhile; nothing is lost, the next round collects again.
        """
        await self._kept.taken_over.wait()
        self._kept.resumed([call_id for call_id in self._kept.left if self._live(call_id)])
        if not self._kept.left:
            return await self._ended.collect(tell)
        snapshot = await self._link.collect("Status", {"Variables": _CALL_VARIABLE})
        there = {_call_of(message["Variable"]) for message in snapshot if message["Event"] == "Status"}
        gone = [call_id for call_id in self._kept.left if call_id not in there]
        told = await self._end(gone, tell, seen=True)
        told += await self._ended.collect(tell)
        return [*told, *await self._end([call_id for call_id in gone if call_id in self._kept.left], tell)]

    async def _end(self, call_ids: Sequence[str], tell: Tell, *, seen: bool = False) -> list[str]:
        """`seen`: only those of which that engine saw the end; it knows it better than Asterisk's journal does."""
        unseen = [one for one in call_ids if one not in self._unreadable and not self._is_known(one)]
        try:
            recorded = await self._known(unseen) if unseen else {}
        except StoreError:  # then the record sorts it out; a call lost would be worse than one counted twice
            recorded = {}
        self._kept.safe(recorded)
        told, pause = [], Pauses()
        for call_id in unseen:
            if call_id not in recorded and await self._end_one(call_id, tell, seen=seen):
                told.append(call_id)
            await pause.if_due()
        if told and seen:
            log.info("calls whose end an engine before us saw, and did not record, were recorded", calls=len(told))
        elif told:
            log.warning("calls were in progress when engine and Asterisk ended; they ended with them", calls=len(told))
        return told

    def _is_known(self, call_id: str) -> bool:
        return self._live(call_id) or self._ended.knows(call_id)

    async def _end_one(self, call_id: str, tell: Tell, *, seen: bool) -> bool:
        encoded, known_at = self._kept.left[call_id]
        try:
            plan = await self._plans.by_version(*state.peek(encoded))
            if seen and not (plan is not None and state.decode(plan, encoded).ended):
                return False
            call = unseen_end(plan, encoded, known_at, self._listen)
        except StoreError as error:
            log.debug("a call that ended unseen waits for its plan", call_id=call_id, reason=str(error))
            return False
        except StateDecodeError as error:  # another release's, say
            self._unreadable.add(call_id)
            log.warning("a call that ended unseen cannot be recorded", call_id=call_id, reason=str(error))
            return False
        except Exception:  # whatever it is that makes old documents fail, it is this call's: it stays where it is
            self._unreadable.add(call_id)
            log.exception("a call that ended unseen cannot be recorded", call_id=call_id)
            return False
        if self._is_known(call_id) or call_id not in self._kept.left:
            return False  # somebody saw its end while we looked for its plan
        tell(CallEnded(call=replace(call, call_id=call_id, pbx=self._pbx)))
        self._kept.told(call_id)
        return True


def unseen_end(plan: Plan | None, encoded: bytes, known_at: datetime, listen: Listen | None = None) -> Call:
    """The call of a state, ended when it was last seen, as a guess; who had ended already is told as it did.

    Raises:
        StateDecodeError: the state does not read back, for want of its plan as it may be.
    """
    if plan is None:
        raise StateDecodeError("the version of the plan that the call walked is not known any more")
    call = state.decode(plan, encoded)
    if call.ended:
        return call
    if listen is not None and call.recording_at is not None:
        call = with_recording(plan, call, listen)
    at = max(known_at, last_known(call))
    ended = engine.step(plan, call, inputs.CallerHungUp(at=at, by_caller=None)).call
    return replace(ended, revision=Revision(call.revision.epoch))


def _call_of(variable: str) -> str:
    return variable.partition("=")[2]
