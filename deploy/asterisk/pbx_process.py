"""One Asterisk for callrouter, in a folder of its own: started, asked and stopped."""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from callrouter.asterisk.teams.document import Teams, teams_of_members
from deploy.asterisk.pbx_carriers import Carriers
from deploy.asterisk.pbx_install import Installation, PbxError, find_or_install, rootfs_dir
from deploy.asterisk.pbx_music import soften_once
from deploy.asterisk.pbx_render import ADMISSION_SECONDS, LEASE_SECONDS, MAX_CALLS, Directories, PbxConfig, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STATE = "pbx.json"
_CONTROL_SOCKET_BYTES = 107  # sun_path, less its final zero
_RTP_PORTS = 8000
_CANNOT_BIND = re.compile(r"could not be started|Unable to bind|Address already in use|Failed to bind", re.IGNORECASE)
# Runs between us and Asterisk, in the same process: as many open files as allowed, and SIGKILL when the parent ends.
# A program of its own, because code between fork and exec is not safe in a process with threads.
_LAUNCHER = """
import ctypes, os, resource, signal, sys
parent, die, *command = sys.argv[1:]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
if die == "die":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != int(parent):
        sys.exit("the parent is gone")
os.execv(command[0], command)
"""


@dataclass(kw_only=True)
class Pbx:
    """A running Asterisk. `ami_secret`, `phone_secrets` and the rest are also in RUN_DIR/pbx.json (mode 0600)."""

    run_dir: Path
    pid: int
    command: tuple[str, ...]
    version: str
    sip_host: str
    sip_port: int
    ami_host: str
    ami_port: int
    ami_user: str
    ami_secret: str
    ami_admin_user: str
    ami_admin_secret: str
    phone_secrets: dict[str, str]
    rtp_ports: tuple[int, int]
    http_port: int | None
    ari_user: str
    ari_secret: str
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def recordings_dir(self) -> Path:
        """Where the engine may ask for recordings (CR_FILE)."""
        return self.run_dir / "recordings"

    @property
    def log_path(self) -> Path:
        """Asterisk's notices, warnings and errors."""
        return self.run_dir / "log" / "asterisk.log"

    def log(self) -> str:
        """What Asterisk has logged: with callers' names as they came, in whatever encoding."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def sounds_dir(self) -> Path:
        """Asterisk's own prompts, by language: `sounds_dir / "fr" / "beep.wav"`."""
        return self.run_dir / "data" / "sounds"

    @classmethod
    def start(
        cls,
        run_dir: Path,
        *,
        agents: int = 8,
        agent_contacts: Mapping[str, str] | None = None,
        teams: Teams | None = None,
        queue_members: Mapping[str, Sequence[str]] | None = None,
        carrier: str | None = None,
        carriers: Carriers | None = None,
        language: str = "en",
        ari: bool = False,
        admission_seconds: float = ADMISSION_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        wrapup_seconds: int = 0,
        qualify_seconds: int = 5,
        session_seconds: int = 900,
        max_calls: int = MAX_CALLS,
        over_limit: str = "congestion",
        sip_port: int | None = None,
        ami_port: int | None = None,
        extra_conf: Mapping[str, str] | None = None,
        verbose: bool = False,
        die_with_parent: bool = True,
        boot_seconds: float = 60,
    ) -> Self:
        """Render the configuration into `run_dir`, start Asterisk and wait until it has fully booted.

        `teams` are the queues (`teams_of_folder`); `queue_members`, in their place, are queues with the template's
        settings and these agents. Ports not given are free ones of the loopback. With `die_with_parent` Asterisk is
        killed when the *thread* that started it ends (PR_SET_PDEATHSIG): call from a thread that lives long enough.
        See PbxConfig for the other options. Raises PbxError, with the last lines of the log, when Asterisk does not
        come up.
        """
        run_dir = run_dir.resolve()
        _check_run_dir(run_dir)
        installation = find_or_install()
        _lay_out(run_dir, installation)
        teams = teams or teams_of_members(queue_members or {})
        agent_names = [*(f"agent-{number}" for number in range(1, agents + 1)), *teams.phones]
        phone_secrets = {name: secrets.token_urlsafe(12) for name in ["softphone", *agent_names]}
        attempts = 3 if sip_port is None or ami_port is None else 1
        for attempt in range(1, attempts + 1):
            rtp_start = random.randrange(10000, 24000, 2)
            config = PbxConfig(
                directories=_directories(run_dir, installation),
                ami_secret=secrets.token_urlsafe(24),
                ami_admin_secret=secrets.token_urlsafe(24),
                ari_secret=secrets.token_urlsafe(24),
                phone_secrets=phone_secrets,
                sip_port=sip_port or _free_port(socket.SOCK_DGRAM),
                ami_port=ami_port or _free_port(socket.SOCK_STREAM),
                rtp_start=rtp_start,
                rtp_end=rtp_start + _RTP_PORTS - 1,
                http_port=_free_port(socket.SOCK_STREAM) if ari else None,
                carrier=carrier,
                carriers=carriers or Carriers(),
                agents=agents,
                agent_contacts=agent_contacts or {},
                teams=teams,
                language=language,
                admission_seconds=admission_seconds,
                lease_seconds=lease_seconds,
                wrapup_seconds=wrapup_seconds,
                qualify_seconds=qualify_seconds,
                session_seconds=session_seconds,
                max_calls=max_calls,
                over_limit=over_limit,
                verbose=verbose,
                extra_conf=extra_conf or {},
            )
            render(config, run_dir / "etc")
            pbx = cls._described(run_dir, installation, config)
            try:
                pbx._launch(die_with_parent, boot_seconds)
            except _PortTakenError:
                # A port that was free a moment ago was taken by someone else: choose again.
                if attempt == attempts:
                    raise
            else:
                return pbx
        raise AssertionError("unreachable")

    @classmethod
    def attach(cls, run_dir: Path) -> Self:
        """The Asterisk that another process started in `run_dir`. Raises PbxError when none runs there."""
        run_dir = run_dir.resolve()
        try:
            state = json.loads((run_dir / _STATE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PbxError(f"no Asterisk was started in {run_dir}: run `pbx.py start --dir {run_dir}`") from None
        state |= {name: tuple(state[name]) for name in ("command", "rtp_ports")}
        pbx = cls(**{**state, "run_dir": run_dir})
        if not pbx.is_running():
            raise PbxError(f"Asterisk does not run in {run_dir} any more: its log is {pbx.log_path}")
        return pbx

    def restart(self, *, die_with_parent: bool = True, boot_seconds: float = 60) -> None:
        """Start again after `stop` or `kill`: same configuration, ports, secrets and AstDB."""
        if self.is_running():
            self.stop()
        self._launch(die_with_parent, boot_seconds)

    def cli(self, command: str, *, timeout_seconds: float = 30) -> str:
        """What Asterisk's console answers to `command`. Raises PbxError when Asterisk cannot be reached."""
        done = subprocess.run(
            [*self.command, "-C", str(self.run_dir / "etc/asterisk.conf"), "-n", "-rx", command],
            capture_output=True,
            check=False,
            timeout=timeout_seconds,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise PbxError(f"Asterisk in {self.run_dir} did not take {command!r}: {said}")
        return done.stdout.decode(errors="replace")

    def is_running(self) -> bool:
        """Whether our process, and not a later one with the same number, is alive."""
        if self._process is not None:
            return self._process.poll() is None
        try:
            command_line = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return str(self.run_dir / "etc/asterisk.conf").encode() in command_line

    def stop(self, *, timeout_seconds: float = 10) -> None:
        """End all calls (hangup handlers run) and Asterisk; kill it when it does not end in time."""
        self._signal(signal.SIGTERM)
        if not self._wait(timeout_seconds):
            self.kill()

    def kill(self) -> None:
        """End Asterisk as a crash would: no hangup handler runs and the last second of AstDB is lost."""
        self._signal(signal.SIGKILL)
        if not self._wait(10):
            raise PbxError(f"Asterisk (process {self.pid}) does not die")

    def leave_running(self) -> None:
        """Let go of the process: Asterisk outlives us (start it with die_with_parent=False)."""
        if self._process is not None:
            self._process.returncode = 0  # or Popen would warn that it is still running
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_running():
            self.stop()

    @classmethod
    def _described(cls, run_dir: Path, installation: Installation, config: PbxConfig) -> Self:
        return cls(
            run_dir=run_dir,
            pid=0,
            command=installation.command,
            version=installation.version,
            sip_host=config.sip_host,
            sip_port=config.sip_port,
            ami_host=config.ami_host,
            ami_port=config.ami_port,
            ami_user="callrouter",
            ami_secret=config.ami_secret,
            ami_admin_user="callrouter-admin",
            ami_admin_secret=config.ami_admin_secret,
            phone_secrets=dict(config.phone_secrets),
            rtp_ports=(config.rtp_start, config.rtp_end),
            http_port=config.http_port,
            ari_user="callrouter",
            ari_secret=config.ari_secret,
        )

    def _launch(self, die_with_parent: bool, boot_seconds: float) -> None:
        arguments = [*self.command, "-f", "-n", "-C", str(self.run_dir / "etc/asterisk.conf")]
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), "die" if die_with_parent else "live"]
        self.log_path.unlink(missing_ok=True)
        (self.run_dir / "run/asterisk.ctl").unlink(missing_ok=True)
        with (self.run_dir / "log/console.log").open("wb") as console:
            self._process = subprocess.Popen(
                [*launcher, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self.run_dir,
                start_new_session=not die_with_parent,
            )
        self.pid = self._process.pid
        try:
            self._wait_until_booted(time.monotonic() + boot_seconds)
        except BaseException:
            self.kill()
            raise
        self._save()

    def _wait_until_booted(self, deadline: float) -> None:
        control = self.run_dir / "run/asterisk.ctl"
        while not control.exists():
            self._check_alive(deadline)
            time.sleep(0.02)
        while True:
            self._check_alive(deadline)
            try:
                if "fully booted" in self.cli(
                    "core waitfullybooted", timeout_seconds=max(deadline - time.monotonic(), 1)
                ):
                    break
            except (PbxError, subprocess.TimeoutExpired):
                # The socket exists a moment before Asterisk listens on it.
                time.sleep(0.02)
        if _CANNOT_BIND.search(self._log()):
            raise _PortTakenError(self._trouble("cannot listen on its ports: another program has taken one"))

    def _check_alive(self, deadline: float) -> None:
        if not self.is_running():
            raise PbxError(self._trouble("ended while starting"))
        if time.monotonic() > deadline:
            raise PbxError(self._trouble("was not ready in time"))

    def _log(self) -> str:
        parts = [self.run_dir / "log/console.log", self.log_path]
        return "".join(path.read_text(errors="replace") for path in parts if path.exists())

    def _trouble(self, what: str) -> str:
        last = "\n".join(self._log().splitlines()[-15:])
        ports = f"SIP {self.sip_host}:{self.sip_port}, AMI {self.ami_host}:{self.ami_port}"
        return f"Asterisk in {self.run_dir} ({ports}) {what}. Its last words:\n{last}"

    def _save(self) -> None:
        state = {name: value for name, value in asdict(_plain(self)).items() if not name.startswith("_")}
        path = self.run_dir / _STATE
        path.touch(mode=0o600)
        path.write_text(json.dumps(state, indent=2, default=str) + "\n", encoding="utf-8")

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running():
            os.kill(self.pid, number)

    def _wait(self, timeout_seconds: float) -> bool:
        if self._process is not None:
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                return False
            return True
        deadline = time.monotonic() + timeout_seconds
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


class _PortTakenError(PbxError):
    """Asterisk is up but does not listen where it should."""


def _plain(pbx: Pbx) -> Pbx:
    """A copy without the process handle, which cannot be saved."""
    fields = {name: getattr(pbx, name) for name in Pbx.__dataclass_fields__ if name != "_process"}
    return Pbx(**fields)


def _check_run_dir(run_dir: Path) -> None:
    control = len(os.fsencode(run_dir / "run/asterisk.ctl"))
    if control > _CONTROL_SOCKET_BYTES:
        raise PbxError(
            f"{run_dir} is too long a path by {control - _CONTROL_SOCKET_BYTES} characters: Asterisk's control "
            "socket would not fit; choose a shorter --dir"
        )
    if (run_dir / _STATE).exists():
        try:
            running = Pbx.attach(run_dir)
        except PbxError:
            return
        raise PbxError(
            f"an Asterisk (process {running.pid}) already runs in {run_dir}: stop it, or choose another --dir"
        )


def _directories(run_dir: Path, installation: Installation) -> Directories:
    return Directories(
        etc=run_dir / "etc",
        modules=installation.modules_dir,
        data=run_dir / "data",
        var=run_dir / "var",
        spool=run_dir / "spool",
        run=run_dir / "run",
        log=run_dir / "log",
        sbin=run_dir / "sbin",
    )


def _lay_out(run_dir: Path, installation: Installation) -> None:
    """Make the folders; `data` is linked entry by entry, as absolute links lead nowhere in a root file system."""
    run_dir.mkdir(parents=True, exist_ok=True)
    run_dir.chmod(0o700)
    for name in ("etc", "var/cache", "var/keys", "spool", "run", "log", "sbin", "recordings"):
        (run_dir / name).mkdir(parents=True, exist_ok=True)
    _write_canary(run_dir / "sbin" / "astcanary", installation)
    if installation.data_dir.is_relative_to(rootfs_dir()):  # ours: a machine's own files are its operator's
        soften_once(installation.data_dir / "moh")
    data = run_dir / "data"
    if data.exists():
        shutil.rmtree(data)
    (data / "sounds").mkdir(parents=True)
    for entry in installation.data_dir.iterdir():
        if entry.name != "sounds":
            (data / entry.name).symlink_to(entry)
    for language, folder in installation.sounds.items():
        (data / "sounds" / language).symlink_to(folder)


def _write_canary(path: Path, installation: Installation) -> None:
    """Asterisk's guard against runaway threads, started as Asterisk itself is: with the libraries it was built for.

    Asterisk gives up its real-time priority within two minutes when it cannot be started (`main/asterisk.c`,
    canary_thread).
    """
    *loader, asterisk = installation.command
    command = shlex.join([*loader, str(Path(asterisk).parent / "astcanary")])
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
