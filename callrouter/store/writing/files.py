"""Files of one process each, in a folder that many share: each is written by whoever holds its lock.

What a process leaves when it ends, a successor finds without a lock and takes over. A write is whole, or leaves the
file as it was.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4


def new_path(folder: Path, pattern: str) -> Path:
    """Of a file that matches the pattern (with one `*`); later ones sort behind earlier ones."""
    return folder / pattern.replace("*", f"{time.time_ns():020}-{uuid4().hex[:8]}")


def make_locked(path: Path) -> int:
    """A new file under our lock. It gets its name with the lock: whoever adopts files might lock it in between.

    Raises:
        OSError: the disk does not take it.
    """
    unnamed = path.with_name(f".{path.name}")
    descriptor = open_locked(unnamed, os.O_CREAT | os.O_EXCL)
    assert descriptor is not None, "nobody else knows its name"
    try:
        unnamed.rename(path)
    except OSError:
        os.close(descriptor)
        unnamed.unlink(missing_ok=True)
        raise
    return descriptor


def open_locked(path: Path, flags: int) -> int | None:
    """An open file under our lock; None when somebody else has it, or has removed it between our look and our lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_there = os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        is_there = False
    if not is_there:
        os.close(descriptor)
        return None
    return descriptor


@asynccontextmanager
async def taken_over(path: Path) -> AsyncIterator[bool]:
    """Hold the lock of a file that a process before us left; False: one that lives has it, or has just removed it."""
    descriptor = await asyncio.to_thread(open_locked, path, 0)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


class NeededFile:
    """A journal's file under our lock, which knows whose lines in it are needed: not those that are safe elsewhere."""

    def __init__(self, path: Path, descriptor: int, *, full_bytes: int, needed: Iterable[str] = ()) -> None:
        """`full_bytes` is from when it is left for a new one; `needed` are keys of what stands in it."""
        self.path = path
        self._descriptor = descriptor
        self._full_bytes = full_bytes
        self._size = os.fstat(descriptor).st_size
        self._needed = set(needed)

    @property
    def is_full(self) -> bool:
        return self._size >= self._full_bytes

    @property
    def is_needed(self) -> bool:
        return bool(self._needed)

    def append(self, key: str, line: bytes, write: Callable[[int, bytes], None]) -> None:
        """Add what is needed under a key; `write` is `append_whole` or `write_whole`. Raises OSError, as that does."""
        write(self._descriptor, line)
        self._size += len(line)
        self._needed.add(key)

    def forget(self, keys: set[str]) -> bool:
        """Whether nothing in it is needed any more, since these are not."""
        was_needed = self.is_needed
        self._needed -= keys
        return was_needed and not self.is_needed

    def empty(self) -> None:
        """Keep the file, and nothing in it."""
        os.ftruncate(self._descriptor, 0)
        self._size = 0

    def delete(self) -> None:
        """Remove it, and give the lock back."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave it to a successor."""
        os.close(self._descriptor)


def append_whole(descriptor: int, content: bytes) -> None:
    """Write all of it, or leave the file as it was: a disk takes as much of a line as it has room for.

    Raises:
        OSError: the disk does not take it.
    """
    written = os.write(descriptor, content)
    while written < len(content):
        try:
            written += os.write(descriptor, memoryview(content)[written:])
        except OSError:
            _take_back(descriptor, written)
            raise


def write_whole(descriptor: int, content: bytes) -> None:
    """The same, and have it on the disk.

    Raises:
        OSError: the disk does not take it.
    """
    append_whole(descriptor, content)
    try:
        os.fsync(descriptor)
    except OSError:
        _take_back(descriptor, len(content))
        raise


def _take_back(descriptor: int, size: int) -> None:
    os.ftruncate(descriptor, os.fstat(descriptor).st_size - size)
