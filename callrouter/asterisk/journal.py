"""Asterisk's own journal of ended calls, for those that no engine saw to their end.

An engine deletes a row (`ended_row` says what it holds) once the call is safe in its own record. So what it finds
after a log-in, or every few seconds, is of calls that ended while it was away, or before it heard of them; it tells
them as ended calls, once each. The record is kept by call id and revision: telling a call twice records it once, and a
row corrects the record of a call whose end was guessed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from time import perf_counter
from typing import Final

import structlog

from callrouter.asterisk.actions import post
from callrouter.asterisk.codec import encode_header
from callrouter.asterisk.ended_row import EndedRow, Listen, ended_call, read_row, version_of
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.notes import MIDDLE
from callrouter.asterisk.pbx.astdb import entries
from callrouter.core.call import DEFAULT_PBX, replace
from callrouter.core.facts import CallCorrected, CallEnded, Fact
from callrouter.core.plan import Plan
from callrouter.errors import StoreError

log = structlog.get_logger(__name__)

FAMILY = "callrouter/ended"
RECENT_CALLS = 50_000
"""Ended calls that are remembered, so that a row of theirs is known for what it is."""
ALONG_SECONDS = 0.1
"""For so long a deletion may wait for another call's hang-up to be written, and go with it: a write of its own wakes
Asterisk and us once more."""
DELETED_AT_ONCE = 2
DELETE_EVERY_SECONDS = 0.005
"""How many are written at a time, and when, of those for which that is too long: Asterisk carries out actions in order,
and what a caller waits for may stand behind them."""
SLICE_SECONDS = 0.0005
"""How long rows are worked on without a pause: the loop serves live calls."""


@dataclass(frozen=True, kw_only=True)
class PlanLookup:
    """How a row finds its plan: by client and version, or by the number that was dialled."""

    by_version: Callable[[str, str], Awaitable[Plan | None]]
    """None: that version was never live here. Raises StoreError while that cannot be known."""
    by_did: Callable[[str], Plan]


async def read_rows(link: AmiLink, shift: timedelta = timedelta()) -> list[EndedRow]:
    """All rows of the journal, read in slices.

    Raises:
        AmiError: the link went away meanwhile.
    """
    rows: list[EndedRow] = []
    pause = Pauses()
    for key, value in await entries(link, FAMILY):
        if row := read_row(key, value, shift + MIDDLE):
            rows.append(row)
        await pause.if_due()
    return rows


class Pauses:
    """Lets the loop serve others between two pieces of work."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def if_due(self) -> None:
        if perf_counter() - self._since > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._since = perf_counter()


Known = Callable[[Sequence[str]], Awaitable[Mapping[str, bool]]]
"""Which of these calls are in the record already, and whether their end was seen. Raises StoreError while that cannot
be known."""


async def _nothing_known(call_ids: Sequence[str]) -> Mapping[str, bool]:
    return {}


Tell = Callable[[CallEnded | CallCorrected], None]
"""Who is told a call of the journal."""
Overlooked = Callable[[Sequence[EndedRow]], Awaitable[None]]
"""Who ends the calls that are over by the journal, and live here. Raises AmiError."""


async def _nobody_looks(rows: Sequence[EndedRow]) -> None:
    """For those who drive no calls."""


class EndedJournal:
    """Reads AstDB, reports calls that nobody else has reported, and deletes what is safe elsewhere."""

    interests: Final[frozenset[type[Fact]]] = frozenset({CallEnded})

    def __init__(
        self,
        link: AmiLink,
        plans: PlanLookup,
        region: str,
        *,
        live: Callable[[str], bool],
        known: Known = _nothing_known,
        listen: Listen | None = None,
        shift: timedelta = timedelta(),
        pbx: str = DEFAULT_PBX,
    ) -> None:
        """`live` says which calls are still being driven, `listen` what their recordings hold."""
        self._overlooked: Overlooked = _nobody_looks
        self._lingering: frozenset[str] = frozenset()
        """Live calls that had a row in the round before: the event of their end follows their row at once."""
        self._link = link
        self._plans = plans
        self._region = region
        self._live = live
        self._known = known
        self._listen = listen
        self._shift = shift
        self._pbx = pbx
        self._recent: OrderedDict[str, bool] = OrderedDict()
        """Calls that have ended, ours and collected ones; True when they are safe."""
        self._collecting = asyncio.Lock()
        self._to_delete: dict[str, None] = {}
        self._deleting: asyncio.TimerHandle | None = None
        link.tells(along=self._next_deletion)

    def tells(self, overlooked: Overlooked) -> None:
        """Subscribe, before anything is collected: who ends live calls that are over by their rows."""
        self._overlooked = overlooked

    def knows(self, call_id: str) -> bool:
        """Whether a call's end was told, by us or by somebody else."""
        return call_id in self._recent

    def observe(self, told: Sequence[Fact]) -> None:
        """As an Observer: a call we saw end is not news when its row is found."""
        for fact in told:
            if type(fact) is CallEnded:
                self._remember(fact.call.call_id, safe=False)

    async def collect(self, tell: Tell) -> list[str]:
        """Report the rows of calls unknown to us as ended calls, each once; returns their ids.

        A call whose end somebody has guessed is reported as corrected.

        Raises:
            AmiError: the link went away meanwhile; nothing is lost, the next round collects again.
        """
        async with self._collecting:
            return await self._collect(tell)

    async def _collect(self, tell: Tell) -> list[str]:
        rows = await read_rows(self._link, self._shift)
        # The handler may write a row after we had deleted it: a channel can outlive its caller by a whisper.
        late = [row.call_id for row in rows if self._recent.get(row.call_id)]
        news = [row for row in rows if row.call_id not in self._recent and not self._live(row.call_id)]
        await self._end_overlooked([row for row in rows if self._live(row.call_id)])
        told: list[str] = []
        if news:
            # An engine that was killed had recorded some and not struck them off: they must not count twice.
            recorded = await self._recorded([row.call_id for row in news])
            late += [call_id for call_id, seen in recorded.items() if seen]
            unseen = [row for row in news if not recorded.get(row.call_id)]
            told = await self._tell_rows(unseen, recorded.keys(), tell)
        if told:
            log.info("calls that no engine saw to their end were collected", calls=len(told))
        self._delete(late)
        return told

    async def _end_overlooked(self, rows: Sequence[EndedRow]) -> None:
        """Of live calls with a row for two rounds the end was lost on its way to us."""
        overlooked = [row for row in rows if row.call_id in self._lingering]
        self._lingering = frozenset(row.call_id for row in rows)
        if overlooked:
            await self._overlooked(overlooked)

    async def _recorded(self, call_ids: Sequence[str]) -> Mapping[str, bool]:
        """Those that are in the record: whether their end was seen, so that nothing is left to say of them."""
        try:
            recorded = await self._known(call_ids)
        except StoreError:  # then the record sorts it out; a call lost would be worse than one counted twice
            return {}
        for call_id, seen in recorded.items():
            if seen:
                self._remember(call_id, safe=True)
        return recorded

    async def _tell_rows(self, rows: Sequence[EndedRow], guessed: Collection[str], tell: Tell) -> list[str]:
        told: list[str] = []
        pause = Pauses()
        for row in rows:
            try:
                version = version_of(row)
                plan = await self._plans.by_version(*version) if version else None
            except StoreError as error:
                log.debug("a call waits in Asterisk's journal for its plan", call_id=row.call_id, reason=str(error))
                continue
            except Exception:
                # Whatever it is that makes a plan of old documents fail (a state of another release, a library's own
                # error): it is this row's, and those after it are callers too.
                self._poisoned(row)
                continue
            if row.call_id in self._recent or self._live(row.call_id):
                continue  # somebody saw its end while we looked for its plan
            self._remember(row.call_id, safe=False)
            try:
                call = ended_call(row, plan, self._plans.by_did(row.did), self._region, self._listen)
                call = replace(call, pbx=self._pbx)
                tell(CallCorrected(call=call) if row.call_id in guessed else CallEnded(call=call))
            except Exception:  # the same: what a row holds was written by another release, or by hand
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
        self._to_delete.update(dict.fromkeys(call_ids))
        if self._to_delete and self._deleting is None:
            self._deleting = asyncio.get_running_loop().call_later(ALONG_SECONDS, self._delete_some)

    def _next_deletion(self) -> bytes:
        """One, to go along with what is written; b"" when there is none."""
        for call_id in self._to_delete:
            del self._to_delete[call_id]
            return _deletion(call_id)
        return b""

    def _delete_some(self) -> None:
        """Write a few that did not find anything to go with."""
        self._deleting = None
        some = max(DELETED_AT_ONCE, len(self._to_delete) // 100)
        taken = list(islice(self._to_delete, some))
        for call_id in taken:
            del self._to_delete[call_id]
        if taken:
            self._link.post_batch(b"".join([_deletion(call_id) for call_id in taken]))
        if self._to_delete:
            loop = asyncio.get_running_loop()
            self._deleting = loop.call_later(DELETE_EVERY_SECONDS, self._delete_some)

    def flush(self) -> None:
        """Delete at once what is still to be deleted: the link is about to be closed."""
        if self._deleting is not None:
            self._deleting.cancel()
        while self._to_delete:
            self._delete_some()
            if self._deleting is not None:
                self._deleting.cancel()


def _deletion(call_id: str) -> bytes:
    return post("DBDel", "", _FAMILY_LINE + encode_header("Key", call_id))


_FAMILY_LINE = encode_header("Family", FAMILY)
