"""Asterisk and the engine, as the benches need them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import asyncpg
from sqlalchemy.engine import make_url

from bench.callers import Callers, Placed, Sink
from bench.cpu import busy_seconds, cpu_seconds, family_cpu_seconds
from callrouter.store.embedded import DATABASE_NAME, start_server, stop_server
from deploy.asterisk.pbx import Pbx

CHECKOUT = Path(__file__).resolve().parents[1]
DIALPLANS = Path(__file__).resolve().parent / "dialplans"
CALLER = "+33612345678"
DID = "0199000110"
"""The five-step tree."""
DID_FASTAGI = "0199000191"
DID_ARI = "0199000192"
DID_ASTERISK = "0199000193"
ROWS_STILL_SECONDS = 2.0
"""For how long no row is added once all are there."""
READY_SECONDS = 60.0

# Not through callrouter's entry: the peers' calls, and Asterisk's own dialplan doing what bench.yaml says.
EXTENSIONS = f"""
[callrouter-entry](+)
exten => {DID_FASTAGI},1,AGI(agi://127.0.0.1:${{BENCH_FASTAGI_PORT}}/bench)
 same => n,Hangup()
exten => {DID_ARI},1,Stasis(bench)
 same => n,Hangup()
exten => {DID_ASTERISK},1,Answer()
 same => n,GotoIf($["${{CALLERID(num)}}" = "+33699999999"]?bye)
 same => n,GotoIfTime(00:00-23:59,mon-sun,*,*?open:bye)
 same => n(open),GotoIf($[${{RAND(0,99)}} < 50]?first:first)
 same => n(first),Playback(${{BENCH_TICK}})
 same => n,Playback(${{BENCH_TICK}})
 same => n,Playback(${{BENCH_TICK}})
 same => n,Playback(${{BENCH_TICK}})
 same => n(bye),Hangup()
"""
AGENTS_CONTEXT = "bench-agents"
EXTENSIONS += f"""
[{AGENTS_CONTEXT}]
; An agent: rings, answers, and talks until the caller has enough.
exten => _X.,1,Ringing()
 same => n,Wait(0.2)
 same => n,Answer()
 same => n,Wait(60)
"""
QUEUES = """
[bench](team)
joinempty = yes
leavewhenempty = no
[desk](team)
joinempty = yes
leavewhenempty = no
"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a stream of calls did, and what it cost."""

    placed: Placed
    began: float
    """On the monotonic clock, as `ended`."""
    ended: float
    controller_cpu_seconds: float
    asterisk_cpu_seconds: float
    postgresql_cpu_seconds: float
    strangers_cpu_seconds: float
    """What everything else on the machine used meanwhile."""

    @property
    def disturbed(self) -> float:
        """The share of the machine, in percent, that others took: figures hold for a quiet machine only."""
        return max(0.0, 100 * self.strangers_cpu_seconds / ((self.ended - self.began) * (os.cpu_count() or 1)))

    def within(self, times: Sequence[float]) -> list[float]:
        """Of (when, how long) one after the other, how long those took that fell into this load."""
        pairs = zip(times[::2], times[1::2], strict=True)
        return [seconds for when, seconds in pairs if self.began <= when <= self.ended]

    def each(self, seconds: float) -> float:
        """Of CPU seconds, the milliseconds a call."""
        return 1000 * seconds / max(1, self.placed.calls)


class Controller:
    """A process that controls calls: the engine or a peer; it writes its times when it ends."""

    def __init__(self, name: str, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._times = folder / f"{name}.json"
        self.log_path = folder / f"{name}.log"
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command, str(self._times)],
                # Neither an operator's .env nor their variables are the bench's.
                cwd=folder,
                env={**inherited(), "PYTHONPATH": str(CHECKOUT), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for us; we end it in order
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """So far."""
        return cpu_seconds(self.pid)

    def check(self) -> None:
        """It runs, or the bench ends with its last words."""
        if self._process.poll() is not None:
            words = self.log_path.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.name} ended by itself ({self._process.returncode}): {words}")

    def wait_for(self, word: str) -> None:
        """Until its log says so."""
        deadline = time.monotonic() + READY_SECONDS
        while word not in self.log_path.read_text(errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.name} did not say {word!r}: {self.log_path.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> dict[str, list[float]]:
        """End it, and read its times."""
        self.check()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        found: dict[str, list[float]] = json.loads(self._times.read_text(encoding="utf-8"))
        return found

    def kill(self) -> None:
        """End it at once."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def inherited() -> dict[str, str]:
    """Our own environment: an operator's variables are not the bench's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CALLROUTER_")}


def engine_settings(folder: Path, name: str, pbx: Pbx) -> dict[str, str]:
    """The variables of an engine with its own data, on an Asterisk."""
    settings = {
        "AMI_HOST": pbx.ami_host,
        "AMI_PORT": str(pbx.ami_port),
        "AMI_USER": pbx.ami_user,
        "AMI_SECRET": pbx.ami_secret,
        "DATA_DIR": str(folder / f"{name}-data"),
        "DIALPLANS_DIR": str(folder / "clients" / "dialplans"),
        "RECORDINGS_DIR": str(pbx.recordings_dir),
        "ENGINE_PORT": str(free_tcp_port()),
        "WEB_PORT": str(free_tcp_port()),
        "API_TOKEN": secrets.token_urlsafe(24),
        "GRACE_SECONDS": "2",
        "CLIENT_CALLS": "0",
        "LOG_FORMAT": "json",
        # The peers make no pause either, and its 15 packets would be most of the media of so short a call.
        "FIRST_SOUND_SECONDS": "0",
    }
    return {f"CALLROUTER_{key}": value for key, value in settings.items()}


class EngineProcess(Controller):
    """The whole engine, with its embedded PostgreSQL in `data_dir`."""

    def __init__(self, name: str, folder: Path, pbx: Pbx, *options: str, after: EngineProcess | None = None) -> None:
        """`after` is an engine whose data folder it takes over."""
        self.data_dir: Path = after.data_dir if after is not None else folder / f"{name}-data"
        self.postgresql_version = ""
        self.settings = engine_settings(folder, name, pbx) | {"CALLROUTER_DATA_DIR": str(self.data_dir)}
        self.port = int(self.settings["CALLROUTER_ENGINE_PORT"])
        super().__init__(name, folder, ["-m", "bench.engine_process", *options], self.settings)
        self._wait_until_ready()
        self._postmaster = int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])

    @property
    def sizes_path(self) -> Path:
        """Where it writes how large it is, with the option `sizes`."""
        return self._times.with_suffix(".sizes")

    def postgresql_cpu_seconds(self) -> float:
        """So far, of all its processes that live or were waited for."""
        return family_cpu_seconds(self._postmaster)

    def rows(self) -> dict[str, int]:
        """Rows in PostgreSQL by disposition, once no call is live and no more of them come.

        What ended while the engine had lost control is found in Asterisk's journal, some seconds later.
        """
        deadline = time.monotonic() + 30
        found = self._rows_once_quiet(deadline)
        while time.monotonic() < deadline:
            time.sleep(ROWS_STILL_SECONDS)
            if (again := self._rows_once_quiet(deadline)) == found:
                break
            found = again
        return found

    def _rows_once_quiet(self, deadline: float) -> dict[str, int]:
        names = ("callrouter_live_calls", "callrouter_writer_backlog_calls")
        while any(self.figure(name) for name in names) and time.monotonic() < deadline:
            time.sleep(0.1)
        return asyncio.run(self._count())

    def figure(self, name: str) -> float:
        """A sample of /metrics without labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.rpartition(" ")[2])
        raise KeyError(name)

    async def _count(self) -> dict[str, int]:
        server, url = start_server(self.data_dir)
        try:
            address = make_url(url).set(database=DATABASE_NAME).render_as_string(hide_password=False)
            connection = await asyncpg.connect(address)
            try:
                self.postgresql_version = str(await connection.fetchval("SHOW server_version"))
                rows = await connection.fetch("SELECT disposition, count(*) AS calls FROM calls GROUP BY disposition")
            finally:
                await connection.close()
        finally:
            stop_server(server)
        return {str(row["disposition"]): int(row["calls"]) for row in rows}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            self.check()
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2).close()
                return
            if time.monotonic() > deadline:
                self.kill()
                raise SystemExit(f"the engine is not ready: {self.log_path.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)


@dataclass(kw_only=True)
class Stand:
    """An Asterisk, and what is started on it."""

    root: Path
    pbx: Pbx
    sink: Sink
    tick: Path
    """The sound of some samples, without suffix."""
    _started: list[Controller]
    _streams: list[Callers]

    def engine(self, *options: str, after: EngineProcess | None = None) -> EngineProcess:
        """Start an engine with a database of its own, or in the place of another; options: of `engine_process`."""
        engine = EngineProcess(f"engine-{len(self._started)}", self.root, self.pbx, *options, after=after)
        self._started.append(engine)
        return engine

    def peer(self, name: str, *arguments: str) -> Controller:
        """Start a hand-written controller of `bench.peers`."""
        command = ["-m", f"bench.peers.{name}", str(self.pbx.run_dir), str(self.tick), *arguments]
        peer = Controller("-".join([name, *arguments, str(len(self._started))]), self.root, command, {})
        self._started.append(peer)
        peer.wait_for("ready")
        return peer

    def callers(
        self,
        did: str,
        *,
        calls: int,
        rate: float,
        caller: str = CALLER,
        hold_seconds: float | None = None,
        dids: Sequence[str] = (),
        at_once: int | None = None,
    ) -> Callers:
        """Begin to place calls: see `Callers`."""
        folder = self.root / f"sipp-{len(self._streams)}"
        address = (self.pbx.sip_host, self.pbx.sip_port)
        stream = Callers(
            folder,
            address,
            did,
            calls=calls,
            rate=rate,
            sink=self.sink,
            caller=caller,
            hold_seconds=hold_seconds,
            dids=dids,
            at_once=at_once,
        )
        self._streams.append(stream)
        return stream

    def load(
        self,
        controller: Controller | None,
        did: str,
        *,
        rate: float,
        seconds: float,
        caller: str = CALLER,
        hold_seconds: float | None = None,
    ) -> Load:
        """Place calls at a rate, and see what they cost; without a controller Asterisk is alone."""
        before = self._used(controller)
        began = perf_counter()
        calls = round(rate * seconds)
        placed = self.callers(did, calls=calls, rate=rate, caller=caller, hold_seconds=hold_seconds).finish()
        time.sleep(0.5)  # hang-ups on their way, rows on theirs
        ended = perf_counter()
        controlling, asterisk, storing, ours, all_of_it = (
            now - then for now, then in zip(self._used(controller), before, strict=True)
        )
        return Load(
            placed=placed,
            began=began,
            ended=ended,
            controller_cpu_seconds=controlling,
            asterisk_cpu_seconds=asterisk,
            postgresql_cpu_seconds=storing,
            strangers_cpu_seconds=all_of_it - controlling - asterisk - storing - ours - placed.cpu_seconds,
        )

    def _used(self, controller: Controller | None) -> tuple[float, float, float, float, float]:
        """CPU so far: the controller's, Asterisk's, PostgreSQL's, our own, the whole machine's."""
        return (
            controller.cpu_seconds() if controller else 0.0,
            cpu_seconds(self.pbx.pid),
            controller.postgresql_cpu_seconds() if isinstance(controller, EngineProcess) else 0.0,
            process_time(),
            busy_seconds(),
        )

    def forget_calls(self) -> None:
        """Empty Asterisk's journal: the next engine would collect the calls that peers had as calls nobody took."""
        self.pbx.cli("database deltree callrouter/ended")

    def calls_processed(self) -> int:
        """Calls that Asterisk has taken, by its own count."""
        found = re.search(r"(\d+) calls? processed", self.pbx.cli("core show calls"))
        return int(found[1]) if found else 0

    def versions(self) -> dict[str, str]:
        """Of what took part, by program."""
        stores = [one.postgresql_version for one in self._started if isinstance(one, EngineProcess)]
        number = re.search(r"\d+(\.\d+)+", self.pbx.version)
        found = {"Asterisk": number[0] if number else self.pbx.version}
        if known := [version for version in stores if version]:
            found["PostgreSQL"] = known[0]
        return found

    def close(self) -> None:
        """End whatever still runs."""
        for stream in self._streams:
            stream.stop()
        for controller in self._started:
            controller.kill()
        self.sink.close()


@contextlib.contextmanager
def stand(
    dialplans: Path = DIALPLANS,
    *,
    contacts: Mapping[str, str] | None = None,
    queue_members: Mapping[str, Sequence[str]] | None = None,
    extra_conf: Mapping[str, str] | None = None,
    max_calls: int = 0,
) -> Iterator[Stand]:
    """A fresh Asterisk with the bench's dialplans; everything is removed in the end.

    `contacts` are the agents' telephones, and where they stand; `queue_members` are queues and their agents;
    `max_calls` are admitted at once (0: any number).
    """
    root = Path(tempfile.mkdtemp(prefix="callrouter-bench-"))
    root.chmod(0o755)
    # In a folder of their own: what stands beside the clients' folder is watched, and logs grow in `root`.
    shutil.copytree(dialplans, root / "clients" / "dialplans")
    tick = root / "clients" / "dialplans" / "sounds" / "en" / "tick"
    _write_tick(tick.with_suffix(".wav"))
    try:
        extra = {"extensions": EXTENSIONS, "queues": QUEUES, **(extra_conf or {})}
        phones = contacts or {}
        with Pbx.start(
            root / "pbx",
            ari=True,
            max_calls=max_calls,
            extra_conf=extra,
            agents=max(8, len(phones)),
            agent_contacts=phones,
            queue_members=queue_members,
            # SIPp's telephones answer calls only.
            qualify_seconds=0 if phones else 5,
        ) as pbx:
            pbx.cli(f"dialplan set global BENCH_TICK {tick}")
            found = Stand(root=root, pbx=pbx, sink=Sink(), tick=tick, _started=[], _streams=[])
            try:
                yield found
            finally:
                found.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def free_tcp_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_tick(path: Path) -> None:
    """The shortest sound Asterisk plays: 32 samples, 4 ms; of shorter ones it says that playback failed."""
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 32)
