"""Real trunks for tests, with a second Asterisk as the carrier.

It wants us registered, over TLS and SRTP, and proof of who we are in each call. Small servers of our own are carriers
that refuse, strangers that pretend to be one, and telephones.
"""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import subprocess
import threading
import time
import wave
from array import array
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from deploy.asterisk.pbx import Pbx
from deploy.asterisk.pbx_carriers import Carrier, Carriers, PhonesBy, Tls

if TYPE_CHECKING:
    from types import TracebackType

ACCOUNT = "0033199000000"
SECRET = "half; a secret"
"""A semicolon and blanks: the carrier chooses it, not we."""
LOAD = "load = res_clioriginate.so"
DIALLER = """
[test-leg]
exten => _X.,1,Set(CALLERID(num)=+33612345678)
 same => n,MSet(__CR_SHOWN=+33199000050,__CR_FORWARDING=diversion,__CR_FORWARDED_BY=+33199000051)
 same => n,Set(CR_LEG_0=PJSIP/${EXTEN}@trunk-out)
 same => n,Set(CR_RING=${TEST_RING})
 same => n,Goto(callrouter-leg,0,1)
[test-ear]
exten => _X.,1,Wait(20)
"""
_HEARD_AT_LEAST = 500
"""Root mean square of 16-bit samples; a prompt has some 2,500, silence none."""
_CARRIER = """
[talk]
exten => _[+0-9]!,1,Answer()
 same => n,GotoIf($["${{CHANNEL(channeltype)}}" = "Local"]?speak)
 same => n,Set(DB(talk/${{EXTEN}})=${{CALLERID(num)}} ${{CHANNEL(rtp,secure)}})
 same => n(speak),MixMonitor({folder}/${{EXTEN}}.wav,r({folder}/${{EXTEN}}-heard.wav))
 same => n,Playback(please-try-call-later)
 same => n,Wait(1)
 same => n,Hangup()
[to-us]
exten => _[+0-9]!,1,Set(CALLERID(num)=0612345678)
 same => n,Dial(PJSIP/{account},20,b(to-us^name^1(${{EXTEN}})))
exten => name,1,Set(PJSIP_HEADER(add,P-Called-Party-ID)=<sip:${{ARG1}}@carrier.example>)
 same => n,Return()
"""
_ACCOUNT = """
[{account}]
type = endpoint
context = talk
identify_by = username,auth_username
auth = {account}
aors = {account}
transport = tls
media_encryption = sdes
disallow = all
allow = alaw
direct_media = no
rtp_symmetric = yes
[{account}]
type = auth
auth_type = digest
username = {account}
password = {secret}
[{account}]
type = aor
max_contacts = 1
"""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Of the loopback, for TCP or UDP."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Authority:
    """Vouches for servers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.certificate = folder / "authority.crt"
        _openssl(folder, "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.crt")

    def server(self, name: str = "127.0.0.1") -> Tls:
        """A server of that name, on a free port."""
        kind = "IP" if name[0].isdigit() else "DNS"
        _openssl(
            self._folder,
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}", "-keyout", f"{name}.key"),
            *("-addext", "basicConstraints=critical,CA:FALSE", "-out", f"{name}.crt"),
            *("-CA", "authority.crt", "-CAkey", "authority.key"),
        )
        files = {kind: self._folder / f"{name}.{ending}" for kind, ending in (("certificate", "crt"), ("key", "key"))}
        return Tls(**files, authorities=self.certificate, port=free_port())


def _openssl(folder: Path, *arguments: str) -> None:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    subprocess.run(["openssl", "req", "-x509", *key, *arguments], check=True, capture_output=True, cwd=folder)


def start_carrier(folder: Path, tls: Tls) -> Pbx:
    """A carrier at 127.0.0.1:`tls.port`, with one account. Whoever is called there speaks, and keeps what they hear."""
    return Pbx.start(
        folder,
        agents=0,
        carriers=Carriers(
            tls=tls,
            phones=PhonesBy(transport="tls", srtp=True),
            carriers=[Carrier(name="nobody", calls_from=["192.0.2.1"])],
        ),
        extra_conf={
            "modules": LOAD,
            "pjsip": _ACCOUNT.format(account=ACCOUNT, secret=SECRET.replace(";", "\\;")),
            "extensions": _CARRIER.format(account=ACCOUNT, folder=folder / "recordings"),
        },
    )


def acme(port: int) -> Carrier:
    """How the operator declares that carrier."""
    return Carrier(
        name="acme",
        calls_from=["127.0.0.1"],
        calls_to=[f"127.0.0.1:{port}"],
        transport="tls",
        srtp=True,
        user=ACCOUNT,
        secret=SECRET,
        registrar=f"127.0.0.1:{port}",
        from_user=ACCOUNT,
        did_header="P-Called-Party-ID",
        identity_header="P-Asserted-Identity",
        qualify_seconds=1,
    )


def dial(pbx: Pbx, number: str, *, ring_seconds: int = 7) -> None:
    """Have a number dialled as the engine does: one leg of callrouter-dial."""
    pbx.cli(f"dialplan set global TEST_RING {ring_seconds}")
    pbx.cli(f"channel originate Local/{number}@test-leg/n extension {number}@test-ear")


def call_from_carrier(carrier: Pbx, did: str) -> None:
    """Somebody calls one of our numbers, speaks, and keeps what they hear."""
    carrier.cli(f"channel originate Local/{did}@to-us/n extension {did}@talk")


def wait_for(pbx: Pbx, command: str, wanted: str, *, seconds: float = 8) -> str:
    """What the console says, once it holds `wanted`."""
    deadline = time.monotonic() + seconds
    while wanted not in (said := pbx.cli(command)):
        assert time.monotonic() < deadline, f"{command}: no {wanted!r} in {said}"
        time.sleep(0.1)
    return said


def was_heard(path: Path, *, seconds: float = 5) -> bool:
    """Whether a recording holds more than silence, as soon as it is there."""
    deadline = time.monotonic() + seconds
    while not _sounds(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _sounds(path: Path) -> bool:
    try:
        with wave.open(str(path)) as sound:
            samples = array("h", sound.readframes(sound.getnframes()))
    except (FileNotFoundError, EOFError, wave.Error):  # its header is not whole yet
        return False
    return bool(samples) and (sum(one * one for one in samples) / len(samples)) ** 0.5 > _HEARD_AT_LEAST


class RefusingCarrier:
    """Answers OPTIONS, and all else with `status`; nothing at all where that is None. `dialled`: numbers of INVITEs,
    each once however often it was sent again (RFC 3261, 17.1.1.2)."""

    def __init__(self) -> None:
        self.status: str | None = "503 Service Unavailable"
        self.dialled: list[str] = []
        self.invites: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while data := self._socket.recvfrom(65536):
            if not data[0]:
                return
            method, _, rest = data[0].decode().partition(" ")
            known = any(_branch(rest) == _branch(invite) for invite in self.invites)
            if method == "INVITE" and not known and (number := re.match(r"sips?:([^@]+)@", rest)):
                self.dialled.append(number[1])
                self.invites.append(rest)
            if self.status is not None and method in ("INVITE", "OPTIONS", "REGISTER"):
                status = "200 OK" if method == "OPTIONS" else self.status
                self._socket.sendto(_response(rest, status), data[1])


def _branch(request: str) -> str:
    return request.partition("branch=")[2].partition("\r")[0].partition(";")[0]


def _response(request: str, status: str) -> bytes:
    kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
    lines = [line + ";tag=1" if line.startswith("To:") else line for line in kept]
    return "\r\n".join([f"SIP/2.0 {status}", *lines, "Content-Length: 0", "", ""]).encode()


class FalseCarrier:
    """A TLS server that is not the carrier it pretends to be; `told` is what was said to it after the handshake."""

    def __init__(self, tls: Tls) -> None:
        self.address = f"127.0.0.1:{tls.port}"
        self.told = b""
        self.met = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(tls.certificate, tls.key)
        self._socket = socket.create_server(("127.0.0.1", tls.port))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # it was shut down
                return
            self.met += 1
            client.settimeout(1)
            try:
                with self._context.wrap_socket(client, server_side=True) as secured:
                    self.told += secured.recv(4096)
            except OSError:
                client.close()


class SecurePhone:
    """A telephone that speaks SIP over TLS, and trusts the authority of the PBX's certificate."""

    def __init__(self, pbx: Tls, name: str, secret: str) -> None:
        context = ssl.create_default_context(cafile=pbx.authorities)
        plain = socket.create_connection(("127.0.0.1", pbx.port), timeout=5)
        self._socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self._stream = self._socket.makefile("rb")
        self._name, self._secret = name, secret
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def register(self) -> None:
        """With digest (RFC 2617, without qop where none is asked for)."""
        self._register("")
        challenge = dict(re.findall(r'(\w+)="?([^",\r]+)', self.receive("SIP/2.0 401")))
        known = _md5(f"{self._name}:{challenge['realm']}:{self._secret}")
        nonce = f"{challenge['nonce']}:00000001:c:auth" if "qop" in challenge else challenge["nonce"]
        response = _md5(f"{known}:{nonce}:{_md5('REGISTER:sip:127.0.0.1')}")
        fields = f'username="{self._name}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}"'
        fields += f', uri="sip:127.0.0.1", response="{response}", algorithm=MD5'
        if "opaque" in challenge:
            fields += f', opaque="{challenge["opaque"]}"'
        self._register(
            f"Authorization: Digest {fields}" + (', qop=auth, nc=00000001, cnonce="c"' if "qop" in challenge else "")
        )
        self.receive("SIP/2.0 200")

    def _register(self, authorization: str) -> None:
        self._number += 1
        host, port = self._socket.getsockname()
        lines = [
            "REGISTER sip:127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/TLS {host}:{port};branch=z9hG4bK{time.monotonic_ns()}",
            f"From: <sip:{self._name}@127.0.0.1>;tag=p",
            f"To: <sip:{self._name}@127.0.0.1>",
            f"Call-ID: {self._name}@{port}",
            f"CSeq: {self._number} REGISTER",
            f"Contact: <sip:{self._name}@{host}:{port};transport=tls>",
            *([authorization] if authorization else []),
            "Content-Length: 0",
        ]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def receive(self, begins: str) -> str:
        """The next message that begins so, whole; others (OPTIONS, 100) are overlooked."""
        while True:
            head = ""
            while not head.endswith("\r\n\r\n"):
                line = self._stream.readline().decode()
                assert line, "the PBX closed the connection"
                head += line
            length = re.search(r"^Content-Length:\s*(\d+)", head, re.MULTILINE)
            body = self._stream.read(int(length[1]) if length else 0).decode()
            if head.startswith(begins):
                return head + body


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def invite(pbx: Pbx, number: str, *, source: str, to: str | None = None) -> int:
    """Call over UDP from `source`, an address of the loopback, and hang up; the status of the final response."""
    return _status(answer(pbx, number, source=source, to=to))


def _status(response: str) -> int:
    return int(response.split(" ", 2)[1])


def answer(pbx: Pbx, number: str, *, source: str, to: str | None = None, seconds: float = 3) -> str:
    """The same, and the whole response."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((source, 0))
        phone.settimeout(seconds)
        here = f"{source}:{phone.getsockname()[1]}"
        uri = f"sip:{number}@{pbx.sip_host}:{pbx.sip_port}"
        branch = f"z9hG4bK{time.monotonic_ns()}"
        shared = [f"Via: SIP/2.0/UDP {here};branch={branch}", f"From: <sip:0612345678@{source}>;tag=t"]
        shared += [f"Call-ID: {branch}@{source}", "Max-Forwards: 70"]
        body = f"v=0\r\no=- 1 1 IN IP4 {source}\r\ns=-\r\nc=IN IP4 {source}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"

        def send(method: str, to: str, *more: str, body: str = "") -> None:
            lines = [f"{method} {uri} SIP/2.0", *shared, f"To: {to}", *more, f"Content-Length: {len(body)}"]
            phone.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), (pbx.sip_host, pbx.sip_port))

        contact = (f"Contact: <sip:0612345678@{here}>", "Content-Type: application/sdp")
        send("INVITE", to or f"<{uri}>", "CSeq: 1 INVITE", *contact, body=body)
        while True:
            response = phone.recv(65536).decode()
            if _status(response) >= 200 and "1 INVITE" in response:
                tagged = re.search(r"^To: (.*?)\r$", response, re.MULTILINE)
                assert tagged is not None
                send("ACK", tagged[1], "CSeq: 1 ACK")
                if _status(response) == 200:
                    send("BYE", tagged[1], "CSeq: 2 BYE")
                return response


def trusting(tls: Tls, authority: Authority) -> Tls:
    """The same server, which believes who `authority` vouches for."""
    return replace(tls, authorities=authority.certificate)
