"""One AMI connection: bytes in, callbacks out; what is pending on it, and the end of all that when it is lost.

`AmiSession` is the `protocol_factory` of panoramisk's `Manager`. It differs from panoramisk's own protocol
where that one fails: text is decoded after framing; values pass `encode_action`; results of AGI commands are
matched by CommandId (`AsyncAGIExec`, Asterisk ≥ 12); and what was unanswered when the connection went fails
at once and is never sent again: a command may have been carried out although its answer was lost.

The reader runs inside `data_received`: it calls back and never waits, because Asterisk ends a session whose
socket is not read for `writetimeout` (100 ms by default).

Asterisk confirms each action in a write of its own, and a call has some twenty actions: half of the times the process
is woken, it would be for confirmations that it drops unread. So, while nobody waits for a response, the kernel wakes
it only for more than a few of them can be (`SO_RCVLOWAT`); an event is always more.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

import structlog

from callrouter.asterisk import actions, codec
from callrouter.asterisk.asyncagi import AgiResult, parse_encoded_result
from callrouter.asterisk.batch import Batch, OnResult, Pending, Request
from callrouter.asterisk.event_time import EventTime
from callrouter.errors import ActionFailed, AmiError, AmiUnreachable, ChannelGone, ProtocolError

log = structlog.get_logger(__name__)

OnEvent = Callable[[codec.AmiMessage], None]
Along = Callable[[], bytes]
"""Asked at each write without an AGI command for a posted action that may wait for one; b"" when there is none."""
OnPostError = Callable[[str, codec.AmiMessage], None]
"""Told of a posted action that failed: `Setvar/PJSIP/trunk-00000001` and Asterisk's response."""

RESULT_EVENT: Final = "AsyncAGIExec"
"""Brings the result of an AGI command; it goes to whom sent the command."""
_EXEC = RESULT_EVENT.encode()
_ACTION_ID = b"\r\nActionID: "
_CONFIRMED = tuple(b"Response: Success\r\nActionID: " + kind for kind in (actions.POSTED, actions.AGI))
"""How the answer to a posted action begins, or to an AGI command that was queued: nothing to know."""
# Asterisk writes each key of a channel once: an event with another key twice is not believed. link.FORGED_EVENTS holds
# back what has an empty line.
_MAY_REPEAT = frozenset({"ChanVariable", "DestChanVariable", "Variable"})
_LOGOFF = codec.encode_action("Logoff", (), "p/Logoff/")
SPARED_BYTES: Final = 300
"""What may wait unread while nobody waits for a response, or for the rest of a message: the confirmations of a call's
first batch (280 bytes), and no event with a channel's fields in it (340 bytes and more). The next event, or the answer
to the next ping, brings the rest."""
_GONE = re.compile(r"no such channel|channel .*does not exist|channel does not exist", re.IGNORECASE)


@dataclass(slots=True)
class LinkCounters:
    """What the link has seen since the process started; read by metrics."""

    connections: int = 0
    failures: int = 0
    events_received: int = 0
    events_dropped: int = 0
    events_forged: int = 0
    actions_failed: int = 0
    results: int = 0
    results_unclaimed: int = 0
    bytes_received: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Handlers:
    """Who is told what. They are called inside the reader: they must return soon and await nothing."""

    events: Mapping[bytes, OnEvent]
    """By the event's name; others are dropped before they are decoded."""
    on_post_error: OnPostError


def action_error(message: codec.AmiMessage) -> ActionFailed:
    """The error for a response that is not a success, Asterisk's text kept."""
    text = message["Message"]
    return (ChannelGone if _GONE.search(text) else ActionFailed)(text or "Asterisk gave no reason")


class AmiSession(asyncio.Protocol):
    """See the module. `lost` is done, with the reason, when the connection has gone."""

    def __init__(self, handlers: Handlers, counters: LinkCounters, event_time: EventTime | None = None) -> None:
        self._event_time = event_time or EventTime()
        self._reading = b""
        """The event that is being told, if any."""
        self._handlers = handlers
        self._counters = counters
        self._loop = asyncio.get_running_loop()
        self._framer = codec.Framer()
        self._pending = Pending()
        self._lists = 0
        self._along: Along = bytes  # nothing
        self._transport: asyncio.Transport | None = None
        self.connected = False
        """Whether what is written now leaves."""
        self._spared: socket.socket | None = None
        """The socket, once confirmations are spared on it."""
        self._marked = 1
        """Bytes from which on the kernel wakes us."""
        self._broken: str | None = None
        # A command id of another session must never be taken for one of ours: what a dead engine queued still
        # runs.
        self.command_prefix = secrets.token_hex(4).encode()
        self._last_id = 0
        self.heard_at_seconds = self.last_heard_seconds = self._loop.time()
        """The first is later where that nothing was heard was our own fault."""
        self.lost: asyncio.Future[str] = self._loop.create_future()

    # Out

    def batch(self) -> Batch:
        return Batch(self)

    def submit(self, data: bytes, requests: dict[bytes, Request], results: dict[bytes, OnResult]) -> None:
        """Send bytes that the encoders made, in one write, and remember who waits for what.

        Without a connection everybody who waits is told so, with AmiUnreachable.
        """
        pending = self._pending if self._transport is not None else Pending()
        pending.results.update(results)
        for action_id, request in requests.items():
            pending.requests[action_id] = request
            self._lists += request.items is not None and self._transport is not None
        if requests:
            self._mark()
        if self._transport is not None:
            self._transport.write(data if results else data + self._along())
        else:
            self._loop.call_soon(self._fail, pending, self.reason)

    @property
    def reason(self) -> str:
        """Why there is no connection (any more)."""
        return self.lost.result() if self.lost.done() else "not connected"

    def abort(self, reason: str) -> None:
        """End the connection at once, for the reason given."""
        self._broken = self._broken or reason
        self.connected = False
        if self._transport is not None:
            self._transport.abort()

    def excuse(self, until_seconds: float) -> None:
        """That nothing was heard until then (the loop's time) was this process's own fault."""
        self.heard_at_seconds = max(self.heard_at_seconds, until_seconds)

    async def log_off(self, reason: str) -> None:
        """Ask Asterisk to end the session and see it ended: only then may another log in as the same user."""
        self._broken = self._broken or reason
        self.submit(_LOGOFF, {}, {})
        await asyncio.wait([self.lost], timeout=1.0)
        self.abort(reason)

    def carry(self, along: Along) -> None:
        """From now on, let what `along` gives go with what is written, but not with AGI commands.

        With their confirmations, its own would be more than `SPARED_BYTES`, and wake us. A hang-up has room for one.
        """
        self._along = along

    def spare_confirmations(self) -> None:
        """From now on, be woken by confirmations only while somebody waits for a response; not with TLS, whose
        records are read by the transport.
        """
        if self._transport is not None and self._transport.get_extra_info("sslcontext") is None:
            self._spared = self._transport.get_extra_info("socket")
            self._mark()

    def _mark(self) -> None:
        """Say from how many bytes on we are to be woken: any, for a response or the rest of a message."""
        size = 1 if self._pending.requests or self._framer.unfinished else SPARED_BYTES
        if self._spared is not None and size != self._marked:
            # What is there already wakes at once, if it is enough for the new mark (Linux, tcp_set_rcvlowat).
            self._spared.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
            self._marked = size

    def abandon(self, command_id: bytes) -> None:
        """Forget an AGI command: Asterisk says nothing about what was queued on a channel that ended."""
        self._pending.results.pop(command_id, None)

    @property
    def awaited_results(self) -> int:
        """AGI commands whose result has not come."""
        return len(self._pending.results)

    def next_id(self, kind: bytes) -> bytes:
        """An ActionID that this session has not had yet."""
        self._last_id += 1
        return b"%b%x" % (kind, self._last_id)

    # In

    @property
    def late_seconds(self) -> float:
        """How long ago what is being told happened, by Asterisk's own time; 0 when nothing is being told."""
        return self._event_time.late_seconds(self._reading) if self._reading else 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.connected = True

    def data_received(self, data: bytes) -> None:
        self.heard_at_seconds = self.last_heard_seconds = self._loop.time()
        counters = self._counters
        counters.bytes_received += len(data)
        try:
            blocks = self._framer.feed(data)
        except ProtocolError as error:
            self.abort(str(error))
            return
        events = self._handlers.events
        for block in blocks:
            if block.startswith(_CONFIRMED):
                continue
            if block.startswith(b"Event: "):
                counters.events_received += 1
                self._reading = block
                name = block[7 : block.find(b"\r\n", 7)]
                if name == _EXEC:
                    self._take_result(block)
                elif self._lists and self._take_list_item(block):
                    pass
                elif (on_event := events.get(name)) is not None:
                    self._tell(on_event, block)
                else:
                    counters.events_dropped += 1
            elif block.startswith(b"Response: "):
                self._reading = b""
                self._take_response(block)
        self._reading = b""
        if self._marked == 1 or self._framer.unfinished:
            self._mark()

    def eof_received(self) -> None:
        """Asterisk closes: `connection_lost` follows."""
        self.connected = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._spared = None
        self.connected = False
        reason = self._broken or (f"connection lost: {exc}" if exc else "Asterisk closed the connection")
        pending, self._pending = self._pending, Pending()
        self._lists = 0
        if not self.lost.done():
            self.lost.set_result(reason)
        self._fail(pending, reason)

    def _fail(self, pending: Pending, reason: str) -> None:
        error = AmiUnreachable(reason)
        for request in pending.requests.values():
            if not request.future.done():
                request.future.set_exception(error)
        for on_result in pending.results.values():
            self._call(on_result, error)

    def _tell(self, on_event: OnEvent, block: bytes) -> None:
        message = codec.parse(block)
        if message.repeated is not None and not message.repeated.keys() <= _MAY_REPEAT:
            self._counters.events_forged += 1
            log.warning("a caller's number forged a line of an AMI event: dropped", ami_event=message.event)
            return
        try:
            on_event(message)
        except Exception:
            # Handlers are ours, and whatever they raise is a fault of one call's: raised into asyncio's reader it would
            # end the link, deafen all others, and come again after the log-in.
            log.exception("the handler of an AMI event failed", ami_event=message.event)

    def _take_result(self, block: bytes) -> None:
        on_result = self._pending.results.pop(codec.field(block, b"\r\nCommandId: "), None)
        if on_result is None:
            self._counters.results_unclaimed += 1
            return
        self._counters.results += 1
        outcome = parse_encoded_result(codec.field(block, b"\r\nResult: "))
        try:  # as in `_call`, which would cost every command a call
            on_result(outcome)
        except Exception:  # as in _tell
            log.exception("the handler of an AGI result failed", outcome=repr(outcome)[:200])

    def _call(self, on_result: OnResult, outcome: AgiResult | AmiError) -> None:
        try:
            on_result(outcome)
        except Exception:  # as in _tell
            log.exception("the handler of an AGI result failed", outcome=repr(outcome)[:200])

    def _take_response(self, block: bytes) -> None:
        message = codec.parse(block)
        action_id = message["ActionID"].encode()
        if message.is_error:
            self._counters.actions_failed += 1
        if action_id.startswith(actions.POSTED):
            if message.is_error:
                self._tell_post_error(message["ActionID"][len(actions.POSTED) :], message)
        elif (request := self._pending.requests.get(action_id)) is not None:
            self._take_answer(action_id, request, message)
        elif (on_result := self._pending.results.pop(self.command_prefix + action_id, None)) is not None:
            self._call(on_result, action_error(message))

    def _tell_post_error(self, about: str, message: codec.AmiMessage) -> None:
        try:
            self._handlers.on_post_error(about, message)
        except Exception:  # as in _tell
            log.exception("the handler of a failed AMI action failed", action=about)

    def _take_answer(self, action_id: bytes, request: Request, message: codec.AmiMessage) -> None:
        if request.items is not None and not message.is_error:
            request.items.append(message)
            return
        self._forget_request(action_id)
        if request.future.done():
            return
        if message.is_error:
            request.future.set_exception(action_error(message))
        else:
            cast("asyncio.Future[codec.AmiMessage]", request.future).set_result(message)

    def _take_list_item(self, block: bytes) -> bool:
        action_id = codec.field(block, _ACTION_ID)
        request = self._pending.requests.get(action_id)
        if request is None or request.items is None:
            return False
        message = codec.parse(block)
        request.items.append(message)
        if message["EventList"] in {"Complete", "Cancelled"}:
            self._forget_request(action_id)
            if not request.future.done():
                cast("asyncio.Future[list[codec.AmiMessage]]", request.future).set_result(request.items)
        return True

    def _forget_request(self, action_id: bytes) -> None:
        request = self._pending.requests.pop(action_id, None)
        if request is not None and request.items is not None:
            self._lists -= 1
