"""The carrier's side of the numbers that are dialled: each number has its habit.

A small SIP server of our own, because the behaviours hang on the number, several at once: INVITE, CANCEL, BYE over
UDP on the loopback, without retransmissions.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import quote

from deploy.demo import g711
from deploy.demo.telephone import PAYLOAD_TYPES, Codec, Telephone

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

VOICE_HERTZ = 1300.0
"""The voice of whoever answers at a number."""
_VOICEMAIL_SECONDS = 12.0
_EARLY_SECONDS = 2.0


class Habit(StrEnum):
    """What happens at a number."""

    ACCEPTS = "accepts"
    """A person: answers, presses 1 as soon as something is said, talks until the other side hangs up."""
    ANSWERS = "answers"
    """A person who presses nothing."""
    VOICEMAIL = "voicemail"
    """Answers at once, speaks, presses nothing, hangs up by itself."""
    BUSY = "busy"
    DECLINES = "declines"
    """A telephone whose network says why, in its own terms (603, with Q.850's cause 21)."""
    RINGS = "rings"
    """Nobody answers."""
    MOVED = "moved"
    """A telephone that is set to name another one (302)."""
    FORWARDS = "forwards"
    """A telephone that sends its calls elsewhere by itself and says so (181); somebody answers there."""
    EARLY = "early"
    """A mobile that is off: its network sends a tone of its own before it answers, then it is a voicemail."""
    DEAD = "dead"
    """A telephone without power: it answers nothing at all."""


@dataclass(kw_only=True)
class _Dialog:
    invite: dict[str, str]
    address: tuple[str, int]
    tag: str
    telephone: Telephone
    answered: bool = False
    requests: int = 0
    """Sent by us within the dialog: its CSeq."""

    @property
    def replaces(self) -> str:
        """This dialog, as a Refer-To names it: tags as the other side sees them."""
        theirs = self.invite["from"].partition(";tag=")[2].partition(";")[0]
        named = f"{self.invite['call-id']};to-tag={theirs};from-tag={self.tag}"
        return quote(named, safe="")


class Carrier(asyncio.DatagramProtocol):
    """Answers calls to the numbers in `habits`; the others do not exist (404)."""

    def __init__(
        self,
        habits: Mapping[str, Habit],
        *,
        ring_seconds: float = 0.7,
        voices: Mapping[str, float] | None = None,
        sequences: Mapping[str, int] | None = None,
        codec: Codec = "alaw",
    ) -> None:
        """`voices`: the tone of whoever answers at a number, in hertz, where it is not `VOICE_HERTZ`; `sequences`: the
        number of their first RTP packet, where it is not to be any; `codec`: the only one that they know.
        """
        self.port = 0
        self.host = ""
        self.dialled: list[str] = []
        self.invites: list[dict[str, str]] = []
        """What came with each, by lower-case header."""
        self.heard: list[str] = []
        """All that came, as it came."""
        self._habits = habits
        self._ring_seconds = ring_seconds
        self._voices = voices or {}
        self._sequences = sequences or {}
        self.codec: Codec = codec
        self._dialogs: dict[str, _Dialog] = {}
        self._invited: set[str] = set()
        """Calls by Call-ID: on a busy machine an INVITE comes again before it is answered, and is the same call."""
        self._running: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(
        cls,
        habits: Mapping[str, Habit],
        *,
        voices: Mapping[str, float] | None = None,
        sequences: Mapping[str, int] | None = None,
        codec: Codec = "alaw",
    ) -> Self:
        loop = asyncio.get_running_loop()
        _, carrier = await loop.create_datagram_endpoint(
            lambda: cls(habits, voices=voices, sequences=sequences, codec=codec), local_addr=("127.0.0.1", 0)
        )
        return carrier

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.DatagramTransport", transport)  # not a subclass of it in CPython
        self._transport = transport
        self.host, self.port = transport.get_extra_info("sockname")

    @property
    def contact(self) -> str:
        return f"{self.host}:{self.port}"

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for dialog in self._dialogs.values():
            dialog.telephone.close()
        if self._transport is not None:
            self._transport.close()

    def hang_up(self) -> None:
        """Everybody who has answered hangs up."""
        for call_id in [call_id for call_id, dialog in self._dialogs.items() if dialog.answered]:
            self._hang_up(call_id)

    def vanish(self) -> None:
        """All telephones at once are without power: neither SIP nor sound comes from them any more."""
        for dialog in self._dialogs.values():
            dialog.telephone.close()
        if self._transport is not None:
            self._transport.close()

    def telephone(self, number: str) -> Telephone:
        """That of whoever has answered at a number."""
        return next(one.telephone for one in self._dialogs.values() if one.answered and one.invite["number"] == number)

    def hold(self, number: str, *, on: bool) -> None:
        """Whoever has answered at a number puts the other side on hold, or takes them back (RFC 3264, 8.4)."""
        for call_id, dialog in self._dialogs.items():
            if dialog.invite["number"] == number and dialog.answered:
                way, version = "sendonly" if on else "sendrecv", dialog.requests + 2
                body = _sdp(dialog.telephone.port, self.codec, version=version, way=way)
                self._request("INVITE", call_id, body=body)

    def refer(self, number: str, to: str, *, replacing: str = "") -> None:
        """Whoever has answered at a number gives the other side away to a URI (RFC 3515); `replacing`: in place of the
        conversation that they have at another number (RFC 3891).
        """
        call_id = self._answered(number)
        other = self._dialogs.get(self._answered(replacing)) if replacing else None
        if other is not None:
            to = f"{to}?Replaces={other.replaces}"
        self._request("REFER", call_id, headers=(f"Refer-To: <{to}>",))

    def bye(self, number: str) -> None:
        """Whoever has answered at a number hangs up."""
        self._hang_up(self._answered(number))

    def talks(self, number: str) -> bool:
        """Whether somebody has answered at a number, and nobody has hung up."""
        return bool(self._answered(number))

    def _answered(self, number: str) -> str:
        """The Call-ID of the last conversation there; "" when there is none."""
        there = (key for key, one in reversed(self._dialogs.items()) if one.invite["number"] == number and one.answered)
        return next(there, "")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data.decode(errors="replace"))
        request = _parse(data)
        if request is None:
            if (answered := _answered_invite(data)) is not None:
                self._request("ACK", answered)
            return
        method, call_id = request["method"], request["call-id"]
        dialog = self._dialogs.get(call_id)
        if self._habits.get(request["number"]) is Habit.DEAD:
            return
        if method == "INVITE" and call_id not in self._invited:
            self._invited.add(call_id)
            self._start(self._answer_call(call_id, request, addr))
        elif method == "INVITE" and dialog is not None and dialog.answered:
            self._reply(request, addr, "200 OK", dialog, body=_sdp(dialog.telephone.port, self.codec))
        elif method == "BYE":
            self._reply(request, addr, "200 OK", dialog)
            self._drop(call_id)
        elif method == "CANCEL":
            self._reply(request, addr, "200 OK", dialog)
            if dialog is not None and not dialog.answered:
                self._reply(dialog.invite, addr, "487 Request Terminated", dialog)
                self._drop(call_id)
        elif method in ("OPTIONS", "NOTIFY"):
            self._reply(request, addr, "200 OK", dialog)
            if method == "NOTIFY" and b"SIP/2.0 200" in data and dialog is not None:
                self._hang_up(call_id)  # whom they gave away is served (RFC 3515, 2.4.5)

    def _start(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the carrier mishandled a call", "exception": task.exception()}
            )

    async def _answer_call(self, call_id: str, invite: dict[str, str], address: tuple[str, int]) -> None:
        number = invite["number"]
        self.dialled.append(number)
        self.invites.append(invite)
        habit = self._habits.get(number)
        if habit in (None, Habit.BUSY):
            self._reply(invite, address, "404 Not Found" if habit is None else "486 Busy Here", None)
            return
        if habit is Habit.DECLINES:
            self._reply(invite, address, "603 Decline", None)
            return
        if habit is Habit.MOVED:
            self._reply(invite, address, "302 Moved Temporarily", None)
            return
        voice = g711.tone(self._voices.get(number, VOICE_HERTZ), 1.0)
        telephone = await Telephone.open(background=voice, sequence=self._sequences.get(number))
        telephone.codec = self.codec
        dialog = _Dialog(invite=invite, address=address, tag=f"carrier-{len(self.dialled)}", telephone=telephone)
        self._dialogs[call_id] = dialog
        if habit is Habit.EARLY:
            telephone.connect("127.0.0.1", int(invite["media"]))
            self._reply(invite, address, "183 Session Progress", dialog, body=_sdp(telephone.port, self.codec))
            await asyncio.sleep(_EARLY_SECONDS)
        else:
            if habit is Habit.FORWARDS:
                self._reply(invite, address, "181 Call Is Being Forwarded", dialog)
            self._reply(invite, address, "180 Ringing", dialog)
        if habit is Habit.RINGS:
            return
        await asyncio.sleep(self._ring_seconds)
        if call_id not in self._dialogs:
            return
        dialog.answered = True
        telephone.connect("127.0.0.1", int(invite["media"]))
        self._reply(invite, address, "200 OK", dialog, body=_sdp(telephone.port, self.codec))
        if habit is Habit.ACCEPTS:
            while telephone.heard_seconds < 1.0 and call_id in self._dialogs:
                await asyncio.sleep(0.05)
            telephone.press("1")
        elif habit in (Habit.VOICEMAIL, Habit.EARLY):
            await asyncio.sleep(_VOICEMAIL_SECONDS)
            self._hang_up(call_id)

    def _hang_up(self, call_id: str) -> None:
        self._request("BYE", call_id)
        self._drop(call_id)

    def _request(self, method: str, call_id: str, *, body: str = "", headers: tuple[str, ...] = ()) -> None:
        """Within a dialog; an ACK is of the last request."""
        dialog = self._dialogs.get(call_id)
        if dialog is None or self._transport is None:
            return
        if method != "ACK":
            dialog.requests += 1
        lines = (
            f"{method} {dialog.invite['contact-uri']} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.contact};branch=z9hG4bK-{dialog.tag}-{dialog.requests}-{method}",
            f"From: {dialog.invite['to']};tag={dialog.tag}",
            f"To: {dialog.invite['from']}",
            f"Call-ID: {call_id}",
            f"CSeq: {dialog.requests} {method}",
            f"Contact: <sip:{self.contact}>",
            "Max-Forwards: 70",
            *headers,
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body)}",
        )
        self._transport.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), dialog.address)

    def _drop(self, call_id: str) -> None:
        dialog = self._dialogs.pop(call_id, None)
        if dialog is not None:
            dialog.telephone.close()

    def _reply(
        self,
        request: dict[str, str],
        address: tuple[str, int],
        status: str,
        dialog: _Dialog | None,
        *,
        body: str = "",
    ) -> None:
        if self._transport is None:
            return
        to = request["to"]
        if ";tag=" not in to:
            to += f";tag={dialog.tag if dialog else 'carrier'}"
        lines = [
            f"SIP/2.0 {status}",
            *(f"Via: {via}" for via in request["via"].split("\n")),
            f"From: {request['from']}",
            f"To: {to}",
            f"Call-ID: {request['call-id']}",
            f"CSeq: {request['cseq']}",
            f"Contact: <sip:{self.contact}>",
        ]
        if status.startswith("181"):
            lines.append(f"Diversion: <sip:elsewhere@{self.host}>;reason=unconditional")
        if status.startswith("603"):
            lines.append('Reason: Q.850;cause=21;text="Call rejected"')
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self._transport.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), address)


def _answered_invite(data: bytes) -> str | None:
    """The Call-ID of an INVITE of ours that this response accepts; None for any other message."""
    head = data.decode(errors="replace").partition("\r\n\r\n")[0]
    call_id = re.search(r"(?im)^Call-ID:\s*([^\r\n]+)", head)
    accepts = head.startswith("SIP/2.0 200 ") and re.search(r"(?im)^CSeq:\s*\d+ INVITE", head)
    return call_id[1].strip() if accepts and call_id else None


def _parse(data: bytes) -> dict[str, str] | None:
    """A request's headers by lower-case name, with method, number, media and contact-uri; None for a response."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, _, rest = first.partition(" ")
    if method == "SIP/2.0" or not rest:
        return None
    request = {"method": method}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        request[key] = f"{request[key]}\n{value.strip()}" if key in request else value.strip()
    if not {"via", "from", "to", "call-id", "cseq"} <= request.keys():
        return None
    number = re.search(r"sips?:([^@;>]+)@", rest)
    media = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
    contact = re.search(r"<([^>]+)>", request.get("contact", ""))
    request["number"] = number[1].replace("%2B", "+") if number else ""
    request["media"] = media[1] if media else "0"
    request["contact-uri"] = contact[1] if contact else ""
    return request


def _sdp(port: int, codec: Codec, *, version: int = 1, way: str = "sendrecv") -> str:
    kind, name = PAYLOAD_TYPES[codec], {"alaw": "PCMA", "ulaw": "PCMU"}[codec]
    lines = (
        "v=0",
        f"o=- 1 {version} IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        f"m=audio {port} RTP/AVP {kind} 101",
    )
    formats = (
        f"a=rtpmap:{kind} {name}/8000",
        *("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", f"a={way}"),
    )
    return "\r\n".join((*lines, *formats)) + "\r\n"
