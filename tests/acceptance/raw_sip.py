"""One call in SIP written by hand, for what no well-behaved telephone sends: every byte of From is the test's own."""

from __future__ import annotations

import re
import secrets
import socket
import time
from collections.abc import Sequence

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)
_STATUS = re.compile(rb"SIP/2\.0 (\d{3})")
_FINAL = re.compile(rb"SIP/2\.0 ([2-6]\d\d)")


def call(
    pbx: tuple[str, int], did: str, sender: bytes, *, hold_seconds: float = 1.0, headers: Sequence[bytes] = ()
) -> int:
    """INVITE with `From: sender;tag=…` and more `headers`, each a whole line without its end; ACK, hold, BYE. The final
    status, 0 when nothing was answered at all.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(3.0)
        talk = _Dialog(wire, pbx, did, sender, headers)
        answer = talk.invite()
        match = _FINAL.match(answer)
        if match is None:
            return 0
        talk.send("ACK", 1, to=_header(answer, "To"))
        if match[1] == b"200":
            time.sleep(hold_seconds)
            talk.send("BYE", 2, to=_header(answer, "To"))
        return int(match[1])


def heard(pbx: tuple[str, int], did: str, sender: bytes) -> dict[int, float]:
    """Call, and hang up once somebody has answered: by status, how many seconds after the INVITE it came first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(10.0)
        talk = _Dialog(wire, pbx, did, sender)
        found: dict[int, float] = {}
        began = time.monotonic()
        talk.offer()
        while True:
            answer = wire.recv(65535)
            if (match := _STATUS.match(answer)) is None:
                continue
            found.setdefault(int(match[1]), time.monotonic() - began)
            if _FINAL.match(answer):
                talk.send("ACK", 1, to=_header(answer, "To"))
                talk.send("BYE", 2, to=_header(answer, "To"))
                return found


class Burst:
    """Many calls in the same instant, from one port; those that are let in ring until `cancel`."""

    def __init__(self, pbx: tuple[str, int], did: str, sender: bytes, *, calls: int) -> None:
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.bind(("127.0.0.1", 0))
        self._wire.settimeout(3.0)
        self._open = {
            dialog.call_id: dialog for dialog in (_Dialog(self._wire, pbx, did, sender) for _ in range(calls))
        }
        for dialog in self._open.values():
            dialog.offer()

    def final_answers(self, count: int) -> list[int]:
        """The statuses of the first `count` calls that are over."""
        found: list[int] = []
        deadline = time.monotonic() + 10
        while len(found) < count and time.monotonic() < deadline:
            answer = self._wire.recv(65535)
            match = _FINAL.match(answer)
            dialog = self._open.pop(_header(answer, "Call-ID").decode(), None) if match else None
            if match and dialog:
                dialog.send("ACK", 1, to=_header(answer, "To"))
                found.append(int(match[1]))
        return found

    def cancel(self) -> None:
        """Give the others up."""
        for dialog in self._open.values():
            dialog.cancel()
        self._wire.close()


class _Dialog:
    def __init__(
        self, wire: socket.socket, pbx: tuple[str, int], did: str, sender: bytes, headers: Sequence[bytes] = ()
    ) -> None:
        self._headers = b"".join(header + b"\r\n" for header in headers)
        self._wire, self._pbx = wire, pbx
        self._port = wire.getsockname()[1]
        self._target = f"sip:{did}@{pbx[0]}:{pbx[1]}"
        self._from = sender + b";tag=" + secrets.token_hex(4).encode()
        self.call_id = secrets.token_hex(8)
        self._branch = "z9hG4bK" + secrets.token_hex(6)

    def offer(self) -> None:
        """Send the INVITE."""
        self.send("INVITE", 1, to=f"<{self._target}>".encode(), body=_SDP.format(port=self._port))

    def cancel(self) -> None:
        """Take it back."""
        self.send("CANCEL", 1, to=f"<{self._target}>".encode())

    def invite(self) -> bytes:
        """The final answer; empty when none came."""
        self.offer()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                answer = self._wire.recv(65535)
            except TimeoutError:
                break
            if _FINAL.match(answer):
                return answer
        return b""

    def send(self, method: str, number: int, *, to: bytes, body: str = "") -> None:
        # A CANCEL, and the ACK of a refusal, belong to the INVITE's own transaction.
        branch = "z9hG4bK" + secrets.token_hex(6) if method == "BYE" else self._branch
        head = (
            f"{method} {self._target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};rport;branch={branch}\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:caller@127.0.0.1:{self._port}>\r\n"
        )
        content = "Content-Type: application/sdp\r\n" if body else ""
        parts = (
            head.encode(),
            b"From: " + self._from + b"\r\nTo: " + to + b"\r\n" + self._headers,
            f"{content}Content-Length: {len(body)}\r\n\r\n{body}".encode(),
        )
        self._wire.sendto(b"".join(parts), self._pbx)


def _header(message: bytes, name: str) -> bytes:
    found = re.search(rb"(?im)^" + name.encode() + rb": (.*?)\r?$", message)
    assert found is not None, message
    return found[1]
