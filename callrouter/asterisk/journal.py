"""Calls that no engine saw to their end, collected afterwards.

When a call ends before an engine took it, or in Asterisk's fallback, the hangup handler of extensions.conf leaves a row
`callrouter/ended/<call> = <epoch>|<cause>|<did>|<caller>|<how>|<CR_STATE>` in AstDB (`how`: `new` for the former, 1 for
the latter). The engine collects these rows after each log-in and every few seconds, tells them as ended calls, and
deletes a row only after its call is committed. A row is the same call however often it is read: the record is kept
by call id, and the first one stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from callrouter.asterisk.codec import Message
from callrouter.asterisk.link import AmiLink
from callrouter.core import engine, inputs, state
from callrouter.core.call import Call, CallerId, CallState, Clocks, Disposition, Visit
from callrouter.core.facts import CallEnded
from callrouter.core.numbers import normalise
from callrouter.core.plan import Plan
from callrouter.errors import ActionFailed, StateDecodeError

log = structlog.get_logger(__name__)

FAMILY = "callrouter/ended"
_FIELDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRow:
    """What the hangup handler wrote."""

    call_id: str
    ended_at: datetime
    cause: int
    did: str
    caller: str
    untaken: bool
    """It ended before any engine took it; otherwise Asterisk's fallback served it."""
    state: str


class PlanLookup:
    """How a row finds its plan: by client and version, or by the number that was dialled."""

    def __init__(self, by_version: Callable[[str, str], Plan | None], by_did: Callable[[str], Plan]) -> None:
        self.by_version = by_version
        self.by_did = by_did


def read_row(key: str, value: str) -> EndedRow | None:
    """A row of AstDB, or None when it is none of ours."""
    parts = value.split("|", _FIELDS - 1)
    if len(parts) != _FIELDS or not parts[0].isdecimal():
        return None
    epoch, cause, did, caller, how, encoded = parts
    return EndedRow(
        call_id=key.rsplit("/", 1)[-1],
        ended_at=datetime.fromtimestamp(int(epoch), UTC),
        cause=int(cause) if cause.isdecimal() else 0,
        did=did,
        caller=caller,
        untaken=how == "new",
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
    plan = plans.by_did(row.did)
    because = "hung up before an engine took the call" if row.untaken else "no engine took the call"
    note = Visit(node=plan.start, exit="hung up" if row.untaken else "fallback", because=because, at=row.ended_at)
    return Call(
        call_id=row.call_id,
        client=plan.client,
        plan_version=plan.version,
        did=normalise(row.did, region) or row.did,
        caller=CallerId(number=normalise(row.caller, region) or row.caller or None),
        state=CallState.ENDED,
        clocks=Clocks(ringing_at=row.ended_at, ended_at=row.ended_at),
        visits=(note,),
        disposition=Disposition.LEFT_EARLY if row.untaken else Disposition.FAILED,
        hangup_cause=row.cause,
    )


def _concluded(plan: Plan, call: Call, row: EndedRow) -> Call:
    """Let the engine end it: what was answered was answered, what was recorded was recorded."""
    # The handler's clock has whole seconds and the PBX's own opinion of them: a call never ends before it began.
    at = max(row.ended_at, *(visit.at for visit in call.visits), call.clocks.ringing_at)
    lost = inputs.ControlLost(reason="the engine was away; Asterisk served the caller", at=at)
    adrift = engine.step(plan, call, lost).call
    ended = engine.step(plan, adrift, inputs.CallerHungUp(at=at, cause=row.cause)).call
    return replace(ended, call_id=row.call_id)


class EndedJournal:
    """Reads AstDB after each log-in; `committed` deletes what the record holds."""

    def __init__(
        self,
        link: AmiLink,
        plans: PlanLookup,
        region: str,
        tell: Callable[[CallEnded], None],
        live: Callable[[str], bool],
    ) -> None:
        self._link = link
        self._plans = plans
        self._region = region
        self._tell = tell
        self._live = live

    async def collect(self) -> list[str]:
        """Tell every row as an ended call; returns the ids told.

        Raises:
            AmiError: the link went away meanwhile; nothing is lost, the next log-in collects again.
        """
        try:
            answer = await self._link.collect("DBGetTree", {"Family": FAMILY})
        except ActionFailed:
            return []  # Asterisk's answer to an empty family
        told: list[str] = []
        for message in answer:
            row = self._row(message)
            if row is not None and not self._live(row.call_id):
                self._tell(CallEnded(call=ended_call(row, self._plans, self._region)))
                told.append(row.call_id)
        if told:
            log.info("calls that Asterisk served alone were collected", calls=len(told))
        return told

    def _row(self, message: Message) -> EndedRow | None:
        if message["Event"] != "DBGetTreeResponse":
            return None
        return read_row(message["Key"], message["Val"])

    def committed(self, call_ids: list[str]) -> None:
        """The record holds these: their rows are not needed any more."""
        batch = self._link.batch()
        for call_id in call_ids:
            batch.post("DBDel", {"Family": FAMILY, "Key": call_id}, about=call_id)
        batch.write()
