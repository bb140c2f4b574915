"""Asterisk's own journal of ended calls, for those that no engine saw to their end.

The hangup handler of extensions.conf leaves a row for every call in AstDB, `callrouter/ended/<call>` =
`v2|<epoch>|<cause>|<did>|<shown>|<caller>|<how>|<lost at>|<before>|<answers>|<CR_STATE>`, where `how` is `new` (no
engine took it), `taken` (one did) or 1 (Asterisk's fallback served it), and the answers are as `noted` reads them. Rows
of the format before, `<epoch>|<cause>|<did>|<caller>|<how>|<agent>|<his wait>|<CR_STATE>`, are read as well: a PBX
whose configuration is older writes them. An engine deletes a row once the call is safe in its own record. So what one
finds after its log-in, or every few seconds, is of calls that ended while it was away, or before it heard of them; it
tells them as ended calls, once each. The record is kept by call id, and the first one stands: telling a call twice
records it once.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter

import structlog

from callrouter.asterisk.codec import Message, encode_action
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.noted import Noted, instant, missed, noted_in, read_answers
from callrouter.core import engine, inputs, state
from callrouter.core.call import Call, CallerId, CallState, Clocks, Disposition, Presentation, Visit
from callrouter.core.facts import CallEnded, Fact
from callrouter.core.numbers import ANONYMOUS, normalise
from callrouter.core.plan import Plan
from callrouter.errors import ActionFailed, StateDecodeError, StoreError

log = structlog.get_logger(__name__)

FAMILY = "callrouter/ended"
RECENT_CALLS = 50_000
"""Ended calls that are remembered, so that a row of theirs is known for what it is."""
SLICE_SECONDS = 0.0005
"""How long rows are worked on without a pause: the loop serves live calls."""
_FORMAT = "v2"
"""No number, so that an engine of the release before passes such a row over and leaves it to the next."""
_FIELDS = 11
_OLD_FIELDS = 8
_CALL_ID = re.compile(r"[A-Za-z0-9_.-]+")
_SHOWN = {"a": Presentation.ALLOWED, "p": Presentation.WITHHELD}
_FALLBACK = "the engine was away; Asterisk's fallback served the caller"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRow:
    """What the hangup handler wrote, by the engine's clock."""

    call_id: str
    rang_at: datetime
    ended_at: datetime
    cause: int
    did: str
    caller: CallerId
    """His number as Asterisk had it, not normalised."""
    untaken: bool
    """It ended before any engine took it."""
    fallback: bool
    """Asterisk's fallback served it."""
    noted: Noted
    state: str


@dataclass(frozen=True, kw_only=True)
class PlanLookup:
    """How a row finds its plan: by client and version, or by the number that was dialled."""

    by_version: Callable[[str, str], Awaitable[Plan | None]]
    """None: that version was never live here. Raises StoreError while that cannot be known."""
    by_did: Callable[[str], Plan]


def read_row(key: str, value: str, shift: timedelta = timedelta()) -> EndedRow | None:
    """A row of AstDB, or None when it is none of ours.

    `shift` is what the engine's clock is ahead of the PBX's (rehearsals of another day's hours).
    """
    call_id = key.rsplit("/", 1)[-1]
    if not _CALL_ID.fullmatch(call_id):
        return None
    if value.startswith(f"{_FORMAT}|"):
        parts = value.split("|", _FIELDS - 1)
        if len(parts) != _FIELDS:
            return None
        _, epoch, cause, did, shown, caller, how, lost, before, answers, encoded = parts
    else:
        parts = value.split("|", _OLD_FIELDS - 1)
        if len(parts) != _OLD_FIELDS:
            return None
        epoch, cause, did, caller, how, agent, waited, encoded = parts
        shown, lost, before, answers = "a", "", "", f"{agent}//{waited}/"
    ended_at = instant(epoch, shift)
    if ended_at is None:
        return None
    # Our call ids begin with the second in which the call came (extensions.conf, callrouter-admit).
    rang_at = min(instant(call_id.partition("-")[0], shift) or ended_at, ended_at)
    noted = noted_in(before, lost, answers, shift)
    if how == "1" and noted.lost_at is None:  # the older format does not say since when
        noted = Noted(lost_at=ended_at if encoded else rang_at, since=read_answers(answers, shift))
    return EndedRow(
        call_id=call_id,
        rang_at=rang_at,
        ended_at=ended_at,
        cause=int(cause) if cause.isascii() and cause.isdecimal() and len(cause) <= _CAUSE_DIGITS else 0,
        did=did,
        caller=_caller(shown, caller),
        untaken=how == "new",
        fallback=how == "1",
        noted=noted,
        state=encoded,
    )


_CAUSE_DIGITS = 3


def _caller(shown: str, number: str) -> CallerId:
    """Who called; of whoever withholds his number nothing is kept, should it stand there or not."""
    presentation = _SHOWN.get(shown, Presentation.UNAVAILABLE)
    if number.lower() == ANONYMOUS:
        presentation = Presentation.WITHHELD
    if presentation is not Presentation.ALLOWED:
        return CallerId(presentation=presentation)
    return CallerId(number=number) if number else CallerId(presentation=Presentation.UNAVAILABLE)


def version_of(row: EndedRow) -> tuple[str, str] | None:
    """The client and version of the plan by which its state reads back; None when it has none that does."""
    if not row.state:
        return None
    try:
        return state.peek(row.state.encode())
    except StateDecodeError as error:
        log.warning("a call's state does not read back", call_id=row.call_id, reason=str(error))
        return None


def ended_call(row: EndedRow, plan: Plan | None, dialled: Plan, region: str) -> Call:
    """The call of a row, concluded: by the plan of its own state where it has one, else by the number dialled."""
    if plan is not None:
        try:
            return _concluded(plan, state.decode(plan, row.state.encode()), row)
        except StateDecodeError as error:
            log.warning("a call's state does not read back", call_id=row.call_id, reason=str(error))
    return _unknown(row, dialled, region)


def _unknown(row: EndedRow, plan: Plan, region: str) -> Call:
    """Nothing but the row is known: the caller was gone at once, or Asterisk's fallback served him alone."""
    because = "hung up before an engine took the call" if row.untaken else "no engine took the call"
    if row.state:
        because = "what the engine knew of the call cannot be read"
    # From here on he was in Asterisk's hands alone, and waited, if he was answered.
    began_at = row.noted.lost_at or row.noted.before.queued_at or row.rang_at
    exit_name = "hung up" if row.untaken else "fallback"
    note = Visit(node=plan.start, exit=exit_name, because=because, at=min(max(began_at, row.rang_at), row.ended_at))
    number = row.caller.number
    call = Call(
        call_id=row.call_id,
        client=plan.client,
        plan_version=plan.version,
        did=normalise(row.did, region) or row.did,
        caller=replace(row.caller, number=number and (normalise(number, region) or number)),
        state=CallState.ADRIFT,
        clocks=Clocks(ringing_at=row.rang_at),
        visits=(note,),
        verdict=Disposition.LEFT_EARLY if row.untaken else Disposition.FAILED,
    )
    return _tell_all(plan, call, row, note.at)


def _concluded(plan: Plan, call: Call, row: EndedRow) -> Call:
    """Let the engine end it: what was answered was answered, what was recorded was recorded."""
    queued_at = call.queue_visits[-1].entered_at if call.state is CallState.QUEUED and call.queue_visits else None
    return replace(_tell_all(plan, call, row, _last_known(call), queued_at), call_id=row.call_id)


def _tell_all(plan: Plan, call: Call, row: EndedRow, earliest: datetime, queued_at: datetime | None = None) -> Call:
    # The handler's clock has whole seconds and the PBX's own opinion of them: a call never ends before it began.
    at = max(row.ended_at, earliest)
    for told in missed(row.noted, reason=_FALLBACK, earliest=earliest, latest=at, queued_at=queued_at):
        call = engine.step(plan, call, told).call
    return engine.step(plan, call, inputs.CallerHungUp(at=at, cause=row.cause)).call


def _last_known(call: Call) -> datetime:
    clocks = call.clocks
    known = (clocks.ringing_at, clocks.answered_at, clocks.entered_service_at, clocks.offered_at, clocks.bridged_at)
    service = [at for visit in call.queue_visits for at in (visit.entered_at, visit.answered_at)]
    dials = [at for dial in call.dials for at in (dial.started_at, dial.answered_at)]
    return max(at for at in (*known, *service, *dials, *(visit.at for visit in call.visits)) if at is not None)


async def read_rows(link: AmiLink, shift: timedelta = timedelta()) -> list[EndedRow]:
    """All rows of the journal, read in slices.

    Raises:
        AmiError: the link went away meanwhile.
    """
    rows: list[EndedRow] = []
    pause = _Pauses()
    for message in await _tree(link):
        if message["Event"] == "DBGetTreeResponse" and (row := read_row(message["Key"], message["Val"], shift)):
            rows.append(row)
        await pause.if_due()
    return rows


async def _tree(link: AmiLink) -> list[Message]:
    try:
        return await link.collect("DBGetTree", {"Family": FAMILY})
    except ActionFailed:
        return []  # Asterisk's answer to an empty family


class _Pauses:
    """Lets the loop serve others between two pieces of work."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def if_due(self) -> None:
        if perf_counter() - self._since > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._since = perf_counter()


Known = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Which of these calls are in the record already. Raises StoreError while that cannot be known."""


async def _nothing_known(call_ids: Sequence[str]) -> set[str]:
    return set()


class EndedJournal:
    """Reads AstDB, tells what nobody else has told, and deletes what is safe elsewhere."""

    def __init__(
        self,
        link: AmiLink,
        plans: PlanLookup,
        region: str,
        *,
        tell: Callable[[CallEnded], None],
        live: Callable[[str], bool],
        known: Known = _nothing_known,
        shift: timedelta = timedelta(),
    ) -> None:
        """`tell` is told each call once; `live` says which calls are still being driven."""
        self._link = link
        self._plans = plans
        self._region = region
        self._tell = tell
        self._live = live
        self._known = known
        self._shift = shift
        self._recent: OrderedDict[str, bool] = OrderedDict()
        """Calls that have ended, ours and collected ones; True when they are safe."""
        self._collecting = asyncio.Lock()

    def observe(self, told: Sequence[Fact]) -> None:
        """As an Observer: a call we saw end is not news when its row is found."""
        for fact in told:
            if type(fact) is CallEnded:
                self._remember(fact.call.call_id, safe=False)

    async def collect(self) -> list[str]:
        """Tell the rows of calls unknown to us as ended calls; returns their ids.

        Raises:
            AmiError: the link went away meanwhile; nothing is lost, the next round collects again.
        """
        async with self._collecting:
            return await self._collect()

    async def _collect(self) -> list[str]:
        rows = await read_rows(self._link, self._shift)
        # The handler may write a row after we had deleted it: a channel can outlive its caller by a whisper.
        late = [row.call_id for row in rows if self._recent.get(row.call_id)]
        news = [row for row in rows if row.call_id not in self._recent and not self._live(row.call_id)]
        told: list[str] = []
        if news:
            # An engine that was killed had recorded some and not struck them off: they must not count twice.
            recorded = await self._recorded([row.call_id for row in news])
            late += recorded
            told = await self._tell_rows([row for row in news if row.call_id not in recorded])
        if told:
            log.info("calls that no engine saw to their end were collected", calls=len(told))
        self._delete(late)
        return told

    async def _recorded(self, call_ids: Sequence[str]) -> set[str]:
        try:
            recorded = await self._known(call_ids)
        except StoreError:  # then the record sorts it out; a call lost would be worse than one counted twice
            return set()
        for call_id in recorded:
            self._remember(call_id, safe=True)
        return recorded

    async def _tell_rows(self, rows: Sequence[EndedRow]) -> list[str]:
        told: list[str] = []
        pause = _Pauses()
        for row in rows:
            try:
                version = version_of(row)
                plan = await self._plans.by_version(*version) if version else None
            except StoreError as error:
                log.debug("a call waits in Asterisk's journal for its plan", call_id=row.call_id, reason=str(error))
                continue
            except Exception:
                self._poisoned(row)
                continue
            if row.call_id in self._recent or self._live(row.call_id):
                continue  # somebody saw its end while we looked for its plan
            self._remember(row.call_id, safe=False)
            try:
                call = ended_call(row, plan, self._plans.by_did(row.did), self._region)
                self._tell(CallEnded(call=call))
            except Exception:
                self._poisoned(row)
                continue
            told.append(row.call_id)
            await pause.if_due()
        return told

    def _poisoned(self, row: EndedRow) -> None:
        """Left where it is, for a release that can read it; the others go on, and this one is not tried again."""
        self._remember(row.call_id, safe=False)
        log.exception("a call in Asterisk's journal cannot be recorded", call_id=row.call_id)

    def safe(self, call_ids: Sequence[str]) -> None:
        """These are in the record, or on our own disk on the way to it: their rows are not needed any more."""
        # Of a call that was never ours to end, and of one that was struck off before, there may be no row to delete:
        # the next round knows.
        ours = [call_id for call_id in call_ids if self._recent.get(call_id) is False]
        for call_id in call_ids:
            self._remember(call_id, safe=True)
        self._delete(ours)

    def _remember(self, call_id: str, *, safe: bool) -> None:
        self._recent[call_id] = safe or self._recent.get(call_id, False)
        self._recent.move_to_end(call_id)
        while len(self._recent) > RECENT_CALLS:
            self._recent.popitem(last=False)

    def _delete(self, call_ids: Sequence[str]) -> None:
        if call_ids:
            self._link.post_batch(b"".join([_deletion(call_id) for call_id in call_ids]))


def _deletion(call_id: str) -> bytes:
    return encode_action("DBDel", {"Family": FAMILY, "Key": call_id}, "p/DBDel/")
