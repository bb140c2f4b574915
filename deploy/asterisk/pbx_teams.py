"""The teams of a folder of clients' files (shared/queues.yaml, shared/agents.yaml), as Asterisk's queues.

The YAML is understood by callrouter alone: `callrouter teams` says it as JSON, here or on another machine.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.asterisk.pbx_install import CHECKOUT, PbxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STRATEGIES = frozenset({"ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "linear"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,78}")
_TAKEN = frozenset(
    {
        "general",
        "team",
        "global",
        "system",
        "udp",
        "trunk",
        "trunk-out",
        "softphone",
        "phone",
        "phone-auth",
        "phone-aor",
    }
)
"""Sections that queues.conf and pjsip.conf have already."""
_CALLROUTER_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Member:
    """An agent's place in a team, and the telephone they are rung at."""

    agent: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team's line; what is None is as in queues.conf's template. Seconds are whole, as app_queue's are."""

    name: str
    members: tuple[Member, ...]
    strategy: str | None = None
    ring_seconds: int | None = None
    retry_seconds: int | None = None
    max_callers: int | None = None

    def section(self) -> str:
        """Its section of queues.conf.

        How long agents are left alone after a call stands with the call (extensions.conf, callrouter-wrap-up): a client
        may say otherwise than its team, and app_queue knows teams only.
        """
        settings = {
            "strategy": self.strategy,
            "timeout": self.ring_seconds,
            "retry": self.retry_seconds,
            "maxlen": self.max_callers,
        }
        template = "line" if self.strategy else "team"
        lines = [f"{key} = {value}" for key, value in settings.items() if value is not None]
        lines += [f"member => PJSIP/{m.phone},0,{m.agent},PJSIP/{m.phone}" for m in self.members]
        return "\n".join([f"[{self.name}]({template})", *lines])


@dataclass(frozen=True, kw_only=True)
class Teams:
    """What a folder says about teams, and every telephone of its agents."""

    teams: tuple[Team, ...] = ()
    phones: tuple[str, ...] = ()


def teams_of_folder(folder: Path) -> Teams:
    """The teams of a folder of clients' files.

    Raises PbxError when callrouter is not installed here, or refuses what the folder says.
    """
    program = _callrouter()
    if program is None:
        raise PbxError(
            f"callrouter, which reads {folder}, is not installed here: run `callrouter teams {folder} --out FILE` "
            "where it is, and give that file with --teams"
        )
    done = subprocess.run(
        [program, "teams", str(folder)], capture_output=True, text=True, check=False, timeout=_CALLROUTER_SECONDS
    )
    if done.returncode != 0:
        raise PbxError(f"the teams of {folder} cannot be used:\n{done.stderr.strip()}")
    return _teams(done.stdout, str(folder))


def teams_of_file(path: Path) -> Teams:
    """What `callrouter teams` has written. Raises PbxError when it is something else."""
    try:
        return _teams(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise PbxError(
            f"{path} cannot be read ({error.strerror}): `callrouter teams --out {path}` writes it"
        ) from error


def teams_of_members(members: Mapping[str, Sequence[str]]) -> Teams:
    """Teams with the template's settings; each agent's telephone has the agent's name."""
    teams = {name: tuple(Member(agent=agent, phone=agent) for agent in agents) for name, agents in members.items()}
    return Teams(teams=tuple(Team(name=_name(name), members=found) for name, found in teams.items()))


def _callrouter() -> str | None:
    """Beside this interpreter, in the checkout's own environment, or installed."""
    for place in (Path(sys.executable).with_name("callrouter"), CHECKOUT / ".venv" / "bin" / "callrouter"):
        if place.is_file():
            return str(place)
    return shutil.which("callrouter")


def _teams(text: str, source: str) -> Teams:
    try:
        found = json.loads(text)
        return Teams(teams=tuple(map(_team, found["teams"])), phones=tuple(map(_name, found["phones"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PbxError(f"{source}: this is not what `callrouter teams` writes ({error!r})") from error


def _team(found: dict[str, Any]) -> Team:
    if found["strategy"] not in STRATEGIES:
        raise PbxError(f"queue {found['name']!r}: strategy {found['strategy']!r} is not one of Asterisk's")
    return Team(
        name=_name(found["name"]),
        strategy=found["strategy"],
        ring_seconds=_whole(found["ring_seconds"], at_least=1),
        # A pause of 0 is one of 5 s to app_queue.
        retry_seconds=_whole(found["retry_seconds"], at_least=1),
        max_callers=_whole(found["max_callers"], at_least=0),
        members=tuple(Member(agent=_name(one["agent"]), phone=_name(one["phone"])) for one in found["members"]),
    )


def _whole(value: float, *, at_least: int) -> int:
    return max(at_least, math.ceil(value))


def _name(name: str) -> str:
    """A name that can stand in Asterisk's files as it is, whoever wrote it."""
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise PbxError(
            f"{name!r} cannot be the name of a queue, an agent or a telephone at the PBX: write two or more letters, "
            f"digits, _ . -, and none of {', '.join(sorted(_TAKEN))}"
        )
    return name
