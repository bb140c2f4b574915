"""Whether a part of `callrouter up` has started: it says so itself, once, by a byte in a pipe that it was given.

Time does not tell: a part whose settings are wrong takes long to find that out on a busy machine, and one that has
started may end within a second. `Word` is the side of who waits for it, `say_started` that of the part.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

OPTION: Final = "--says-started"
"""Of each part's command: the pipe's file descriptor."""
_WORD: Final = b"s"

_pipes: list[int] = []
"""This process's, while it has not said it."""


class Word:
    """Of one process."""

    def __init__(self) -> None:
        """Give `descriptor` to the process, and say when it has it."""
        self._ours, self.descriptor = os.pipe()
        os.set_blocking(self._ours, False)
        self._is_said = False

    def is_given(self) -> None:
        """The process has its end, or was not begun."""
        os.close(self.descriptor)

    @property
    def is_said(self) -> bool:
        """Whether the process has started, however it ended."""
        if not self._is_said:
            with contextlib.suppress(BlockingIOError):
                self._is_said = os.read(self._ours, 1) == _WORD
        return self._is_said

    def __del__(self) -> None:
        os.close(self._ours)


def will_say_started(descriptor: int) -> None:
    """This process is a part; programs that it begins get nothing of the pipe."""
    if descriptor >= 0:
        os.set_inheritable(descriptor, False)
        _pipes.append(descriptor)


def say_started() -> None:
    """What this process stands on is right: should it end now, it is started again. Said again, nothing changes."""
    while _pipes:
        descriptor = _pipes.pop()
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.write(descriptor, _WORD)
        os.close(descriptor)
