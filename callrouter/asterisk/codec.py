"""Bytes to AMI events and responses, actions to bytes. Pure: no asyncio, no sockets.

The goal is to spend nothing on what nobody wants. A simple IVR call raises some 50 events, of which
callrouter needs ten; so a stream is first cut into whole blocks (`Framer`), a block's name is read as bytes
(`event_name`), and only a wanted block is decoded (`parse`). Text is decoded after a block is whole, so that
a UTF-8 character split between two reads is never lost. Framing takes linear time however the bytes arrive.

What a block is (`main/manager.c`, `astman_send_response_full` and `__manager_event_sessions_va`): lines `Key:
value` ended by CR LF, ended by an empty line. Order and unknown keys carry no meaning. A value never holds CR
LF, with one family of exceptions that is Asterisk's own: the value of `Getvar` and the variables of `Status`
are written unescaped, so whatever a caller could have put there must be stored encoded, or read by AGI.

`encode_action` is the one encoder for AMI values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from callrouter.errors import EncodingError, ProtocolError

MAX_BLOCK_BYTES: Final = 1024 * 1024
"""A message beyond this is not AMI: the longest real ones (`Output:` of a CLI command) stay far below."""
MAX_LINE_BYTES: Final = 1024
"""`main/manager.c`, `struct mansession_session`: `inbuf[1025]`; a longer line, its CR LF included, spoils
the action.
"""
MAX_HEADERS: Final = 128
"""`include/asterisk/manager.h`, `AST_MAX_MANHEADERS`."""

GREETING: Final = b"Asterisk Call Manager/"
_END: Final = b"\r\n\r\n"
_EVENT: Final = b"Event: "
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\([A-Za-z0-9_-]+\))?")
_BREAKS = re.compile(r"[\r\n\0]+")

# Headers that callrouter itself composes: a line break in one of them is a bug of ours and must be loud. In
# every other header (a variable's value, the text of an event) it may come from a caller, and arrives as a
# space.
_OURS: Final = frozenset(
    {"action", "actionid", "channel", "command", "commandid", "context", "criteria", "exten", "family"}
    | {
        "filter",
        "interface",
        "key",
        "matchcriteria",
        "operation",
        "priority",
        "queue",
        "secret",
        "username",
        "variable",
    }
)


class AmiMessage(dict[str, str]):
    """One event or response: a dict of its first values, keys as Asterisk spells them; absent keys read as ''.

    `repeated` holds every value, in order, of the keys that came more than once (`Output`, `ChanVariable`,
    `Variable`); it is None when there is none, which is nearly always.
    """

    __slots__ = ("repeated",)
    repeated: dict[str, list[str]] | None

    def __missing__(self, key: str) -> str:
        return ""

    @property
    def event(self) -> str:
        """The event's name, '' for a response."""
        return self["Event"]

    @property
    def is_error(self) -> bool:
        """Whether this is a response other than a success (`Error` is the only one Asterisk 20 and later
        sends).
        """
        return "Response" in self and self["Response"] not in {"Success", "Follows", "Goodbye"}

    def all(self, key: str) -> list[str]:
        """Every value of a key, in order; empty when it is absent."""
        if self.repeated is not None and key in self.repeated:
            return self.repeated[key]
        return [self[key]] if key in self else []


class Framer:
    """Cuts a stream into whole blocks, in linear time, however it is split.

    Bytes are held only while a block is unfinished; then only what is new (and three bytes before it) is
    searched. `version` is the AMI version of the greeting line, None until it was seen.
    """

    __slots__ = ("_greeted", "_held", "version")

    def __init__(self, *, greeting: bool = True) -> None:
        """`greeting`: whether the stream begins with Asterisk's greeting line (a recording may begin
        anywhere).
        """
        self._held = bytearray()
        self._greeted = not greeting
        self.version: str | None = None

    @property
    def unfinished(self) -> bool:
        """Whether a block has begun whose end is still to come."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read; return the blocks that are now whole, without their final empty line.

        Raises ProtocolError when the peer does not greet as AMI, or a block exceeds MAX_BLOCK_BYTES.
        """
        if not self._greeted:
            rest = self._greet(data)
            if rest is None:
                return []
            data = rest
        held = self._held
        if held:
            start = max(0, len(held) - 3)
            held += data
            if held.find(_END, start) < 0:
                self._check_bound()
                return []
            data = bytes(held)
            held.clear()
        blocks = data.split(_END)
        held += blocks.pop()
        if held:
            self._check_bound()
        return blocks

    def _greet(self, data: bytes) -> bytes | None:
        self._held += data
        line, end, rest = bytes(self._held).partition(b"\r\n")
        seen = line[: len(GREETING)]
        if seen != GREETING[: len(seen)] or (end and seen != GREETING):
            raise ProtocolError(
                f"the peer does not speak AMI: it began with {bytes(line[:60])!r} instead of {GREETING.decode()!r}; "
                "check that CALLROUTER_AMI_PORT is the port of manager.conf"
            )
        if not end:
            self._check_bound()
            return None
        self.version = line[len(GREETING) :].decode("ascii", "replace")
        self._held.clear()
        self._greeted = True
        return rest

    def _check_bound(self) -> None:
        if len(self._held) > MAX_BLOCK_BYTES:
            raise ProtocolError(f"a message longer than {MAX_BLOCK_BYTES} bytes is not AMI")


def event_name(block: bytes) -> bytes | None:
    """The name of an event without decoding it; None for a response or for anything else."""
    if block.startswith(_EVENT):
        end = block.find(b"\r\n", 7)
        return block[7:end] if end >= 0 else block[7:]
    return None


def field(block: bytes, prefix: bytes) -> bytes:
    """The value of the *last* line that begins with `prefix` (given as b"\\r\\nKey: "); b"" when there is none.

    The last one, because what Asterisk adds to an event comes after the channel's own fields, some of which
    hold what a caller sent (`main/manager_channels.c`, `ast_manager_build_channel_state_string_prefix`).
    """
    start = block.rfind(prefix)
    if start < 0:
        return b""
    start += len(prefix)
    end = block.find(b"\r\n", start)
    return block[start:end] if end >= 0 else block[start:]


def parse(block: bytes) -> AmiMessage:
    """Decode one whole block. Never raises: a line that is not `Key: value` is left out, invalid UTF-8
    replaced.
    """
    lines = block.decode("utf-8", "replace").split("\r\n")
    message = AmiMessage()
    for line in lines:  # measured: faster than a comprehension of splits or a regular expression
        key, colon, value = line.partition(": ")
        if not colon:
            return _parse_slowly(lines)
        message[key] = value
    if len(message) != len(lines):
        return _parse_slowly(lines)
    message.repeated = None
    return message


def _parse_slowly(lines: Iterable[str]) -> AmiMessage:
    """The way for the few messages with repeated keys, or lines that are no `Key: value`."""
    message = AmiMessage()
    repeated: dict[str, list[str]] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.removeprefix(" ")
        if key in message:
            repeated.setdefault(key, [message[key]]).append(value)
        else:
            message[key] = value
    message.repeated = repeated or None
    return message


def whole_number(text: str, most_digits: int = 9) -> int | None:
    """A number in ASCII digits, of no more than nine, which PostgreSQL's `integer` holds; None for anything else.

    `int` takes digits of every script, and raises for those of some thousand places.
    """
    return int(text) if len(text) <= most_digits and text.isascii() and text.isdecimal() else None


def decode_stream(data: bytes, wanted: frozenset[bytes] | None = None) -> Iterator[AmiMessage]:
    """The messages of a recording: responses, and the events whose name is wanted (None: all of them).

    An unfinished last block is left out. A recording may begin in the middle of a message.
    """
    framer = Framer(greeting=data.startswith(GREETING))
    for block in framer.feed(data):
        if wanted is not None:
            name = event_name(block)
            if name is not None and name not in wanted:
                continue
        yield parse(block)


def encode_action(
    name: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] = (), action_id: str | None = None
) -> bytes:
    """One action as bytes. The one encoder for AMI values.

    CR, LF and NUL in a free value (a variable's value, a text) become a space, so that a hostile one arrives
    as text. In a key, an action's name or a header that we compose (`Channel`, `Command`, `Variable` …) they
    are our own bug. Pass pairs to repeat a key.

    Raises EncodingError for such a bug, a line beyond MAX_LINE_BYTES or more than MAX_HEADERS headers.
    """
    pairs = [("Action", name)]
    if action_id is not None:
        pairs.append(("ActionID", action_id))
    pairs.extend(headers.items() if isinstance(headers, Mapping) else headers)
    if len(pairs) > MAX_HEADERS:
        raise EncodingError(f"action {name!r} has {len(pairs)} headers; Asterisk takes at most {MAX_HEADERS}")
    return b"".join([encode_header(key, value) for key, value in pairs]) + b"\r\n"


def encode_header(key: str, value: str) -> bytes:
    """One line of an action, its CR LF included; see `encode_action`."""
    if not _KEY.fullmatch(key):
        raise EncodingError(f"{key!r} cannot be the key of an AMI header: letters, digits, '_' and '-' only")
    if _BREAKS.search(value):
        if key.lower() in _OURS:
            raise EncodingError(f"the value of AMI header {key!r} holds CR, LF or NUL")
        value = _BREAKS.sub(" ", value)
    line = f"{key}: {value}\r\n".encode("utf-8", "replace")
    if len(line) > MAX_LINE_BYTES:
        raise EncodingError(f"AMI header {key!r} takes {len(line)} bytes; Asterisk takes at most {MAX_LINE_BYTES}")
    return line
