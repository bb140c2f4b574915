"""The files of the journal of taken messages: a line of JSON a message, in files of one process each (`writing.files`).

    messages-*.jsonl           what may not be in PostgreSQL yet; emptied when all of it is
    refused-messages.jsonl     what PostgreSQL cannot hold, or has otherwise under the same id: for a person to look at

All of it blocks, and is for one thread alone, which does one thing after the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog

from callrouter.store.messages import TakenMessage
from callrouter.store.writing.files import NeededFile, make_locked, new_path, open_locked, write_whole

log = structlog.get_logger(__name__)

MAX_FILE_BYTES: Final = 4_000_000
"""A file that has grown to this is left for a new one."""
REFUSED: Final = "refused-messages.jsonl"
_PATTERN: Final = "messages-*.jsonl"


class MessageFiles:
    """Those of this process, and those that it has taken over."""

    def __init__(self, folder: Path) -> None:
        """`folder` is that of the spool; it is made with the first message."""
        self._folder = folder
        self._files: list[NeededFile] = []
        self._own: NeededFile | None = None
        """The one that is added to."""

    def append(self, message: TakenMessage) -> None:
        """Put a message on the disk: it is there when the machine loses its power.

        Raises:
            OSError: the disk does not take it.
        """
        line = line_of(message)
        if self._own is None or self._own.is_full:
            self._own = self._made()
        self._own.append(message.message_id, line, write_whole)

    def forget(self, message_ids: set[str]) -> None:
        """These are in PostgreSQL, or set aside.

        Raises:
            OSError: the disk fails; they are read once more by the next process, which changes nothing.
        """
        for file in [*self._files]:
            if file.forget(message_ids):
                self._finish(file)

    def set_aside(self, message: TakenMessage) -> None:
        """Keep one that PostgreSQL never takes. Raises OSError: the disk does not take it."""
        self._set_aside(line_of(message))

    def left_behind(self) -> list[TakenMessage]:
        """Messages of processes that are gone, whose files are ours from now on.

        Raises:
            OSError: they cannot be read now.
        """
        ours = {file.path for file in self._files}
        found: list[TakenMessage] = []
        for path in sorted(self._folder.glob(_PATTERN)):
            descriptor = None if path in ours else open_locked(path, 0)
            if descriptor is None:  # one that lives has it, or has just removed it
                continue
            try:
                messages = list(self._messages(path.read_bytes()))
            except OSError:
                os.close(descriptor)
                raise
            needed = (message.message_id for message in messages)
            file = NeededFile(path, descriptor, full_bytes=MAX_FILE_BYTES, needed=needed)
            self._files.append(file)
            found += messages
            if not messages:
                self._finish(file)
        return found

    def close(self) -> None:
        """Leave what is there to the next process."""
        for file in self._files:
            file.close()
        self._files.clear()
        self._own = None

    def _made(self) -> NeededFile:
        # One by one: parents that `mkdir` makes on its way do not get the mode. It is that of `app.folders`.
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._folder.mkdir(exist_ok=True, mode=0o700)
        path = new_path(self._folder, _PATTERN)
        file = NeededFile(path, make_locked(path), full_bytes=MAX_FILE_BYTES)
        self._files.append(file)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # of a file without a name nothing is found
        finally:
            os.close(folder)
        return file

    def _finish(self, file: NeededFile) -> None:
        """Nothing in it is needed any more."""
        if file is self._own and not file.is_full:
            file.empty()
            return
        self._files.remove(file)
        if file is self._own:
            self._own = None
        file.delete()

    def _messages(self, content: bytes) -> Iterator[TakenMessage]:
        for line in content.splitlines(keepends=True):
            try:
                yield msgspec.json.decode(line, type=TakenMessage)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if not line.endswith(b"\n"):  # whoever wrote it died in it, and has told nobody that it is kept
                    log.warning("the last line of a journal of messages was cut", reason=str(error))
                    continue
                self._set_aside(line)
                log.error("a message on disk cannot be read, and is set aside", file=REFUSED, reason=str(error))  # noqa: TRY400

    def _set_aside(self, line: bytes) -> None:
        descriptor = os.open(self._folder / REFUSED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            write_whole(descriptor, line)
        finally:
            os.close(descriptor)


def line_of(message: TakenMessage) -> bytes:
    """A message as it stands in a file."""
    return msgspec.json.encode(message) + b"\n"
