"""Asterisk's own journal of ended calls, for those that no engine saw to their end.

The hangup handler of extensions.conf leaves a row for every call in AstDB, `callrouter/ended/<call>` =
`<epoch>|<cause>|<did>|<caller>|<how>|<agent>|<his wait>|<CR_STATE>`, where `how` is `new` (no engine took it), `taken`
(one did) or 1 (Asterisk's fallback served it). An engine deletes a row once the call is committed to its own record.
So what an engine finds after its log-in, or every few seconds, is of calls that ended while it was away, or before it
heard of them; it tells them as ended calls, once each. The record is kept by call id, and the first one stands:
telling a call twice records it once.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_row
from datetime import UTC, datetime, timedelta

import structlog

from callrouter.asterisk.codec import Message, encode_action
from callrouter.asterisk.link import AmiLink
from callrouter.core import engine, inputs, state
from callrouter.core.call import Call, CallerId, CallState, Clocks, Disposition, Visit, replace
from callrouter.core.facts import CallEnded, Fact
from callrouter.core.numbers import normalise
from callrouter.core.plan import Plan
from callrouter.errors import ActionFailed, StateDecodeError

log = structlog.get_logger(__name__)

FAMILY = "callrouter/ended"
RECENT_CALLS = 50_000
"""Ended calls that are remembered, so that a row of theirs is known for what it is."""
_FIELDS = 8
_CALL_ID = re.compile(r"[A-Za-z0-9_.-]+")
_EPOCH_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRow:
    """What the hangup handler wrote."""

    call_id: str
    ended_at: datetime
    cause: int
    did: str
    caller: str
    untaken: bool
    """It ended before any engine took it."""
    fallback: bool
    """Asterisk's fallback served it."""
    agent: str
    """Who answered it in a queue, as app_queue says (MEMBERNAME)."""
    agent_wait_seconds: float
    """How long it had waited for him (QEHOLDTIME)."""
    state: str
    shift: timedelta = timedelta()
    """What the engine's clock is ahead of the PBX's (rehearsals of another day's hours)."""

    @property
    def rang_at(self) -> datetime:
        """Our call ids begin with the second in which the call came (extensions.conf, callrouter-admit)."""
        epoch = self.call_id.partition("-")[0]
        if not epoch.isdecimal() or len(epoch) > _EPOCH_DIGITS:
            return self.ended_at
        return min(datetime.fromtimestamp(int(epoch), UTC) + self.shift, self.ended_at)


class PlanLookup:
    """How a row finds its plan: by client and version, or by the number that was dialled."""

    def __init__(self, by_version: Callable[[str, str], Plan | None], by_did: Callable[[str], Plan]) -> None:
        self.by_version = by_version
        self.by_did = by_did


def read_row(key: str, value: str) -> EndedRow | None:
    """A row of AstDB, or None when it is none of ours."""
    parts = value.split("|", _FIELDS - 1)
    if len(parts) != _FIELDS or not (parts[0].isdecimal() and len(parts[0]) <= _EPOCH_DIGITS):
        return None
    call_id = key.rsplit("/", 1)[-1]
    if not _CALL_ID.fullmatch(call_id):
        return None
    epoch, cause, did, caller, how, agent, waited, encoded = parts
    return EndedRow(
        call_id=call_id,
        ended_at=datetime.fromtimestamp(int(epoch), UTC),
        cause=int(cause) if cause.isdecimal() else 0,
        did=did,
        caller=caller,
        untaken=how == "new",
        fallback=how == "1",
        agent=agent,
        agent_wait_seconds=float(waited) if waited.isdecimal() and len(waited) <= _EPOCH_DIGITS else 0.0,
        state=encoded,
    )


def ended_call(row: EndedRow, plans: PlanLookup, region: str) -> Call:
    """The call of a row, concluded: from its own state where an engine had it, else as one that nobody took."""
    if row.state:
        try:
            client, version = state.peek(row.state.encode())
            plan = plans.by_version(client, version)
            if plan is not None:
                return _concluded(plan, state.decode(plan, row.state.encode()), row)
        except StateDecodeError as error:
            log.warning("a call's state does not read back", call_id=row.call_id, reason=str(error))
    return _unknown(row, plans.by_did(row.did), region)


def _unknown(row: EndedRow, plan: Plan, region: str) -> Call:
    """Nothing but the row is known: the caller was gone at once, or Asterisk's fallback served him alone."""
    because = "hung up before an engine took the call" if row.untaken else "no engine took the call"
    note = Visit(node=plan.start, exit="hung up" if row.untaken else "fallback", because=because, at=row.ended_at)
    call = Call(
        call_id=row.call_id,
        client=plan.client,
        plan_version=plan.version,
        did=normalise(row.did, region) or row.did,
        caller=CallerId(number=normalise(row.caller, region) or row.caller or None),
        state=CallState.ADRIFT,
        clocks=Clocks(ringing_at=row.rang_at),
        visits=(note,),
        verdict=Disposition.LEFT_EARLY if row.untaken else Disposition.FAILED,
    )
    if row.agent:
        answered_at = min(row.rang_at + timedelta(seconds=row.agent_wait_seconds), row.ended_at)
        call = engine.step(plan, call, inputs.AgentAnswered(agent=row.agent, at=answered_at)).call
    return engine.step(plan, call, inputs.CallerHungUp(at=row.ended_at, cause=row.cause)).call


def _concluded(plan: Plan, call: Call, row: EndedRow) -> Call:
    """Let the engine end it: what was answered was answered, what was recorded was recorded."""
    # The handler's clock has whole seconds and the PBX's own opinion of them: a call never ends before it began.
    at = max(row.ended_at, _last_known(call))
    if row.agent and call.state is CallState.QUEUED and call.queue_visits:
        # Nobody was there to see the agent answer.
        answered_at = min(call.queue_visits[-1].entered_at + timedelta(seconds=row.agent_wait_seconds), at)
        call = engine.step(plan, call, inputs.AgentAnswered(agent=row.agent, at=answered_at)).call
    elif row.fallback:
        lost = inputs.ControlLost(reason="the engine was away; Asterisk's fallback served the caller", at=at)
        call = engine.step(plan, call, lost).call
        if row.agent:
            call = engine.step(plan, call, inputs.AgentAnswered(agent=row.agent, at=at)).call
    ended = engine.step(plan, call, inputs.CallerHungUp(at=at, cause=row.cause)).call
    return replace(ended, call_id=row.call_id)


def _last_known(call: Call) -> datetime:
    clocks = call.clocks
    known = (clocks.ringing_at, clocks.answered_at, clocks.entered_service_at, clocks.offered_at, clocks.bridged_at)
    service = [at for visit in call.queue_visits for at in (visit.entered_at, visit.answered_at)]
    dials = [at for dial in call.dials for at in (dial.started_at, dial.answered_at)]
    return max(at for at in (*known, *service, *dials, *(visit.at for visit in call.visits)) if at is not None)


class EndedJournal:
    """Reads AstDB, tells what nobody else has told, and deletes what is committed."""

    interests = frozenset({CallEnded})

    def __init__(
        self,
        link: AmiLink,
        plans: PlanLookup,
        region: str,
        *,
        tell: Callable[[CallEnded], None],
        live: Callable[[str], bool],
        shift: timedelta = timedelta(),
    ) -> None:
        """`tell` is told each call once; `live` says which calls are still being driven."""
        self._link = link
        self._plans = plans
        self._region = region
        self._tell = tell
        self._live = live
        self._shift = shift
        self._recent: OrderedDict[str, bool] = OrderedDict()
        """Calls that have ended, ours and collected ones; True when committed."""

    def observe(self, told: Sequence[Fact]) -> None:
        """As an Observer: a call we saw end is not news when its row is found."""
        for fact in told:
            if type(fact) is CallEnded:
                self._remember(fact.call.call_id, committed=False)

    async def collect(self) -> list[str]:
        """Tell the rows of calls unknown to us as ended calls; returns their ids.

        Raises:
            AmiError: the link went away meanwhile; nothing is lost, the next round collects again.
        """
        try:
            answer = await self._link.collect("DBGetTree", {"Family": FAMILY})
        except ActionFailed:
            return []  # Asterisk's answer to an empty family
        told: list[str] = []
        late: list[str] = []
        for message in answer:
            row = self._row(message)
            if row is None or self._live(row.call_id):
                continue
            if row.call_id in self._recent:
                # The handler wrote it after we had deleted it: a channel can outlive its caller by a whisper.
                late += [row.call_id] if self._recent[row.call_id] else []
                continue
            self._remember(row.call_id, committed=False)
            self._tell(CallEnded(call=ended_call(row, self._plans, self._region)))
            told.append(row.call_id)
        if told:
            log.info("calls that no engine saw to their end were collected", calls=len(told))
        self._delete(late)
        return told

    def committed(self, call_ids: Sequence[str]) -> None:
        """The record holds these: their rows are not needed any more."""
        for call_id in call_ids:
            self._remember(call_id, committed=True)
        self._delete(call_ids)

    def _remember(self, call_id: str, *, committed: bool) -> None:
        self._recent[call_id] = committed or self._recent.get(call_id, False)
        self._recent.move_to_end(call_id)
        while len(self._recent) > RECENT_CALLS:
            self._recent.popitem(last=False)

    def _delete(self, call_ids: Sequence[str]) -> None:
        if not call_ids:
            return
        self._link.post_batch(b"".join([_deletion(call_id) for call_id in call_ids]))

    def _row(self, message: Message) -> EndedRow | None:
        if message["Event"] != "DBGetTreeResponse":
            return None
        row = read_row(message["Key"], message["Val"])
        return row and replace_row(row, ended_at=row.ended_at + self._shift, shift=self._shift)


def _deletion(call_id: str) -> bytes:
    return encode_action("DBDel", {"Family": FAMILY, "Key": call_id}, "p/DBDel/")
