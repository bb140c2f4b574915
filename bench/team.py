"""A team at work: how soon an agent who is free is offered the next caller, and what that costs."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from bench.callers import CALLERS_PRIORITY, HOST, Callers, Sink
from bench.cpu import cpu_seconds
from bench.figures import percentile
from bench.report import Section, Table, at_least, at_most, exactly
from bench.stand import Stand, stand
from deploy.demo.sipp import phone_scenario

AGENTS: Final = 30
QUEUES: Final = 20
WAITING: Final = 300
RATE: Final = 20.0
"""Calls a second: what the agents serve, for who is served makes room for the next caller."""
TALK_SECONDS: Final = 0.9
RING_SECONDS: Final = 0.05
TEAMS_OF_AN_AGENT: Final = 4
OFFER_P50_SECONDS, OFFER_P99_SECONDS = 0.6, 1.3
ENGINE_SHARE: Final = 30.0
USER, SECRET = "bench", "bench"
ABOUT = f"""\
{AGENTS} agents, each in {TEAMS_OF_AN_AGENT} of {QUEUES} teams, {WAITING} callers who wait, one client a team.
An agent's telephone rings {RING_SECONDS:g} s, they talk for {TALK_SECONDS:g} s and hang up; whoever is served makes
room for the next caller. *Offered* is from the end of an agent's conversation (Hangup of their channel) to their next
AgentCalled, both by Asterisk's own clock. app_queue looks at a waiting call once a second."""


@dataclass
class Watched:
    """What Asterisk said of the agents' telephones, in seconds of its own clock."""

    offered_after: list[float] = field(default_factory=list)
    offers: Counter[str] = field(default_factory=Counter)
    """By agent."""
    _free_since: dict[str, float] = field(default_factory=dict)

    def hear(self, event: dict[str, str]) -> None:
        """One event of AMI."""
        name, at = event.get("Event"), float(event.get("Timestamp", "0"))
        if name == "Hangup" and (agent := _agent_of(event.get("Channel", ""))):
            self._free_since[agent] = at
        elif name == "AgentCalled" and (agent := _agent_of(event.get("Interface", ""))):
            self.offers[agent] += 1
            since = self._free_since.pop(agent, None)
            if since is not None:
                self.offered_after.append(at - since)


def _agent_of(channel: str) -> str:
    found = re.match(r"PJSIP/(agent-\d+)(-[0-9a-f]+)?$", channel)
    return found[1] if found else ""


def bench(seconds: float) -> Section:
    """Work for so many seconds."""
    phones = _Phones()
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        dids = _write_clients(Path(place))
        with (
            stand(
                Path(place),
                contacts={f"agent-{number}": phones.contact for number in range(1, AGENTS + 1)},
                queue_members=_members(),
                extra_conf={"manager": f"[{USER}]\nsecret = {SECRET}\nread = call,agent\nwrite = reporting\n"},
            ) as found,
            phones,
        ):
            return _work(found, dids, seconds)


def _work(found: Stand, dids: list[str], seconds: float) -> Section:
    engine = found.engine()
    with _listening(found) as watched:
        callers = found.callers(
            dids[0], calls=10**6, rate=4 * RATE, dids=dids, at_once=WAITING + AGENTS, hold_seconds=None
        )
        deadline = time.monotonic() + 120
        while callers.live() < WAITING + AGENTS - 5 and time.monotonic() < deadline:
            time.sleep(0.2)
        watched.offered_after.clear()
        offered = watched.offers.total()
        began, used, asterisk = time.perf_counter(), engine.cpu_seconds(), cpu_seconds(found.pbx.pid)
        fewest = _watch(callers, seconds)
        took = time.perf_counter() - began
        shares = [100 * (engine.cpu_seconds() - used) / took, 100 * (cpu_seconds(found.pbx.pid) - asterisk) / took]
        rate, times = (watched.offers.total() - offered) / took, list(watched.offered_after)
        callers.enough()
        placed = callers.finish()
    time.sleep(1)
    rows = engine.rows()
    engine.stop()
    return Section(
        title="A team at work",
        about=ABOUT,
        tables=[
            Table(
                columns=("", "found"),
                rows=[
                    ["seconds watched", f"{took:.0f}"],
                    ["offers a second", f"{rate:.1f}"],
                    ["callers who were there, fewest", f"{fewest}"],
                    [
                        "offered after an agent became free, s: p50 / p95 / p99 / most",
                        " / ".join(f"{percentile(times, share):.2f}" for share in (50, 95, 99, 100)),
                    ],
                    ["engine's CPU, % of a core", f"{shares[0]:.1f}"],
                    ["Asterisk's CPU, % of a core", f"{shares[1]:.0f}"],
                    ["callers", f"{placed.calls:,}"],
                    ["rows by disposition", ", ".join(f"{name} {count:,}" for name, count in sorted(rows.items()))],
                ],
            )
        ],
        checks=[
            at_most("offered after an agent became free, p50", percentile(times, 50), OFFER_P50_SECONDS, "s"),
            at_most("offered after an agent became free, p99", percentile(times, 99), OFFER_P99_SECONDS, "s"),
            at_least("offers a second", rate, RATE, ""),
            at_least("callers who were there, fewest", fewest, WAITING, "", 0),
            at_most("engine's CPU", shares[0], ENGINE_SHARE, "% of a core", 1),
            exactly("callers not served", placed.failed, 0),
            exactly("rows, one a caller", sum(rows.values()), placed.calls),
        ],
    )


def _watch(callers: Callers, seconds: float) -> int:
    """The fewest callers who were there."""
    fewest = callers.live()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(min(1.0, seconds / 5))
        fewest = min(fewest, callers.live())
    return fewest


def _write_clients(folder: Path) -> list[str]:
    """One client a team; their numbers."""
    (folder / "shared").mkdir()
    queues = "".join(f"  {name}: {{ members: [], ring: 15s }}\n" for name in _members())
    (folder / "shared" / "queues.yaml").write_text(f"queues:\n{queues}", encoding="utf-8")
    dids = []
    for number, team in enumerate(_members(), start=1):
        dids.append(f"01990002{number:02d}")
        (folder / f"client-{number}.yaml").write_text(
            f"client: client-{number}\nname: Client {number}\nnumbers: ['{dids[-1]}']\n"
            "timezone: Europe/Paris\nlanguage: en\nfallback: { node: bye }\nstart: answered\nnodes:\n"
            "  answered: { answer: { next: wait } }\n"
            f"  wait: {{ queue: {{ name: {team}, max_wait: 30m, overflow: bye }} }}\n"
            "  bye: { hangup: {} }\n",
            encoding="utf-8",
        )
    return dids


def _members() -> dict[str, list[str]]:
    """Each team's agents: everybody is in as many teams, and no two teams are the same."""
    teams: dict[str, list[str]] = {f"team-{number}": [] for number in range(1, QUEUES + 1)}
    names = list(teams)
    for agent in range(AGENTS):
        for place in range(TEAMS_OF_AN_AGENT):
            teams[names[(agent + place * (1 + agent % 3)) % QUEUES]].append(f"agent-{agent + 1}")
    return {name: sorted(set(agents)) for name, agents in teams.items()}


@contextlib.contextmanager
def _listening(found: Stand) -> Iterator[Watched]:
    """Read events of the agents' telephones, by a manager session of our own, until the end."""
    watched = Watched()
    connection = socket.create_connection((found.pbx.ami_host, found.pbx.ami_port), 10)
    connection.sendall(f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\n\r\n".encode())
    connection.settimeout(None)

    def read() -> None:
        event: dict[str, str] = {}
        with contextlib.suppress(OSError), connection.makefile(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line := line.rstrip():
                    key, _, value = line.partition(": ")
                    event[key] = value
                else:
                    watched.hear(event)
                    event = {}

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield watched
    finally:
        connection.shutdown(socket.SHUT_RDWR)
        reader.join(5)
        connection.close()


class _Phones:
    """All agents' telephones: one SIPp that answers whatever is called."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            self._port: int = probe.getsockname()[1]
        self._sink = Sink()
        self._folder = tempfile.TemporaryDirectory(prefix="callrouter-bench-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def contact(self) -> str:
        """Where they are rung."""
        return f"{HOST}:{self._port}"

    def __enter__(self) -> Self:
        scenario = phone_scenario(ring_seconds=RING_SECONDS, talk_seconds=TALK_SECONDS, media_port=self._sink.port)
        path = Path(self._folder.name) / "agents.xml"
        path.write_text(scenario, encoding="utf-8")
        self._process = subprocess.Popen(
            [
                "sipp",
                "-sf",
                str(path),
                "-i",
                HOST,
                "-p",
                str(self._port),
                "-nostdin",
                "-skip_rlimit",
                "-deadcall_wait",
                "0",
            ],
            cwd=self._folder.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(self._process.pid, os.SCHED_RR, os.sched_param(CALLERS_PRIORITY))
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._sink.close()
        self._folder.cleanup()
