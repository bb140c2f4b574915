"""Server-Sent Events (HTML Living Standard, 9.2) as bytes: written for readers, and read again from the engine.

A frame is `id`, `event` and `data` on a line each, and an empty line. JSON of ours has no line break in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from callrouter.stream.events import Event, encode, kind_of
from callrouter.stream.ring import EventId

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = b":\n\n"
"""A comment: readers pass over it, and proxies see that the connection lives."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""A frame beyond this is none of ours: a snapshot of 10,000 calls is 10 MB."""
_END: Final = b"\n\n"


class Frame(Struct, frozen=True, kw_only=True, gc=False):
    """One frame as it was read."""

    id: EventId | None
    data: bytes
    raw: bytes
    """All of it, to be passed on."""


def frame(event: Event, event_id: EventId | None = None) -> bytes:
    """An event for readers; without an id it leaves the one they know as it is."""
    name = kind_of(event).encode()
    identity = _identity(event_id) if event_id is not None else b""
    return b"%bevent: %b\ndata: %b\n\n" % (identity, name, encode(event))


def with_id(sent: bytes, event_id: EventId) -> bytes:
    """A frame that has an id, with another one."""
    return _identity(event_id) + sent.partition(b"\n")[2]


def retry(milliseconds: int) -> bytes:
    """How long a browser waits before it comes back."""
    return b"retry: %d\n\n" % milliseconds


def _identity(event_id: EventId) -> bytes:
    return b"id: %b\n" % str(event_id).encode()


class FrameReader:
    """Cuts bytes into frames, however they are split; comments and what has no data are passed over."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now.

        Raises:
            ValueError: one is longer than any of ours.
        """
        start = max(0, len(self._held) - 1)
        self._held += data
        if self._held.find(_END, start) < 0:
            if len(self._held) > MOST_BYTES:
                raise ValueError(f"a frame longer than {MOST_BYTES} bytes is none of an event stream of ours")
            return
        *blocks, rest = bytes(self._held).split(_END)
        self._held = bytearray(rest)
        for block in blocks:
            found = _read(block)
            if found is not None:
                yield found


def _read(block: bytes) -> Frame | None:
    event_id, data = None, None
    for line in block.split(b"\n"):
        name, _, value = line.partition(b": ")
        if name == b"id":
            event_id = EventId.read(value.decode("ascii", "replace"))
        elif name == b"data":
            data = value
    return None if data is None else Frame(id=event_id, data=data, raw=block + _END)
