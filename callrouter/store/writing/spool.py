"""Calls that wait on disk while PostgreSQL is away: append-only files of one call a line (`trace.call_json`).

Every process appends to a file of its own and holds its lock; a successor adopts the files nobody holds, at its start
and until nobody else holds one. A file is removed once all its calls are committed: told twice is recorded once,
because rows are upserted by call id.

What is appended is on the disk (fsync) when `append` returns. The last line of a machine that died may be cut; it is
set aside with its reason, like every line that does not read back and every call that PostgreSQL refuses.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from callrouter.store.writing.files import make_locked, new_path, open_locked, write_whole

REJECTED = "rejected.jsonl"
_PATTERN = "calls-*.jsonl"
_CALL_ID = re.compile(rb'\{"call_id": ?"([A-Za-z0-9_.-]+)"')
"""How `trace.call_json` begins a line."""
_GUESS = re.compile(rb'[^,]*, ?"pbx": ?"[^"]*", ?"epoch": ?[0-9]+, ?"revision": ?0,')
"""How it begins that of a call whose end was guessed (`core.call.Revision`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was taken over from processes that have ended."""

    calls: int
    call_ids: list[str]
    """Of those whose end was seen. A cut line has none, and of a call whose end was guessed somebody else may know
    better."""
    is_whole: bool
    """Whether no other process holds a file: who gives its place away, or is stopped, ends later."""


class Spool:
    """The spool's folder. Every method blocks on the disk: call them in a thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._file: int | None = None
        self._adopted: dict[Path, int] = {}
        self._since: dict[Path, float] = {}
        self._calls = 0

    @property
    def calls(self) -> int:
        """How many calls wait here."""
        return self._calls

    def count_in(self, calls: int) -> None:
        """So many stand here from now on, and nowhere else: not told by `append` and `adopt`, which run in a thread."""
        self._calls += calls

    def count_out(self, calls: int) -> None:
        """So many are committed, or set aside."""
        self._calls -= calls

    @property
    def oldest_at(self) -> float | None:
        """Since when the oldest call waits (time.time); None when none does."""
        return min(self._since.values(), default=None)

    def append(self, lines: Sequence[str], oldest_at: float) -> None:
        """Put calls on the disk, one a line; the oldest has waited since `oldest_at` (time.time).

        Raises:
            OSError: the disk does not take them, and holds none of them.
        """
        if self._file is None:
            path = new_path(self._folder, _PATTERN)
            self._file = make_locked(path)
            self._adopted[path], self._since[path] = self._file, oldest_at
        # A lone surrogate is text to Python and to JSON, but to no encoding: it is kept as JSON's own escape.
        write_whole(self._file, "".join([f"{line}\n" for line in lines]).encode("utf-8", "backslashreplace"))

    def adopt(self) -> Adopted:
        """Take over the files that no living process holds.

        Raises:
            OSError: the folder cannot be read.
        """
        calls, call_ids, is_whole = 0, list[str](), True
        for path in sorted(self._folder.glob(_PATTERN)):
            if path in self._adopted:
                continue
            descriptor = open_locked(path, 0)
            if descriptor is None:
                is_whole = is_whole and not path.exists()
                continue
            self._adopted[path], self._since[path] = descriptor, path.stat().st_mtime
            with path.open("rb") as lines:
                for line in lines:
                    calls += 1
                    if line.endswith(b"\n") and (found := _CALL_ID.match(line)) and not _GUESS.match(line):
                        call_ids.append(found[1].decode())
        return Adopted(calls=calls, call_ids=call_ids, is_whole=is_whole)

    def oldest(self) -> Path | None:
        """The file that waits longest, if any; nothing is appended to it any more."""
        self._file = None
        return min(self._adopted, default=None)

    def read(self, path: Path, size: int) -> Iterator[list[str]]:
        """The lines of a file, `size` at a time."""
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            while batch := list(islice(lines, size)):
                yield batch

    def remove(self, path: Path) -> None:
        """A file whose calls are all committed."""
        path.unlink(missing_ok=True)
        os.close(self._adopted.pop(path))
        del self._since[path]

    def set_aside(self, line: str, reason: str) -> None:
        """Keep what cannot be recorded, with its reason, for a person to look at.

        Raises:
            OSError: the disk does not take it.
        """
        entry = json.dumps({"reason": reason, "record": line.rstrip("\n")}) + "\n"
        descriptor = os.open(self._folder / REJECTED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            write_whole(descriptor, entry.encode())
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Leave what waits to the next start."""
        self._file = None
        self._since.clear()
        while self._adopted:
            os.close(self._adopted.popitem()[1])
