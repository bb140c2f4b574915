"""Files of one process each, in a folder that many share: each is written by whoever holds its lock.

What a process leaves when it ends, a successor finds without a lock and takes over. A write is whole, or leaves the
file as it was.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
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
