"""The engine's own journal of numbered facts: what grows with a call, on disk when it happens.

A call's state on its channel says how many offers it had and which are open; the others are in this process's memory
until the call ends, and in its row from then on. So each is appended here at once, for an engine that is killed: its
successor puts what it finds into the tables, where a record that knows more stands before it (`merge`). An append is
one `write` without `fsync`, some microseconds in the loop that serves calls: it survives the process, not the machine.

A file is a line a fact, held by a lock. It is emptied when every call in it is in the record, or on disk on its way
there; one that has grown is left for a new one and deleted then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from callrouter.core.call import Call, CallerId, Hold, Leg, Message, Offer, Recording, Revision
from callrouter.core.facts import Fact, HoldNoted, LegEnded, MessageLeft, OfferEnded, OfferMade, RecordingNoted
from callrouter.core.parts import (
    BY_NAME,
    MICROSECOND,
    PartsReader,
    text,
    whole,
    write_holds,
    write_legs,
    write_messages,
    write_offers,
    write_recordings,
)
from callrouter.logs import Outage
from callrouter.store.writing.files import NeededFile, append_whole, make_locked, new_path, taken_over
from callrouter.store.writing.writer import NOBODY, NumberedFact, RowsRefused, Writer, WriterAway

log = structlog.get_logger(__name__)

MAX_BYTES: Final = 4_000_000
RETRY_SECONDS: Final = 2.0
HELD_SECONDS: Final = 2.0
"""How often it is looked whether a predecessor has ended that still held its file."""
_PATTERN: Final = "facts-*.jsonl"
_OFFER, _LEG, _HOLD, _RECORDING, _MESSAGE = "offer", "leg", "hold", "recording", "message.2"
Grown = Offer | Leg | Hold | Recording | Message
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class FactJournal:
    """An observer of what grows with calls; `safe` hears which calls need it no more, `run` takes over from a
    predecessor.
    """

    interests: Final[frozenset[type[Fact]]] = frozenset(
        {OfferMade, OfferEnded, LegEnded, HoldNoted, RecordingNoted, MessageLeft}
    )

    def __init__(self, writer: Writer, folder: Path) -> None:
        """`writer` is this journal's own; `folder` is that of the spool."""
        self._writer = writer
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._files: list[NeededFile] = []
        self._failing = Outage(log, "facts of living calls cannot be kept on disk", "they are kept again")

    def observe(self, told: Sequence[Fact]) -> None:
        """Keep each offer, hold and recording as it is known now, each leg that is over, and each message."""
        for fact in told:
            if isinstance(fact, (OfferMade, OfferEnded)):
                self._append(fact.call, fact.offer)
            elif isinstance(fact, LegEnded):
                self._append(fact.call, fact.leg)
            elif isinstance(fact, HoldNoted):
                self._append(fact.call, fact.hold)
            elif isinstance(fact, RecordingNoted) and fact.recording.began_at is not None:
                self._append(fact.call, fact.recording)
            elif isinstance(fact, MessageLeft):
                self._append(fact.call, fact.message)

    def safe(self, call_ids: Iterable[str]) -> None:
        """These are in the record, or on disk on the way to it, with all that grew with them."""
        if not any(file.is_needed for file in self._files):
            return
        ended = set(call_ids)
        for file in [*self._files]:
            if file.forget(ended):
                self._finished(file)

    def close(self) -> None:
        """Leave what is not safe to the next start."""
        for file in self._files:
            file.close()
        self._files.clear()
        self._writer.close()

    async def run(self) -> None:
        """Put what predecessors left into the tables, as soon as PostgreSQL takes it; then there is nothing to do.

        One that gives its place away, or is stopped, holds its file until it ends: so long it is waited for.
        """
        while True:
            paths = await asyncio.to_thread(lambda: sorted(self._folder.glob(_PATTERN)))
            if all([await self._take_over(path) for path in paths]):
                return
            await asyncio.sleep(HELD_SECONDS)

    def _append(self, call: Call, one: Grown) -> None:
        try:
            self._current().append(call.call_id, _line(call, one), append_whole)
            self._failing.ended()
        except OSError as error:  # the call goes on, and its row will hold it
            self._failing.failed(str(error))

    def _current(self) -> NeededFile:
        if not self._files or self._files[-1].is_full:
            path = new_path(self._folder, _PATTERN)
            self._files.append(NeededFile(path, make_locked(path), full_bytes=MAX_BYTES))
        return self._files[-1]

    def _finished(self, file: NeededFile) -> None:
        try:
            if file is self._files[-1]:
                file.empty()
            else:
                self._files.remove(file)
                file.delete()
        except OSError as error:  # it is told again at the next start, which changes nothing
            self._failing.failed(str(error))

    async def _take_over(self, path: Path) -> bool:
        """Whether it was, or is none of another's; else a living engine has it."""
        if any(file.path == path for file in self._files):
            return True
        async with taken_over(path) as is_ours:
            if not is_ours:
                return not await asyncio.to_thread(path.exists)
            try:
                await self._record(_latest(await asyncio.to_thread(path.read_bytes)))
                await asyncio.to_thread(path.unlink, missing_ok=True)
            except RowsRefused as error:
                aside = await asyncio.to_thread(path.rename, path.with_suffix(".refused"))
                log.warning("facts of calls cannot be recorded and are set aside", file=aside.name, reason=str(error))
        return True

    async def _record(self, facts: list[NumberedFact]) -> None:
        while facts:
            try:
                await self._writer.write_facts(facts)
            except WriterAway:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return


def _line(call: Call, one: Grown) -> bytes:
    rang_at = call.clocks.ringing_at

    def after(at: datetime | None) -> int | None:
        return None if at is None else (at - rang_at) // MICROSECOND

    match one:
        case Offer():
            kind, (written,) = _OFFER, write_offers([one], after)
        case Leg():
            kind, (written,) = _LEG, write_legs([one], after)
        case Hold():
            kind, (written,) = _HOLD, write_holds([one], after)
        case Recording():
            kind, (written,) = _RECORDING, [[*part, call.client] for part in write_recordings([one], after)]
        case Message():
            whose = [call.client, call.caller.number, call.caller.name, call.messages.index(one) + 1]
            whose.append(call.plan_version)
            kind, (written,) = _MESSAGE, [[*part, *whose] for part in write_messages([one], after, BY_NAME)]
    head = [call.call_id, call.pbx, call.revision.epoch, call.revision.count, (rang_at - _EPOCH) // MICROSECOND]
    return json.dumps([kind, *head, written]).encode() + b"\n"


def _latest(content: bytes) -> list[NumberedFact]:
    """The last word on each fact of a file; a line that was cut, or is none of ours, says nothing."""
    found: dict[tuple[type, str, int, int], NumberedFact] = {}
    for line in content.splitlines():
        try:
            one = _read(*json.loads(line))
        except (ValueError, TypeError, OverflowError) as error:
            log.warning("a line of the journal of facts does not read", reason=repr(error))
            continue
        leg = one.fact.leg if isinstance(one.fact, Hold) else 0
        number = one.position if isinstance(one.fact, Message) else one.fact.number
        found[type(one.fact), one.call_id, leg, number] = one
    return list(found.values())


def _read(kind: str, call_id: str, pbx: str, epoch: int, count: int, rang: int, written: Any) -> NumberedFact:
    reader = PartsReader(_EPOCH + timedelta(microseconds=rang))
    client, plan_version, caller, position = "", "", NOBODY, 0
    if kind == _MESSAGE:
        *written, plan_version = written
        kind = "message"
    match kind, written:
        case "recording", [*written, client]:
            pass
        case "message", [*written, client, number, name, position]:
            caller = CallerId(number=None if number is None else text(number), name=text(name))
    return NumberedFact(
        call_id=text(call_id),
        pbx=text(pbx),
        revision=Revision(whole(epoch), whole(count)),
        fact=_grown(reader, kind, written),
        client=text(client),
        plan_version=text(plan_version),
        caller=caller,
        position=whole(position),
    )


def _grown(reader: PartsReader, kind: str, written: Any) -> Grown:
    match kind:
        case "offer":
            return reader.offer(written)
        case "leg":
            return reader.leg(written)
        case "hold":
            return reader.hold(written)
        case "recording":
            found = reader.recording(written)
            if found.began_at is None:
                raise ValueError("a recording that was not begun")
            return found
        case "message":
            return reader.message(written)
    raise ValueError(f"{kind!r} is no kind of fact")
