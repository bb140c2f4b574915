"""The engine's own journal of calls in progress: the newest state of each, on disk when it is reached.

A call's state stands on its channel, and the hangup handler leaves it in Asterisk's journal: both outlive the engine,
and neither outlives Asterisk. So it is appended here as well, and what a killed engine leaves tells the next one which
calls were live, where they had got to, and until when it had lived. Who had ended and was not in the record yet stands
here, too.

A line is `<call> <state>` (`core.state`), with a third field, in microseconds since 1970, where an engine before us
left it: until when that one lived. A line with a call alone says that it is safe elsewhere. The newest line of a call
stands. A file that has grown, or that a full disk kept from growing, is left for a new one that begins with what is
still needed, so that there is one file.

An append is one `write`, some microseconds in the loop that serves calls, and survives the process. Once a second what
was written is forced to the disk, off the loop: a machine that is reset loses that much, as AstDB does.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from callrouter.logs import Outage
from callrouter.store.writing.files import append_whole, make_locked, new_path, taken_over

log = structlog.get_logger(__name__)

MAX_BYTES: Final = 8_000_000
"""A file that has grown by so much since it was begun is left for a new one."""
SYNC_SECONDS: Final = 1.0
"""As often what was written is forced to the disk, and the file says that its engine lives."""
_PATTERN: Final = "live-*.calls"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LINE: Final = re.compile(rb"([A-Za-z0-9_.-]+)(?: ([A-Za-z0-9+/=]+)(?: ([0-9]{1,17}))?)?")

Left = tuple[bytes, datetime]
"""The state of a call, and until when the engine lived that wrote it."""


class LiveJournal:
    """Keeps what the driver notes until it is `safe`; `run` takes over what a predecessor left, which is `left`."""

    def __init__(self, folder: Path, *, shift: timedelta = timedelta()) -> None:
        """`folder` is that of the spool; `shift` is what the engine's clock is ahead of the machine's."""
        self._folder = folder
        self._shift = shift
        folder.mkdir(parents=True, exist_ok=True)
        self._lines: dict[str, bytes] = {}
        """The newest line of each call that is not safe elsewhere."""
        self._left: dict[str, Left] = {}
        self.taken_over = asyncio.Event()
        """What a predecessor left is known."""
        self._path: Path | None = None
        self._descriptor = -1
        self._size = 0
        self._full_at = 0
        self._is_dirty = False
        self._is_held = False
        """Whether a predecessor still has a file: one that gives its place away, or is stopped, ends later."""
        self._failing = Outage(log, "the calls in progress cannot be kept on disk", "they are kept again")

    @property
    def left(self) -> Mapping[str, Left]:
        """Calls that an engine before us left in progress, and of which nothing is known since."""
        return self._left

    @property
    def disk_refuses(self) -> bool:
        """Whether the disk takes nothing now: what is noted is in memory until it does."""
        return self._failing.since is not None

    def __len__(self) -> int:
        """How many calls stand in it that are not safe elsewhere."""
        return len(self._lines)

    def note(self, call_id: str, state: bytes) -> None:
        """Keep the state that a call has reached."""
        line = self._lines[call_id] = b"%s %s\n" % (call_id.encode(), state)
        self._append(line)

    def safe(self, call_ids: Iterable[str]) -> None:
        """These are in the record, or on disk on the way to it, or nobody's any more."""
        gone = []
        for call_id in call_ids:
            self._left.pop(call_id, None)
            if self._lines.pop(call_id, None) is not None:
                gone.append(b"%s\n" % call_id.encode())
        if gone and self._lines:
            self._append(b"".join(gone))
        elif gone:
            self._empty()

    def resumed(self, call_ids: Iterable[str]) -> None:
        """These go on here: they stay in the journal as calls of ours."""
        for call_id in call_ids:
            state, _ = self._left.pop(call_id, (None, None))
            if state is not None and self._lines[call_id].count(b" ") > 1:  # nothing was noted since
                self.note(call_id, state)

    def told(self, call_id: str) -> None:
        """It was told as one that ended unseen: it stays until it is safe, as it was left."""
        self._left.pop(call_id, None)

    def close(self) -> None:
        """Leave what is not safe to the next start."""
        if self._path is None:
            return
        if not self._lines:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._path = None

    async def run(self) -> None:
        """Take over from predecessors; then force to the disk what is written, until cancelled."""
        try:
            await self._take_over()
        finally:
            self.taken_over.set()
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            if self._is_held:
                await self._take_over()
            if self.disk_refuses:
                self._append(b"")
            if self._path is not None and (self._lines or self._is_dirty):
                self._is_dirty = False
                await asyncio.to_thread(_force, os.dup(self._descriptor))

    def _append(self, lines: bytes) -> None:
        try:
            if self._path is None or self._size >= self._full_at or self.disk_refuses:
                self._begin_file()  # with what is needed, `lines` among it, and all that the disk has refused
            else:
                append_whole(self._descriptor, lines)
                self._size += len(lines)
            self._is_dirty = True
            self._failing.ended()
        except OSError as error:  # calls go on, and Asterisk's journal has them
            self._failing.failed(str(error))

    def _begin_file(self) -> None:
        needed = b"".join(self._lines.values())
        path = new_path(self._folder, _PATTERN)
        descriptor = make_locked(path)
        try:
            append_whole(descriptor, needed)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
        self._path, self._descriptor, self._size = path, descriptor, len(needed)
        self._full_at = MAX_BYTES + 2 * len(needed)

    def _empty(self) -> None:
        """Nothing is needed any more."""
        if self._path is None:
            return
        try:
            os.ftruncate(self._descriptor, 0)
            self._size, self._is_dirty = 0, True
        except OSError as error:  # the next start finds in the record what stands there
            self._failing.failed(str(error))

    async def _take_over(self) -> None:
        self._is_held, before = False, len(self._left)
        for path in await asyncio.to_thread(lambda: sorted(self._folder.glob(_PATTERN))):
            if path == self._path:
                continue
            async with taken_over(path) as is_ours:
                if not is_ours:  # a living engine's
                    self._is_held = self._is_held or await asyncio.to_thread(path.exists)
                    continue
                self._inherit(await asyncio.to_thread(_read, path, self._shift))
                await asyncio.to_thread(path.unlink, missing_ok=True)
        if len(self._left) > before:
            log.info("calls were in progress when an engine before us ended", calls=len(self._left) - before)

    def _inherit(self, found: Mapping[str, Left]) -> None:
        """Have in our own journal what a file leaves, as of when its engine ended."""
        lines = []
        for call_id, (state, known_at) in found.items():
            if call_id in self._left or call_id not in self._lines:  # else it goes on here, and has gone further
                self._left[call_id] = state, known_at
                line = b"%s %s %d\n" % (call_id.encode(), state, (known_at - _EPOCH) // _MICROSECOND)
                self._lines[call_id] = line
                lines.append(line)
        if lines:
            self._append(b"".join(lines))


def _read(path: Path, shift: timedelta) -> dict[str, Left]:
    """The newest state of each call that a file leaves, and until when its engine lived."""
    lived_until = datetime.fromtimestamp(path.stat().st_mtime, UTC) + shift
    found: dict[str, Left] = {}
    whole = path.read_bytes().split(b"\n")[:-1]  # the last line of a machine that died may be cut, after any character
    for line in whole:
        read = _LINE.fullmatch(line)
        if read is None:
            log.warning("a line of the journal of calls in progress does not read")
            continue
        call_id, state, known_at = read[1].decode(), read[2], read[3]
        if state is None:
            found.pop(call_id, None)
        else:
            found[call_id] = state, _EPOCH + int(known_at) * _MICROSECOND if known_at else lived_until
    return found


def _force(descriptor: int) -> None:
    """Have a file on the disk, with the time of now; the descriptor is closed."""
    try:
        os.utime(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
