"""What is done when the link is back: the calls go on, or have ended, as if somebody had listened all the time."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Final

from callrouter.asterisk.ended_row import EndedRow
from callrouter.asterisk.journal import read_rows
from callrouter.asterisk.line import Line
from callrouter.asterisk.notes import NOBODY, VARIABLES, Noted, missed, noted_on
from callrouter.asterisk.translate import GET_RESULT, SYNC, Command, Kind
from callrouter.core import inputs
from callrouter.runtime.ports import Clock, Inbox

if TYPE_CHECKING:
    from callrouter.asterisk.switch import AsteriskSwitch

FALLBACK_CONTEXT: Final = "callrouter-fallback"
FALLBACK_REASON: Final = "Asterisk's fallback took the call while the link was down"
ASKED_AGAIN_LEASE_SECONDS: Final = 60.0


class Gap:
    """A time in which the link of a switch was away."""

    def __init__(self, switch: AsteriskSwitch, inbox: Inbox, clock: Clock) -> None:
        assert switch.link is not None
        self._switch = switch
        self._link = switch.link
        self._inbox = inbox
        self._clock = clock

    async def close(self) -> None:
        """End what ended meanwhile, and ask again for the results that were missed.

        A no-op (or the reading of CR_RESULT) queued behind a running command is a sync point: it is answered when that
        command is done, or at once when it was done before.
        """
        lines = list(self._switch.lines.values())
        if not lines:
            return
        snapshot = await self._link.collect("Status", {"Variables": VARIABLES})
        channels = {m["Uniqueid"]: m for m in snapshot if m["Event"] == "Status"}
        ended: dict[str, EndedRow] = {}
        if any(line.uniqueid not in channels for line in lines):
            ended = {row.call_id: row for row in await read_rows(self._link, self._switch.shift)}
        for line in lines:
            if self._switch.lines.get(line.call_id) is not line:
                continue  # its end came while we asked
            self._switch.settle(line)
            found = channels.get(line.uniqueid)
            if found is None:
                self._conclude(line, ended.get(line.call_id))
            elif found["Context"] == FALLBACK_CONTEXT:
                self._tell_missed(line, noted_on(found, self._switch.shift))
                self._switch.lose(line, FALLBACK_REASON)
            elif line.hanging_up:
                self._switch.hang_up(line, 16)
            elif line.unsent is not None and not line.lost:
                self._switch.write(line, line.unsent)
            elif line.kind is not None and not line.lost:
                if line.kind in (Kind.QUEUE, Kind.DIAL):
                    self._tell_missed(line, noted_on(found, self._switch.shift))
                self._ask_again(line, line.kind)

    def _conclude(self, line: Line, row: EndedRow | None) -> None:
        """It ended while nobody listened: as Asterisk's journal says, else when the link went."""
        now = self._clock.now()
        lost_at = self._switch.lost_at or now
        if row is None:  # a PBX that was killed loses the last of its journal
            self._inbox.tell(line.call_id, inputs.CallerHungUp(at=lost_at))
            return
        self._tell_missed(line, row.noted)
        self._inbox.tell(line.call_id, inputs.CallerHungUp(at=min(max(row.ended_at, lost_at), now), cause=row.cause))

    def _tell_missed(self, line: Line, noted: Noted) -> None:
        """The answers we may not have heard of (the core knows), in the time in which we were deaf."""
        now = self._clock.now()
        if line.lost:  # what came before is told, and the fallback's answers are news at most
            noted = replace(noted, before=NOBODY)
        for told in missed(noted, reason=FALLBACK_REASON, earliest=min(self._switch.lost_at or now, now), latest=now):
            if isinstance(told, inputs.ControlLost):
                self._switch.lose(line, told.reason, told.at)
            else:
                self._inbox.tell(line.call_id, told)

    def _ask_again(self, line: Line, kind: Kind) -> None:
        in_routine = kind in (Kind.QUEUE, Kind.DIAL, Kind.RECORD)
        batch = self._link.batch()
        self._switch.add(line, batch, Command(text=GET_RESULT if in_routine else SYNC, kind=kind))
        if not in_routine:
            batch.raw(line.channel.wake(ASKED_AGAIN_LEASE_SECONDS))
            line.lease(ASKED_AGAIN_LEASE_SECONDS, perf_counter())
        batch.write()
