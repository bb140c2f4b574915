"""SIPp does the signalling of callers and of agents' phones; scenarios are written for each of them.

SIPp tells us what happens by its <log> lines (on stderr), and is told to hang up by an INFO with the call's own
Call-ID: SIPp finds the call by that header alone. One scenario so serves every moment of hanging up, before the
answer (CANCEL) and after it (BYE).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import re
import shutil
import socket
import tempfile
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
_LOG = re.compile(rb"=\w+=(\w+)(?: (\S+))?")


class SippError(Exception):
    """SIPp could not be run, or did not do what its scenario says."""


class Progress(StrEnum):
    """What SIPp says of a call; `word` in the scenarios' <log> lines."""

    TRYING = "trying"
    """The PBX has our INVITE; before that nothing may be cancelled (RFC 3261, 9.1)."""
    RINGING = "ringing"
    ANSWERED = "answered"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    HUNG_UP = "hung_up"
    """By us."""
    ENDED = "ended"
    """By the other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One step of a call. `detail` is the other side's RTP port (answered) or the SIP status (refused)."""

    progress: Progress
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class CallerIdentity:
    """Who calls, as the carrier shows it: From and P-Asserted-Identity, or Privacy: id and nobody in From."""

    number: str
    name: str = ""
    withheld: bool = False

    def headers(self, host: str) -> tuple[str, str]:
        """The From value without its tag, and the headers that go with it.

        Raises ValueError for a name that no SIP header can hold.
        """
        if re.search(r"[\x00-\x1f\x7f]", self.name):
            raise ValueError(f"a control character cannot stand in a SIP header: {self.name!r}")
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        identity = f'"{quoted}" <sip:{self.number}@{host}>'
        if self.withheld:
            return '"Anonymous" <sip:anonymous@anonymous.invalid>', f"P-Asserted-Identity: {identity}\r\nPrivacy: id"
        return identity, f"P-Asserted-Identity: {identity}"


def free_udp_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


_PLACES = range(6000, 9996, 4)
"""Where SIPps have their media, below the ports of our Asterisks."""
_next_place = itertools.count(random.randrange(len(_PLACES)))


def own_media_port() -> int:
    """A port for one SIPp's media (`-mp`), free as is the one two above it, which SIPp takes too; each is given once.

    SIPp 3.6 itself looks at 100 ports from 6000 on, and ends when all are taken, as by some fifty SIPps; told a port,
    it looks at no other. Raises SippError when there is none.
    """
    for _ in _PLACES:
        port = _PLACES[next(_next_place) % len(_PLACES)]
        if _is_free(port) and _is_free(port + 2):
            return port
    raise SippError(f"no free port for media between {_PLACES.start} and {_PLACES.stop}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


class Sipp:
    """One running SIPp and what it says. `port` is its SIP port."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.port = port
        self._process = process
        self._folder = folder
        self._complaints: deque[str] = deque(maxlen=20)

    @classmethod
    async def start(cls, scenario: str, port: int, *arguments: str) -> Self:
        """Run a scenario on a port. Raises SippError when SIPp is not installed or its port is taken."""
        program = shutil.which("sipp")
        if program is None:
            raise SippError("sipp is not installed: `make setup` installs it (Debian's package is sip-tester)")
        folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        path = folder / "scenario.xml"
        path.write_text(scenario, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            *("-sf", str(path), "-i", HOST, "-p", str(port), "-nostdin", "-trace_logs", "-log_file", "/dev/stderr"),
            *("-trace_err", "-error_file", "/dev/stderr", "-skip_rlimit", "-mp", str(own_media_port())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
        )
        return cls(process, port, folder)

    async def progress(self) -> AsyncIterator[Said]:
        """What happens, until SIPp ends."""
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            said = _LOG.findall(line)
            if not said and line.strip():
                self._complaints.append(line.decode(errors="replace").strip())
            for word, detail in said:
                yield Said(progress=Progress(word.decode()), detail=detail.decode())

    async def finish(self) -> int:
        """Wait for SIPp's end: 0 when every call went as its scenario says."""
        status = await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        return status

    async def stop(self) -> None:
        """End SIPp, whatever its calls are doing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.finish()

    def errors(self) -> str:
        """The last things SIPp complained of, on one line."""
        return " | ".join(self._complaints)


class OutgoingCall(Sipp):
    """A caller's side of one call."""

    call_id = ""

    @classmethod
    async def dial(
        cls, pbx: tuple[str, int], did: str, identity: CallerIdentity, *, media_port: int, seconds: float, token: str
    ) -> Self:
        """INVITE `did`; after `seconds` SIPp gives the call up. `token` must be unique: it is the Call-ID."""
        sender, extra = identity.headers(HOST)
        scenario = _CALLER.replace("@MEDIA@", str(media_port))
        call = await cls.start(
            scenario,
            free_udp_port(),
            *(f"{pbx[0]}:{pbx[1]}", "-s", did, "-m", "1", "-cid_str", token),
            *("-key", "sender", sender, "-key", "identity", extra),
            *("-timeout", f"{seconds:.0f}s", "-timeout_error"),
        )
        call.call_id = token
        return call

    def hang_up(self) -> None:
        """Make SIPp send BYE, or CANCEL while it rings."""
        request = (
            f"INFO sip:hangup@{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:9;branch=z9hG4bK-hangup\r\n"
            f"From: <sip:us@{HOST}>;tag=us\r\nTo: <sip:caller@{HOST}>\r\nCall-ID: {self.call_id}\r\n"
            "CSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(request.encode(), (HOST, self.port))


def phone_scenario(*, ring_seconds: float, talk_seconds: float | None, media_port: int) -> str:
    """An agent's phone: rings, answers, talks until the other side hangs up, or for `talk_seconds` at most."""
    talk = "" if talk_seconds is None else f'timeout="{talk_seconds * 1000:.0f}" ontimeout="bye"'
    return (
        _PHONE.replace("@RING@", f"{ring_seconds * 1000:.0f}")
        .replace("@TALK@", talk)
        .replace("@MEDIA@", str(media_port))
    )


def _log(word: Progress, detail: str = "") -> str:
    return f'<action><log message="=say={word} {detail}"/></action>'.replace(' "/>', '"/>')


_SDP = """
      v=0
      o=- 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      m=audio @MEDIA@ RTP/AVP 8 101
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-15
      a=ptime:20
"""

_MEDIA_PORT = r"""<action>
      <ereg regexp="m=audio ([0-9]+) " search_in="body" check_it="true" assign_to="line,media"/>
      <log message="=say=answered [$media]"/>
    </action>"""


def _request(method: str, cseq: int, *, target: str, to: str, branch: str = "[branch]", body: str = "") -> str:
    content = f"Content-Type: application/sdp\n      Content-Length: [len]\n{body}" if body else "Content-Length: 0\n"
    return f"""<![CDATA[
      {method} {target} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
      From: [sender];tag=[pid]x[call_number]
      To: {to}
      Call-ID: [call_id]
      CSeq: {cseq} {method}
      Contact: <sip:caller@[local_ip]:[local_port]>
      Max-Forwards: 70
      [identity]
      {content}
    ]]>"""


def _response(status: str, *, cseq: str = "[last_CSeq:]", body: str = "") -> str:
    content = f"Content-Type: application/sdp\n      Content-Length: [len]\n{body}" if body else "Content-Length: 0\n"
    return f"""<![CDATA[
      SIP/2.0 {status}
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]y[call_number]
      [last_Call-ID:]
      {cseq}
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      {content}
    ]]>"""


_IN_DIALOG_OK = """<![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>"""

# CANCEL and the ACK of a refusal belong to the INVITE's own transaction.
_INVITE_BRANCH = "z9hG4bK-[call_id]"
_DID = "sip:[service]@[remote_ip]:[remote_port]"
_REFUSALS = (403, 404, 410, 480, 484, 486, 487, 488, 500, 502, 503, 504, 600, 603)

# Label 1: refused. 2: cancel. 3: hang up. 5: the answer was faster than our CANCEL. 4: the end.
_CALLER = f"""<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
  <send retrans="500">{_request("INVITE", 1, target=_DID, to=f"<{_DID}>", branch=_INVITE_BRANCH, body=_SDP)}</send>
  <recv response="100" optional="true">{_log(Progress.TRYING)}</recv>
  <recv response="180" optional="true">{_log(Progress.RINGING)}</recv>
  <recv response="183" optional="true"/>
  {
    "".join(
        f'<recv response="{status}" optional="true" next="1">{_log(Progress.REFUSED, str(status))}</recv>'
        for status in _REFUSALS
    )
}
  <recv request="INFO" optional="true" next="2"/>
  <recv response="200" rrs="true">{_MEDIA_PORT}</recv>
  <send>{_request("ACK", 1, target="[next_url]", to=f"<{_DID}>[peer_tag_param]")}</send>
  <recv request="INFO" optional="true" next="3"/>
  <recv request="BYE">{_log(Progress.ENDED)}</recv>
  <send next="4">{_IN_DIALOG_OK}</send>

  <label id="1"/>
  <send next="4">{_request("ACK", 1, target=_DID, to=f"<{_DID}>[peer_tag_param]", branch=_INVITE_BRANCH)}</send>

  <label id="2"/>
  <send retrans="500">{_request("CANCEL", 1, target=_DID, to=f"<{_DID}>", branch=_INVITE_BRANCH)}</send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" test="won" next="5"><action>
      <ereg regexp="INVITE" search_in="hdr" header="CSeq:" assign_to="won"/>
    </action></recv>
  <recv response="100" optional="true"/>
  <recv response="200" optional="true" next="7"/>
  <recv response="487">{_log(Progress.CANCELLED)}</recv>
  <send next="4">{_request("ACK", 1, target=_DID, to=f"<{_DID}>[peer_tag_param]", branch=_INVITE_BRANCH)}</send>

  <label id="3"/>
  <send retrans="500">{_request("BYE", 2, target="[next_url]", to=f"<{_DID}>[peer_tag_param]")}</send>
  <recv response="481" optional="true" next="4"/>
  <recv request="BYE" optional="true"/>
  <recv response="200" next="4">{_log(Progress.HUNG_UP)}</recv>

  <label id="5"/>
  <recv response="481" optional="true" next="7"/>
  <recv response="200"/>
  <label id="7"/>
  <send>{_request("ACK", 1, target=_DID, to=f"<{_DID}>[peer_tag_param]")}</send>
  <send next="6">{_request("BYE", 2, target=_DID, to=f"<{_DID}>[peer_tag_param]")}</send>
  <label id="6"/>
  <recv response="481" optional="true" next="4"/>
  <recv response="200">{_log(Progress.CANCELLED)}</recv>

  <label id="4"/>
  <nop/>
  <Reference variables="line"/>
</scenario>
"""

# Label bye: hang up. cancelled: the caller or another phone was faster. options: the PBX asks whether we are there.
_PHONE = f"""<?xml version="1.0" encoding="UTF-8"?>
<scenario name="phone">
  <recv request="OPTIONS" optional="true" next="options"/>
  <recv request="INVITE"><action>
      <ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" check_it="true" assign_to="cseq"/>
      <ereg regexp="sip:[^;>]+" search_in="hdr" header="Contact:" check_it="true" assign_to="contact"/>
      <ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
      <ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="to"/>
      <log message="=say=ringing"/>
    </action></recv>
  <send>{_response("180 Ringing")}</send>
  <recv request="CANCEL" timeout="@RING@" ontimeout="answer"/>
  <send>{_response("200 OK")}</send>
  <send retrans="500">{_response("487 Request Terminated", cseq="CSeq: [$cseq] INVITE")}</send>
  <recv request="ACK" next="end">{_log(Progress.CANCELLED)}</recv>

  <label id="answer"/>
  <send retrans="500">{_response("200 OK", cseq="CSeq: [$cseq] INVITE", body=_SDP)}</send>
  <recv request="ACK">{_log(Progress.ANSWERED)}</recv>
  <recv request="BYE" @TALK@>{_log(Progress.ENDED)}</recv>
  <send next="end">{_IN_DIALOG_OK}</send>

  <label id="bye"/>
  <send retrans="500"><![CDATA[
      BYE [$contact] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From:[$to];tag=[pid]y[call_number]
      To:[$from]
      Call-ID: [call_id]
      CSeq: 1 BYE
      Contact: <sip:[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Length: 0

    ]]></send>
  <recv response="481" optional="true" next="end"/>
  <recv request="BYE" optional="true"/>
  <recv response="200" next="end">{_log(Progress.HUNG_UP)}</recv>

  <label id="options"/>
  <send>{_response("200 OK")}</send>

  <label id="end"/>
  <nop/>
</scenario>
"""
