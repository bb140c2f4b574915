"""The keys that end a Read, and the one of our own that ends it when Read did not see the caller's.

Digits come from DTMFEnd alone, in whatever state the channel is. A key that arrives in the instant before Read starts
is seen by us and not by Read: a `#` is then put into the channel so that Read ends, and its own DTMFEnd is swallowed.

Of a key that is let go between two commands Asterisk tells at once, and plays it to the next one as long as it lasted
(channel.c, __ast_read: an end whose begin was ignored is emulated). A `#` meanwhile would wait for that to be over and
answer the next question instead, so it is sent only after the key's own length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

LONGEST_READ: Final = 255
"""Keys that a Read can take (app_read.c)."""
KEY_GRACE_SECONDS: Final = 0.06
"""How long after a key that should have ended a Read its result may take before we end it ourselves."""


SHORTEST_KEY_SECONDS: Final = 0.1
"""So long Asterisk plays a key whose length it does not know (AST_DEFAULT_EMULATE_DTMF_DURATION)."""


class ReadKeys:
    """Counts the keys of one line's commands; `end_read` sends a `#`, and says whether it did."""

    __slots__ = ("_asked", "_end_read", "_heard", "_held", "_injected", "_nudge", "_wanted")

    def __init__(self, end_read: Callable[[], bool]) -> None:
        self._end_read = end_read
        self._wanted = 0
        """Keys after which the running command ends by itself; 0: none ends it."""
        self._injected = 0
        """Keys of our own whose DTMFEnd is still to come."""
        self._nudge: asyncio.TimerHandle | None = None
        self._heard = ""
        """Keys since the command was written, as far as we heard them."""
        self._asked = False
        """Read is to say itself which keys it took: some may have been pressed while nobody listened."""
        self._held = ""
        """Keys since then."""

    def expect(self, keys: int) -> None:
        """A command was written that ends after so many keys; 0: no key ends it."""
        self._wanted = keys
        self._heard = self._held = ""
        self._asked = False

    def swallows(self, digit: str) -> bool:
        """Whether this key is the one of our own."""
        if self._injected and digit == "#":
            self._injected -= 1
            return True
        return False

    def asked(self) -> None:
        """Read will say which keys it took: those that are pressed until then wait for their turn."""
        self._asked = True

    def took(self, read: str) -> str:
        """The keys that are news, in order, now that Read has said what it took."""
        news = _beyond(self._heard, read) + _beyond(read, self._held)
        self._heard = self._held = ""
        self._asked = False
        return news

    def holds(self, digit: str) -> bool:
        """Whether this key has to wait for what Read says."""
        if self._asked:
            self._held += digit
        else:
            self._heard = (self._heard + digit)[-LONGEST_READ:]
        return self._asked

    def pressed(self, digit: str, seconds: float) -> None:
        """A key of the caller's, held down so long: a command that it should have ended is ended by us, if it does not
        end soon.
        """
        if self._wanted:
            self._wanted = 0 if digit == "#" else self._wanted - 1
            if self._wanted == 0 and self._nudge is None:
                after = max(seconds, SHORTEST_KEY_SECONDS) + KEY_GRACE_SECONDS
                self._nudge = asyncio.get_running_loop().call_later(after, self._inject)

    def ended(self) -> None:
        """The command has ended."""
        self._wanted = 0
        self.stop()

    def stop(self) -> None:
        """Leave what runs alone."""
        if self._nudge is not None:
            self._nudge.cancel()
            self._nudge = None

    def _inject(self) -> None:
        self._nudge = None
        self._injected += self._end_read()


def _beyond(known: str, keys: str) -> str:
    """What of `keys` comes after the longest end of `known` with which they begin."""
    for length in range(min(len(known), len(keys)), -1, -1):
        if known.endswith(keys[:length]):
            return keys[length:]
    return keys
