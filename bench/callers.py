"""SIPp: so many callers a second, who stay until they are hung up on, or for a while."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import Finished, wait

HOST = "127.0.0.1"
CALLERS_PRIORITY = 10
"""Of real time, as Asterisk has."""
STUCK_MS = 120_000
"""How long a caller waits for anything; calls that are held are ended by the caller before that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of the calls."""

    calls: int
    succeeded: int
    failed: int
    retransmissions: int
    cpu_seconds: float
    placing_seconds: float
    """From the first call to the last; as exact as SIPp's statistics are (0.2 s)."""


class Sink:
    """A port that takes media and throws it away: the kernel does, once the buffer is full."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class Callers:
    """One SIPp at work."""

    def __init__(
        self,
        folder: Path,
        pbx: tuple[str, int],
        did: str,
        *,
        calls: int,
        rate: float,
        sink: Sink,
        caller: str = "+33612345678",
        hold_seconds: float | None = None,
        dids: Sequence[str] = (),
        at_once: int | None = None,
    ) -> None:
        """`hold_seconds`: after so long the caller hangs up; without it they wait to be hung up on.

        `dids` are dialled in turn, in place of `did`. Never more than `at_once` are there: who leaves makes room.
        """
        program = shutil.which("sipp")
        if program is None:
            raise SystemExit("sipp is not installed: `make setup` installs it (Debian's package is sip-tester)")
        self._folder = folder
        folder.mkdir(parents=True)
        ending = _THEY_HANG_UP if hold_seconds is None else _WE_HANG_UP
        scenario = _SCENARIO.replace("@ENDING@", ending).replace("@CALLER@", caller)
        scenario = scenario.replace("@MEDIA@", str(sink.port))
        dialled: list[str] = []
        if dids:
            scenario = scenario.replace("[service]", "[field0]")
            (folder / "dids.csv").write_text("\n".join(["SEQUENTIAL", *dids]) + "\n", encoding="utf-8")
            dialled = ["-inf", "dids.csv"]
        (folder / "scenario.xml").write_text(scenario, encoding="utf-8")
        hold = [] if hold_seconds is None else ["-d", f"{hold_seconds * 1000:.0f}"]
        self._calls = calls
        self._enough = False
        with (folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *(program, f"{pbx[0]}:{pbx[1]}", "-s", did, "-sf", "scenario.xml", "-i", HOST, *dialled),
                    *("-m", str(calls), "-r", f"{rate:g}", "-l", str(at_once or calls), "-timer_resol", "1", *hold),
                    # A call that is stuck fails, instead of keeping the bench for ever.
                    *("-recv_timeout", str(STUCK_MS)),
                    *("-nostdin", "-skip_rlimit", "-deadcall_wait", "0", "-max_socket", "100000"),
                    *("-trace_stat", "-stf", "statistics.csv", "-fd", "200ms", "-trace_err", "-error_file", "errors"),
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        # It stands for telephones, which have processors of their own: it does not wait for Asterisk or the engine.
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(self._process.pid, os.SCHED_RR, os.sched_param(CALLERS_PRIORITY))

    def finish(self) -> Placed:
        """Wait until all calls are over."""
        ended = wait(self._process)
        return self._read(ended)

    def enough(self) -> None:
        """No more calls are placed: those that are there take their course, and `finish` waits for them."""
        self._process.send_signal(signal.SIGUSR1)
        self._enough = True

    def stop(self) -> None:
        """End SIPp, whatever its calls are doing."""
        if self._process.returncode is None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def live(self) -> int:
        """Calls in progress, at the last full second."""
        rows = self._statistics()
        return int(rows[-1]["CurrentCall"]) if rows else 0

    def last_failure_seconds(self) -> float:
        """From the first call to the last look at which one more had failed; 0 when none did."""
        rows = self._statistics()
        failed = [int(row["FailedCall(C)"]) for row in rows]
        later = [row for row, before, now in zip(rows[1:], failed, failed[1:], strict=False) if now > before]
        last = later[-1] if later else rows[0] if rows and failed[0] else None
        return 0.0 if last is None else _instant(last["CurrentTime"]) - _instant(rows[0]["StartTime"])

    def _statistics(self) -> list[dict[str, str]]:
        path = self._folder / "statistics.csv"
        if not path.exists():
            return []
        with path.open(newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter=";"))
        return [row for row in rows if row.get("CurrentCall")]

    def _placing_seconds(self, rows: list[dict[str, str]]) -> float:
        """Until SIPp had begun them all."""
        placed = next((row for row in rows if int(row["TotalCallCreated"]) >= self._calls), rows[-1])
        return max(0.001, _instant(placed["CurrentTime"]) - _instant(rows[0]["StartTime"]))

    def _read(self, ended: Finished) -> Placed:
        rows = self._statistics()
        if not rows:
            said = (self._folder / "output").read_text(errors="replace")[-1000:]
            raise SystemExit(f"SIPp placed no calls; it said: {said}")
        last = rows[-1]
        calls = int(last["TotalCallCreated"]) if self._enough else self._calls
        return Placed(
            calls=calls,
            succeeded=int(last["SuccessfulCall(C)"]),
            failed=calls - int(last["SuccessfulCall(C)"]),
            retransmissions=int(last["Retransmissions(C)"]),
            cpu_seconds=ended.cpu_seconds,
            placing_seconds=self._placing_seconds(rows),
        )


def _instant(written: str) -> float:
    """Seconds, of what SIPp writes: a date, and after a tab the same in seconds."""
    return float(written.rpartition("\t")[2])


_OK = """<![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>"""
_THEY_HANG_UP = f"""
  <recv request="BYE"/>
  <send>{_OK}</send>
"""
_WE_HANG_UP = """
  <pause/>
  <send retrans="500"><![CDATA[
      BYE [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:@CALLER@@[local_ip]>;tag=[pid]x[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 2 BYE
      Max-Forwards: 70
      Content-Length: 0

    ]]></send>
  <recv response="200"/>
"""
_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="bench">
  <send retrans="500"><![CDATA[
      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:@CALLER@@[local_ip]>;tag=[pid]x[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:caller@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=- 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      m=audio @MEDIA@ RTP/AVP 8 101
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=ptime:20

    ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
      ACK [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:@CALLER@@[local_ip]>;tag=[pid]x[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

    ]]></send>
@ENDING@
</scenario>
"""
