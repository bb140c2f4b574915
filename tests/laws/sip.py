"""All telephones of a run on one UDP port: calls out and calls in, with whatever a person does to them.

Enough of RFC 3261 for a loopback: requests of ours are sent again until they are answered, a request that comes again
gets the same answer again. A telephone may lose its power: from then on it neither says nor hears anything.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import quote

from tests.laws.digest import proof

HOST: Final = "127.0.0.1"
RESENT_AFTER_SECONDS: Final = (0.5, 1.0, 2.0, 4.0)
_STATUS = re.compile(r"SIP/2\.0 (\d{3})")
Headers = dict[str, str]


@dataclass(kw_only=True, eq=False)
class Dialog:
    """One call at one telephone. Instants are seconds since 1970."""

    port: Port
    call_id: str
    user: str
    """The telephone: what stands in the address that was called, or the caller's number."""
    outgoing: bool
    ours: str
    """Our From (or To) with its tag."""
    theirs: str
    target: str
    """Where requests within the dialog go."""
    peer: tuple[str, int]
    invite: Headers = field(default_factory=dict)
    media_port: int = 0
    """Ours."""
    their_media: int = 0
    began_at: float = field(default_factory=time.time)
    status: int = 0
    """Of the final response: ours to a call in, theirs to a call out; 0: there was none."""
    answered_at: float = 0.0
    """200 OK left, or came."""
    taken_at: float = 0.0
    """Its ACK came (a call in)."""
    rang_at: float = 0.0
    """180, 183 or the answer came (a call out)."""
    ended_at: float = 0.0
    hung_up: bool = False
    """By us: BYE or CANCEL left before one came."""
    cancelled_at: float = 0.0
    """They took a ring back."""
    crossed: bool = False
    """Both sides hung up at once: a BYE came when ours had left."""
    dead: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    """Any response came (a call out)."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Answered, refused or over."""
    branch: str = field(default_factory=lambda: f"z9hG4bK{secrets.token_hex(8)}")
    numbered: int = 1
    challenge: str = ""
    """What the PBX wants to have proved."""
    first: int = 1
    """CSeq of the INVITE that counts: the second one, where the first was to be proved."""
    waiting: dict[tuple[int, str], asyncio.Future[int]] = field(default_factory=dict)
    last_reply: bytes = b""

    # ------------------------------------------------------------------------------------------------ calls in

    def ringing(self) -> None:
        """180."""
        self.port.reply(self, self.invite, "180 Ringing")

    def answer(self, media_port: int) -> None:
        """200, once."""
        if self.over.is_set() or self.status:
            return
        self.media_port, self.status, self.answered_at = media_port, 200, time.time()
        self.last_reply = self.port.reply(self, self.invite, "200 OK", sdp=self.sdp())
        self.settled.set()

    def refuse(self, status: str) -> None:
        """486, 603, 480 …"""
        if self.over.is_set() or self.status:
            return
        self.status = int(status[:3])
        self.last_reply = self.port.reply(self, self.invite, status)
        self.finish(hung_up=True)

    # -------------------------------------------------------------------------------------------- either way

    async def hang_up(self) -> None:
        """BYE, or CANCEL while it rings; returns when the other side has said yes, or seems gone."""
        if self.over.is_set() or self.dead:
            return
        if self.answered_at:
            self.finish(hung_up=True)
            await self.request("BYE")
        elif self.outgoing:
            self.hung_up = True
            await self.port.cancel(self)

    async def hold(self, *, on: bool) -> None:
        """Put the other side on hold, or take them back (RFC 3264, 8.4)."""
        await self.request("INVITE", sdp=self.sdp("sendonly" if on else "sendrecv"))

    async def refer(self, to: str, *, replacing: Dialog | None = None) -> int:
        """Transfer (RFC 3515), blind, or to whom another call of this telephone is with: the status of the answer."""
        with_whom = f"?Replaces={quote(replacing.replaces, safe='')}" if replacing else ""
        return await self.request("REFER", f"Refer-To: <sip:{to}@{self.peer[0]}:{self.peer[1]}{with_whom}>\r\n")

    @property
    def replaces(self) -> str:
        """This call, as RFC 3891 names it: the first tag is the other side's."""
        return f"{self.call_id};to-tag={_tag(self.theirs)};from-tag={_tag(self.ours)}"

    def lose_power(self) -> None:
        """Nothing is said or heard any more."""
        self.dead = True
        self.finish(hung_up=True)

    def finish(self, *, hung_up: bool) -> None:
        """It is over."""
        if not self.over.is_set():
            self.ended_at, self.hung_up = time.time(), hung_up
            self.over.set()
            self.settled.set()

    async def is_over(self, seconds: float) -> bool:
        """Wait; whether it was over by then."""
        try:
            await asyncio.wait_for(self.over.wait(), max(0.0, seconds))
        except TimeoutError:
            return False
        return True

    def sdp(self, way: str = "sendrecv") -> str:
        """What we offer, or accept."""
        lines = ("v=0", f"o=- 1 {self.numbered} IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0")
        media = (f"m=audio {self.media_port} RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000")
        events = ("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", f"a=ptime:{self.port.packet_ms}", f"a={way}")
        return "\r\n".join((*lines, *media, *events)) + "\r\n"

    async def request(self, method: str, extra: str = "", *, sdp: str = "") -> int:
        """Within the dialog; the status of its final answer, 0 when none came."""
        if self.dead:
            return 0
        self.numbered += 1
        number = self.numbered
        status = await self.port.ask(self, method, number, self.target, f"z9hG4bK{secrets.token_hex(8)}", extra, sdp)
        if method == "INVITE" and status:
            self.port.send(self, "ACK", number, self.target, f"z9hG4bK{secrets.token_hex(8)}")
        return status


class Port(asyncio.DatagramProtocol):
    """See the module."""

    def __init__(self, on_call: Callable[[Dialog], Coroutine[Any, Any, None]]) -> None:
        self.number = 0
        self.packet_ms = 20
        """Of sound, as our telephones would have it."""
        self.dialogs: dict[str, Dialog] = {}
        self.dead: set[str] = set()
        """Telephones without power."""
        self.faults: list[str] = []
        """What went wrong in the script of a telephone: a fault of the test."""
        self._on_call = on_call
        self._running: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, on_call: Callable[[Dialog], Coroutine[Any, Any, None]]) -> Port:
        """`on_call` is what happens when a telephone is called."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            address = probe.getsockname()
        transport, port = await loop.create_datagram_endpoint(lambda: cls(on_call), local_addr=address)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As a protocol."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.number = transport.get_extra_info("sockname")[1]

    async def close(self) -> None:
        """End what still happens at the telephones."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    @property
    def contact(self) -> str:
        """Where the telephones are."""
        return f"{HOST}:{self.number}"

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Something that somebody does."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.faults.append(repr(error))

    # ---------------------------------------------------------------------------------------------- calls out

    async def call(
        self,
        pbx: tuple[str, int],
        number: str,
        sender: str,
        extra: str,
        *,
        user: str,
        media_port: int,
        secret: str = "",
    ) -> Dialog:
        """INVITE; `secret` proves whose telephone it is, where the PBX asks."""
        uri = f"sip:{number}@{pbx[0]}:{pbx[1]}"
        call_id = secrets.token_hex(12)
        ours = f"{sender};tag={secrets.token_hex(5)}"
        dialog = Dialog(
            port=self, call_id=call_id, user=user, outgoing=True, ours=ours, theirs=f"<{uri}>", target=uri, peer=pbx
        )
        dialog.media_port = media_port
        self.dialogs[call_id] = dialog
        self.start(self._invite(dialog, uri, extra, secret))
        return dialog

    async def _invite(self, dialog: Dialog, uri: str, extra: str, secret: str) -> None:
        status = await self.ask(dialog, "INVITE", 1, uri, dialog.branch, extra, dialog.sdp(), seconds=120)
        if status == 401 and secret and not dialog.dead:
            self.send(dialog, "ACK", 1, uri, dialog.branch)
            dialog.theirs, dialog.branch = f"<{uri}>", f"z9hG4bK{secrets.token_hex(8)}"
            dialog.first = dialog.numbered = 2
            extra += f"Authorization: {proof(dialog.challenge, dialog.user, secret, uri)}\r\n"
            status = await self.ask(dialog, "INVITE", 2, uri, dialog.branch, extra, dialog.sdp(), seconds=120)
        if dialog.dead:
            return
        dialog.status = status
        if 200 <= status < 300:
            self.send(dialog, "ACK", dialog.first, dialog.target, f"z9hG4bK{secrets.token_hex(8)}")
            if dialog.hung_up:  # they answered while our CANCEL was on its way
                await dialog.request("BYE")
                dialog.finish(hung_up=True)
                return
            dialog.answered_at = time.time()
            dialog.settled.set()
            return
        self.send(dialog, "ACK", dialog.first, uri, dialog.branch)
        dialog.finish(hung_up=dialog.hung_up)

    async def cancel(self, dialog: Dialog) -> None:
        """Take an INVITE of ours back, not before the PBX has said that it has it (RFC 3261, 9.1)."""
        await dialog.progress.wait()
        if dialog.settled.is_set():
            if dialog.answered_at:
                dialog.finish(hung_up=True)
                await dialog.request("BYE")
            return
        dialog.ended_at = time.time()
        await self.ask(dialog, "CANCEL", dialog.first, dialog.target, dialog.branch, "", "")

    async def ask(
        self, dialog: Dialog, method: str, number: int, uri: str, branch: str, extra: str, sdp: str, seconds: float = 8
    ) -> int:
        """Send a request until something answers; the status of the final answer, 0 when none came."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        dialog.waiting[number, method] = future
        try:
            for pause in RESENT_AFTER_SECONDS:
                self.send(dialog, method, number, uri, branch, extra, sdp)
                done, _ = await asyncio.wait({future}, timeout=pause)
                if done or (method == "INVITE" and number == dialog.first and dialog.progress.is_set()) or dialog.dead:
                    break
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return 0
        finally:
            dialog.waiting.pop((number, method), None)

    # ------------------------------------------------------------------------------------------------ the wire

    def send(
        self, dialog: Dialog, method: str, number: int, uri: str, branch: str, extra: str = "", sdp: str = ""
    ) -> None:
        """One request."""
        content = "Content-Type: application/sdp\r\n" if sdp else ""
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.contact};rport;branch={branch}\r\n"
            f"From: {dialog.ours}\r\nTo: {dialog.theirs}\r\nCall-ID: {dialog.call_id}\r\nCSeq: {number} {method}\r\n"
            f"Contact: <sip:{dialog.user}@{self.contact}>\r\nMax-Forwards: 70\r\n{extra}{content}"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )
        self._write(text.encode(), dialog)

    def reply(self, dialog: Dialog | None, request: Headers, status: str, *, sdp: str = "") -> bytes:
        """One response."""
        to = request["to"]
        if dialog is not None and ";tag=" not in to:
            to = dialog.ours
        content = "Content-Type: application/sdp\r\n" if sdp else ""
        vias = "".join(f"Via: {via}\r\n" for via in request["via"].split("\n"))
        user = dialog.user if dialog else "nobody"
        text = (
            f"SIP/2.0 {status}\r\n{vias}From: {request['from']}\r\nTo: {to}\r\nCall-ID: {request['call-id']}\r\n"
            f"CSeq: {request['cseq']}\r\nContact: <sip:{user}@{self.contact}>\r\n{content}"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )
        data = text.encode()
        self._write(data, dialog, request)
        return data

    def _write(self, data: bytes, dialog: Dialog | None, request: Headers | None = None) -> None:
        if self._transport is None or self._transport.is_closing() or (dialog is not None and dialog.dead):
            return
        peer = dialog.peer if dialog is not None else (HOST, int(request["_port"]) if request else 0)
        self._transport.sendto(data, peer)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """As a protocol."""
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = _headers(lines)
        if "call-id" not in headers or "cseq" not in headers:
            return
        dialog = self.dialogs.get(headers["call-id"])
        if dialog is not None and dialog.dead:
            return
        if (status := _STATUS.match(first)) is not None:
            if dialog is not None:
                self._response(dialog, int(status[1]), headers, body)
            return
        headers["_method"], uri, *_ = first.split(" ")
        headers["_port"] = str(addr[1])
        found = re.search(r"sips?:([^@;>]+)@", uri)
        headers["_user"] = found[1].replace("%2B", "+") if found else ""
        if headers["_user"] in self.dead and headers["_method"] != "INVITE":
            return
        self._request(dialog, headers, body, addr)

    def _response(self, dialog: Dialog, status: int, headers: Headers, body: str) -> None:
        number, _, method = headers["cseq"].partition(" ")
        if dialog.outgoing and method == "INVITE":
            dialog.progress.set()
            if status >= 180 and ";tag=" in headers.get("to", ""):
                dialog.theirs = headers["to"]
            if 180 <= status < 300:
                dialog.rang_at = dialog.rang_at or time.time()
            dialog.challenge = headers.get("www-authenticate", "")
            if status == 200 and int(number) == dialog.first:
                dialog.target = _uri(headers.get("contact", "")) or dialog.target
                dialog.their_media = _media(body)
        if status < 200:
            return
        future = dialog.waiting.get((int(number), method))
        if future is not None and not future.done():
            future.set_result(status)
        elif method == "INVITE" and int(number) == dialog.first and status == 200:  # again: our ACK was lost, or late
            self.send(dialog, "ACK", dialog.first, dialog.target, f"z9hG4bK{secrets.token_hex(8)}")

    def _request(self, dialog: Dialog | None, request: Headers, body: str, addr: tuple[str, int]) -> None:
        method = request["_method"]
        if method == "INVITE" and ";tag=" not in request["to"]:
            if dialog is None:
                self._called(request, body, addr)
            elif dialog.last_reply:
                self._write(dialog.last_reply, dialog)
            return
        if method == "ACK":
            if dialog is not None and dialog.status == 200 and not dialog.outgoing:
                dialog.taken_at = dialog.taken_at or time.time()
            return
        if method == "OPTIONS" or dialog is None:
            status = "200 OK" if method == "OPTIONS" else "481 Call/Transaction Does Not Exist"
            self.reply(dialog, request, status)
            return
        if method == "CANCEL":
            self.reply(dialog, request, "200 OK")
            if not dialog.status:
                dialog.cancelled_at, dialog.status = time.time(), 487
                dialog.last_reply = self.reply(dialog, dialog.invite, "487 Request Terminated")
                dialog.finish(hung_up=False)
            return
        if method == "INVITE":
            self.reply(dialog, request, "200 OK", sdp=dialog.sdp())
            return
        self.reply(dialog, request, "200 OK")
        if method == "BYE":
            dialog.crossed = dialog.over.is_set()
            dialog.finish(hung_up=False)

    def _called(self, request: Headers, body: str, addr: tuple[str, int]) -> None:
        ours = f"{request['to']};tag={secrets.token_hex(5)}"
        dialog = Dialog(
            port=self,
            call_id=request["call-id"],
            user=request["_user"],
            outgoing=False,
            ours=ours,
            theirs=request["from"],
            target=_uri(request.get("contact", "")),
            peer=addr,
            invite=request,
            their_media=_media(body),
        )
        self.dialogs[dialog.call_id] = dialog
        if dialog.user in self.dead:
            dialog.dead = True
        self.start(self._on_call(dialog))


def _headers(lines: list[str]) -> Headers:
    found: Headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        found[key] = f"{found[key]}\n{value.strip()}" if key in found else value.strip()
    return found


def _tag(address: str) -> str:
    return address.partition(";tag=")[2].partition(";")[0]


def _uri(contact: str) -> str:
    found = re.search(r"<([^>]+)>", contact)
    return found[1] if found else ""


def _media(body: str) -> int:
    found = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
    return int(found[1]) if found else 0
