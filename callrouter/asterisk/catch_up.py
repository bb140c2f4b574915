"""What is done when the link is back: the calls go on, or have ended, as if somebody had listened all the time.

Three files must be read together: `notes` (what Asterisk's dialplan writes down of a call: who answered, and when,
also in the fallback's hands), `ended_row` (the same in the journal of those that have ended), and this one, which
reads both for the lines of a link that was away. A line is in one of four places then:

    its channel is gone         it ended as the journal says; without a row (a PBX that was killed loses the last of its
                                journal), when the link went
    the fallback has it         it is told who answered before and since, and lost
    AsyncAGI, or a routine      what could not be sent is sent, and the results that were missed are asked for again
    nowhere any more            its end was heard while we asked

Of a routine that ended meanwhile the lease that began then says when; of agents and contacts, which of their channels
are gone (`adoption.legs`). The core is told what it would have heard, dated into the time in which we were deaf; it
refuses what it knows. So an absence costs the record some precision, a second at the most, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from msgspec import structs

from callrouter.asterisk.adoption.legs import legs_of
from callrouter.asterisk.adoption.snapshot import VARIABLES, Found, Snapshot, read_snapshot
from callrouter.asterisk.ended_row import EndedRow
from callrouter.asterisk.journal import read_rows
from callrouter.asterisk.line.line import Line
from callrouter.asterisk.line.state import LineState
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.notes import MIDDLE, NOBODY, Noted, missed, noted_on
from callrouter.core import inputs
from callrouter.core.call import Call, CallState
from callrouter.runtime.ports import Clock

log = structlog.get_logger(__name__)

UP: Final = "6"
"""`ChannelState` of a channel that is answered (AST_STATE_UP)."""
FALLBACK_CONTEXT: Final = "callrouter-fallback"
CallOf = Callable[[str], Call | None]
"""A live call, by its id."""
FALLBACK_REASON: Final = "Asterisk's fallback took the call while the link was down"


@dataclass(frozen=True, kw_only=True)
class Absence:
    """A time in which a link was away."""

    link: AmiLink
    clock: Clock
    shift: timedelta
    """What the engine's clock is ahead of the PBX's."""
    lost_at: datetime | None
    """When the link went; None when it was never there before."""
    follow: Callable[[str, str], None]
    """Has it heard what becomes of a channel (its Uniqueid) that belongs to a call."""

    async def close(self, lines: Sequence[Line], call_of: CallOf) -> None:
        """End what ended meanwhile, and ask again for the results that were missed.

        Raises:
            AmiError: the link went away again.
        """
        if not lines:
            return
        snapshot = read_snapshot(await self.link.collect("Status", {"Variables": VARIABLES}))
        ended: dict[str, EndedRow] = {}
        if any(line.uniqueid not in snapshot.channels for line in lines):
            ended = {row.call_id: row for row in await read_rows(self.link, self.shift)}
        for line in lines:
            if line.state is LineState.GONE:
                continue
            found = snapshot.found(line.uniqueid)
            if found is None:
                self._conclude(line, ended.get(line.call_id))
                continue
            line.live()
            if found.channel["ChannelState"] == UP:
                line.answered_unheard()
            if found.channel["Context"] == FALLBACK_CONTEXT:
                self._tell_missed(line, noted_on(found.channel, self.shift))
                line.lose(FALLBACK_REASON)
                continue
            over_at = self._over_at(line, found)
            if line.among_people:
                self._tell_people(line, snapshot, found, call_of, over_at)
            line.resume(over_at)

    def _over_at(self, line: Line, found: Found) -> datetime | None:
        """When the routine ended that this line waits for; None where it still runs, or never arrived."""
        now = self.clock.now()
        over_at = found.over_at(now) if line.ran(found.values["CR_RAN"]) else None
        return None if over_at is None else max(over_at, min(self.lost_at or now, now))

    def _tell_people(
        self, line: Line, snapshot: Snapshot, found: Found, call_of: CallOf, over_at: datetime | None
    ) -> None:
        """Who has answered meanwhile, and who is there no more."""
        before = call_of(line.call_id)
        # Of those who have answered before, whom the caller talks to now says nothing: they may have been given away.
        peer = snapshot.peer(found.channel) if before is not None and before.state is CallState.QUEUED else ""
        self._tell_missed(line, noted_on(found.channel, self.shift), peer)
        call = call_of(line.call_id)
        if call is None:
            return
        legs = legs_of(snapshot, found, call, over_at or self.clock.now())
        for told in legs.told:
            line.hear(told)
        for leg in legs.there:
            self.follow(leg, line.call_id)

    async def end_overlooked(self, lines: Mapping[str, Line], rows: Sequence[EndedRow]) -> None:
        """End the lines that Asterisk's journal says are over, though nobody told us: their Hangup was lost.

        A row is not enough: after an attended transfer another channel of the call may have written it.

        Raises:
            AmiError: the link went away.
        """
        snapshot = await self.link.collect("Status", {})
        channels = {m["Uniqueid"] for m in snapshot if m["Event"] == "Status"}
        for row in rows:
            line = lines.get(row.call_id)
            if line is None or line.uniqueid in channels:
                continue
            log.warning("a call's end was overlooked; Asterisk's journal has it", call_id=row.call_id)
            # Nothing that we heard of it is later than the end of that second.
            at = min(row.ended_at + MIDDLE, self.clock.now())
            for told in missed(row.noted, reason=FALLBACK_REASON, earliest=row.rang_at, latest=at):
                if isinstance(told, inputs.ControlLost):
                    line.lose(told.reason, told.at)
                else:
                    line.hear(told)
            if row.noted.voiced is not None:
                line.voiced(row.noted.voiced)
            line.channel_ended(row.cause, at, talked_until=row.noted.over_at)

    def _conclude(self, line: Line, row: EndedRow | None) -> None:
        now = self.clock.now()
        lost_at = self.lost_at or now
        if row is None:
            line.channel_ended(None, lost_at)
            return
        self._tell_missed(line, row.noted)
        ended_at = min(max(row.ended_at, lost_at), now)
        line.channel_ended(row.cause, ended_at, talked_until=row.noted.over_at)

    def _tell_missed(self, line: Line, noted: Noted, peer: str = "") -> None:
        """The answers we may not have heard of, in the time in which we were deaf; `peer`: whom they talk to now."""
        now = self.clock.now()
        if line.state is LineState.LOST:  # what came before is reported, and the fallback's answers are news at most
            noted = replace(noted, before=NOBODY)
        if noted.voiced is not None:
            line.voiced(noted.voiced)
        for told in missed(noted, reason=FALLBACK_REASON, earliest=min(self.lost_at or now, now), latest=now):
            if isinstance(told, inputs.ControlLost):
                line.lose(told.reason, told.at)
            elif isinstance(told, inputs.AgentAnswered) and peer:
                line.hear(structs.replace(told, leg=peer))
            else:
                line.hear(told)
