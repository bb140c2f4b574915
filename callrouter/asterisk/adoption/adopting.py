"""Live calls of an engine that is gone: this one goes on with them where they are.

A caller's channel outlives the engine, and so do the commands that it had queued: AsyncAGI carries them out, and waits
for more until the lease ends. One `Status` with variables tells all of it: where each channel is, what runs there, how
much of its lease is left, and the call's own state. By that the core knows what is waited for, and the line asks after
it, behind whatever still runs; nothing is done twice that had its effect. A channel is in one of five places:

    a routine (queue, dial, record)    it is left alone; its result is asked for, and comes when the routine is over.
                                       Who answered while nobody listened stands on the channel (`notes`)
    AsyncAGI, and a command runs       its result is asked for behind it
    AsyncAGI, and nothing runs         the result is there: the keys that Read took, how the routine went. Who was
                                       silent to nobody is asked once more; an order that never ran is given again
    AsyncAGI, without a state          it rang while no engine was there: it is begun
    Asterisk's fallback                it has the caller, and keeps them

What is heard meanwhile waits in the switch (`hold`), new calls too. A call whose plan is found only later is taken over
then; one whose state or plan cannot be read is the fallback's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Final, Protocol

import structlog

from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.adoption.legs import legs_of
from callrouter.asterisk.adoption.snapshot import VARIABLES, Found, Snapshot, env_of, read_snapshot
from callrouter.asterisk.asyncagi import AgiEnv
from callrouter.asterisk.line.commanded import TakenUp, give_back
from callrouter.asterisk.line.line import Line
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.notes import instant, missed, noted_on
from callrouter.core import engine, inputs, state
from callrouter.core.call import Call, CallState, replace
from callrouter.core.plan import Plan
from callrouter.errors import StateDecodeError, StoreError
from callrouter.pbx_names import trunk_of
from callrouter.runtime.calls import LiveCall
from callrouter.runtime.ports import Clock
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

PLANS_SECONDS: Final = 0.3
"""How long new calls may wait for the plans of live ones."""
CALLS_A_WRITE: Final = 64
_SECOND: Final = timedelta(seconds=1)
_ANSWERED_FIRST: Final = frozenset(
    {CallState.ANSWERING, CallState.PLAYING, CallState.COLLECTING, CallState.QUEUED, CallState.RECORDING}
)
"""States in which the call has been answered, once its order was carried out."""

Find = Callable[[str, str], Awaitable[Plan | None]]
"""The plan of a client's version. Raises StoreError while that cannot be known."""
Version = tuple[str, str]


class Heir(Protocol):
    """Who goes on with calls (`runtime.driver`)."""

    def take_over(self, plan: Plan, call: Call, at: datetime) -> LiveCall: ...

    def ask_again(self, call_id: str) -> None: ...

    def tell(self, call_id: str, told: inputs.Input) -> None: ...


class Switch(Protocol):
    """Where their lines are (`switch.AsteriskSwitch`)."""

    def hold(self) -> None: ...

    def let_go(self) -> None: ...

    def knows(self, call_id: str, uniqueid: str) -> bool: ...

    def adopt(self, call_id: str, uniqueid: str, channel: str) -> Line: ...

    def take_waiting(self, env: AgiEnv, at: datetime) -> None: ...

    def follow(self, uniqueid: str, call_id: str) -> None: ...


def _nothing(call: Call, snapshot: Snapshot) -> None:
    """Nobody else goes on with anything."""


class Adoption:
    """Finds live calls after a log-in, and has them gone on with."""

    def __init__(
        self,
        link: AmiLink,
        switch: Switch,
        heir: Heir,
        *,
        find: Find,
        clock: Clock,
        tasks: Tasks,
        shift: timedelta = timedelta(),
        also: Callable[[Call, Snapshot], None] = _nothing,
    ) -> None:
        """`shift` is what the engine's clock is ahead of the PBX's; `also` hears of each call that is gone on with."""
        self._link = link
        self._switch = switch
        self._heir = heir
        self._find = find
        self._clock = clock
        self._tasks = tasks
        self._shift = shift
        self._also = also
        self._plans: dict[Version, Plan | None] = {}

    async def run(self) -> list[asyncio.Task[None]]:
        """Go on with the calls whose plans are at hand, and take what has waited; returns what still looks for plans.

        Raises:
            AmiError: the link went away.
        """
        self._switch.hold()
        self._plans.clear()
        finding: dict[Version, asyncio.Task[None]] = {}
        try:
            began = perf_counter()
            snapshot = await self._look()
            finding = self._start_finding(snapshot)
            if finding:
                await asyncio.wait(finding.values(), timeout=PLANS_SECONDS)
            taken = self._adopt_all(snapshot, finding)
            if taken:
                log.info("live calls were taken over", calls=taken, seconds=round(perf_counter() - began, 3))
        finally:
            self._switch.let_go()
        return [task for task in finding.values() if not task.done()]

    async def finish(self, finding: Sequence[asyncio.Task[None]]) -> None:
        """Go on with the others as soon as their plans are found.

        Raises:
            AmiError: the link went away.
        """
        while finding:
            await asyncio.wait(finding)
            finding = await self.run()

    async def _look(self) -> Snapshot:
        snapshot = read_snapshot(await self._link.collect("Status", {"Variables": VARIABLES}))
        cut = [found for found in snapshot.callers if found.is_cut]
        asked = [("Getvar", {"Channel": found.channel["Channel"], "Variable": "CR_STATE"}) for found in cut]
        answers = await asyncio.gather(*self._link.send_batch(asked), return_exceptions=True) if asked else ()
        for found, answer in zip(cut, answers, strict=True):
            # Of a channel that is gone meanwhile what was cut is left, which nobody can read.
            if not isinstance(answer, BaseException):
                found.values["CR_STATE"] = answer["Value"]
        return snapshot

    def _start_finding(self, snapshot: Snapshot) -> dict[Version, asyncio.Task[None]]:
        known = (self._version(found) for found in _in_order(snapshot.callers))
        versions = {version: None for version in known if version is not None}
        return {version: self._tasks.start(self._find_plan(*version), f"plan {version[0]}") for version in versions}

    def _version(self, found: Found) -> Version | None:
        """The plan that is needed to go on with a call; None where that is not ours to do, or cannot be read."""
        if not self._is_ours(found) or not found.values["CR_STATE"]:
            return None
        try:
            return state.peek(found.values["CR_STATE"].encode())
        except StateDecodeError:
            return None

    def _is_ours(self, found: Found) -> bool:
        return found.values["CR_LOST"] != "1" and not self._switch.knows(found.call_id, found.channel["Uniqueid"])

    async def _find_plan(self, client: str, version: str) -> None:
        try:
            self._plans[client, version] = await self._find(client, version)
        except StoreError as error:
            log.warning("the plan of live calls is not to be had", client=client, version=version, reason=str(error))

    # ------------------------------------------------------------------------------------------------ one by one

    def _adopt_all(self, snapshot: Snapshot, finding: Mapping[Version, asyncio.Task[None]]) -> int:
        """How many were taken over."""
        taken, batch = 0, self._link.batch()
        for found in _in_order(snapshot.callers):
            if not self._is_ours(found):
                continue
            if not found.values["CR_STATE"]:
                if found.waits:
                    self._switch.take_waiting(env_of(found), self._rang_at(found))
                continue
            version = self._version(found)
            task = finding.get(version) if version is not None else None
            if task is not None and not task.done():
                continue
            try:
                went_on = self._adopt(snapshot, found, self._plans.get(version) if version is not None else None)
            except Exception:  # whatever it is, it is one call's
                log.exception("a live call cannot be taken over", call_id=found.call_id)
                went_on = None
            if went_on is None:
                self._give_back(found)
                continue
            line, left = went_on
            line.take_up(left, batch)
            taken += 1
            if taken % CALLS_A_WRITE == 0:
                batch.write()
                batch = self._link.batch()
        batch.write()
        return taken

    def _adopt(self, snapshot: Snapshot, found: Found, plan: Plan | None) -> tuple[Line, TakenUp] | None:
        """The call's line, and what is left on it; None where nobody can go on with it."""
        if plan is None:
            log.warning("a live call's plan is not known: Asterisk's fallback serves it", call_id=found.call_id)
            return None
        try:
            call = state.decode(plan, found.values["CR_STATE"].encode())
        except StateDecodeError as error:
            log.warning("a live call's state does not read", call_id=found.call_id, reason=str(error))
            return None
        now, channel = self._clock.now(), found.channel
        if call.call_id != found.call_id or not engine.ask_again(plan, call, now).effects:
            log.warning("a live call's state is not its own", call_id=found.call_id, state=call.state)
            return None
        live = self._heir.take_over(plan, replace(call, trunk=trunk_of(channel["Channel"])), now)
        line = self._switch.adopt(call.call_id, channel["Uniqueid"], channel["Channel"])
        over_at = found.over_at(now)
        self._tell_missed(snapshot, found, live, over_at or now)
        self._also(live.call, snapshot)
        left = TakenUp(
            call=live.call,
            effects=engine.ask_again(plan, live.call, now).effects,
            once_more=partial(self._heir.ask_again, call.call_id),
            in_routine=not found.after_routine,
            runs=found.runs,
            over_at=over_at,
            lease_seconds=found.lease_seconds,
            joined_with=found.priority,
        )
        return line, left

    def _give_back(self, found: Found) -> None:
        """Have Asterisk's fallback serve it: at once, or when its routine is over and nobody comes."""
        if found.in_agi:
            give_back(self._link, ChannelActions(found.channel["Channel"]))

    def _rang_at(self, found: Found) -> datetime:
        """Our call ids begin with the second in which the call came (extensions.conf, callrouter-entry)."""
        now = self._clock.now()
        return min(instant(found.call_id.partition("-")[0], self._shift) or now, now)

    # ------------------------------------------------------------------------------------- what nobody has heard

    def _tell_missed(self, snapshot: Snapshot, found: Found, live: LiveCall, over_at: datetime) -> None:
        """Who has answered, and who is rung no more, since the last engine wrote the state."""
        call, now = live.call, self._clock.now()
        answered = found.channel["ChannelStateDesc"] == "Up"
        if answered and call.clocks.answered_at is None and call.state in _ANSWERED_FIRST:
            # With the first order, which was decided when the last node was passed; it ends no wait.
            at = max((visit.at for visit in call.visits[:-1]), default=call.clocks.ringing_at)
            self._heir.tell(call.call_id, inputs.CallAnswered(step=0, at=at))
        for told in self._answers(snapshot, found, call, now):
            self._heir.tell(call.call_id, told)
        self._follow_legs(snapshot, found, live.call, over_at)

    def _answers(self, snapshot: Snapshot, found: Found, call: Call, now: datetime) -> list[inputs.Input]:
        began_at = _began_at(call)
        noted, told = noted_on(found.channel, self._shift), list[inputs.Input]()
        ran = not found.after_routine or found.values["CR_RAN"] == str(call.step)
        for one in missed(noted, reason="", earliest=began_at, latest=now, queued_at=began_at):
            match one:
                case inputs.AgentAnswered() if call.state is CallState.QUEUED and ran:
                    # In this queue, and not in one before from which the caller was given away.
                    if noted.before.queued_at is not None and noted.before.queued_at > began_at - 2 * _SECOND:
                        told.append(replace(one, leg=snapshot.peer(found.channel)))
                case inputs.LegAnswered() if call.state is CallState.DIALLING and ran:
                    if noted.before.accepted_at is not None and noted.before.accepted_at > began_at - _SECOND:
                        told.append(replace(one, channel=snapshot.peer(found.channel) if call.dials[-1].agent else ""))
                case inputs.RecordingTold():
                    told.append(one)
                case _:
                    pass
        return told

    def _follow_legs(self, snapshot: Snapshot, found: Found, call: Call, over_at: datetime) -> None:
        """Hear what becomes of those who are there, and of those who are not, that they are gone."""
        legs = legs_of(snapshot, found, call, over_at)
        for told in legs.told:
            self._heir.tell(call.call_id, told)
        for leg in legs.there:
            self._switch.follow(leg, call.call_id)


def _in_order(callers: Sequence[Found]) -> list[Found]:
    """Those who wait for us first: in a menu, a lookup, or ringing. Who waits in a queue or talks does not notice."""
    return sorted(callers, key=lambda found: not found.in_agi)


def _began_at(call: Call) -> datetime:
    """When what the call waits for began."""
    begins = [visit.entered_at for visit in call.queue_visits[-1:]] + [dial.started_at for dial in call.dials[-1:]]
    return max(begins, default=call.clocks.ringing_at)
