"""SIPp callers and phones for the tests of the edge, and the real Asterisk they call."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.asterisk.pbx import Pbx
from deploy.demo.sipp import own_media_port

CHECKOUT = Path(__file__).resolve().parents[2]

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["Callers", "Pbx", "free_port"]

SCENARIOS = CHECKOUT / "tests" / "deploy" / "sipp"


class Callers:
    """SIPp processes, ended with the context: `talk` and `listen` call, `answer` is a phone on a port."""

    def __init__(self, pbx: Pbx, folder: Path) -> None:
        self._pbx = pbx
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def call(
        self, scenario: str, did: str, *, hold_ms: int = 0, number: str = "+33612345678", name: str = "Jean"
    ) -> subprocess.Popen[bytes]:
        """A caller who dials `did`; `hold_ms` is how long they stay in `talk`, or wait in `give_up`."""
        where = [f"{self._pbx.sip_host}:{self._pbx.sip_port}", "-s", did]
        return self._start(scenario, where, hold_ms, number, name)

    def refreshed(self, did: str) -> subprocess.Popen[bytes]:
        """A caller who knows no session timers, answers one refresh, and hangs up; it may take a minute to come."""
        where = [f"{self._pbx.sip_host}:{self._pbx.sip_port}", "-s", did]
        return self._start("refreshed", where, 500, "+33612345678", "Jean", seconds=90)

    def phone(self, port: int, *, ring_ms: int = 0) -> subprocess.Popen[bytes]:
        """A phone that answers after `ring_ms` and talks until the other side hangs up."""
        process = self._start("answer", ["-p", str(port)], ring_ms, "", "")
        _wait_until_bound(port)
        return process

    def register(self, phone: str, secret: str) -> subprocess.Popen[bytes]:
        """A phone that registers, and ends."""
        where = [f"{self._pbx.sip_host}:{self._pbx.sip_port}", "-au", phone, "-ap", secret]
        return self._start("register", where, 0, phone, phone)

    def _start(
        self, scenario: str, where: list[str], hold_ms: int, number: str, name: str, *, seconds: int = 30
    ) -> subprocess.Popen[bytes]:
        command = ["sipp", *where, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-m", "1"]
        command += ["-mp", str(own_media_port())]
        command += [
            "-d",
            str(hold_ms),
            "-key",
            "from",
            number,
            "-key",
            "name",
            name,
            "-nostdin",
            "-timeout",
            f"{seconds}s",
        ]
        process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._running.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._running:
            process.kill()
            process.wait()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_bound(port: int, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return
        time.sleep(0.02)
    raise AssertionError(f"SIPp did not open port {port}")
