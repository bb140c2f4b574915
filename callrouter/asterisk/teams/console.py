"""Asterisk's console at its local socket, as `asterisk -rx` uses it: reloads, and how queues and telephones stand.

Asterisk greets with a line (host, process, version), takes `cli quit after COMMAND` and a zero byte, answers and
closes (asterisk.c, ast_remotecontrol, netconsole). Whoever can open it owns the PBX: so it is used on its own host
only, and only by what stands here. Measured with 22.10: 0.3 ms a question, 6 ms a reload.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from callrouter.asterisk.teams.folder import EXTENSIONS, PHONES, QUEUES, RULES
from callrouter.errors import ConsoleAway, PbxUnitError

RELOADS: Final[Mapping[str, str]] = {
    # In this order: a member of a queue is a telephone that has to be there.
    PHONES: "module reload res_pjsip.so",
    EXTENSIONS: "dialplan reload",
    RULES: "queue reload rules",
    QUEUES: "queue reload all",
}
"""By included file, what has a running Asterisk read it again."""
_TIMEOUT_SECONDS: Final = 5.0
_QUEUE = re.compile(r"^([A-Za-z0-9_.-]+) has (\d+) calls \(max ", re.MULTILINE)
_ENDPOINT = re.compile(r"^ Endpoint:  ([A-Za-z0-9_.-]+)(?:/\S*)? ", re.MULTILINE)


class Console:
    """Talks to one Asterisk.

    Args:
        etc: its configuration folder, whose asterisk.conf says where the socket is.
    """

    def __init__(self, etc: Path) -> None:
        self._etc = etc

    def reload(self, file: str) -> None:
        """Have Asterisk read an included file again.

        Raises:
            ConsoleAway: Asterisk does not answer.
        """
        self._ask(RELOADS[file])

    def waiting(self) -> dict[str, int]:
        """Callers that wait, by queue; every queue there is.

        Raises:
            ConsoleAway: Asterisk does not answer.
        """
        return {name: int(callers) for name, callers in _QUEUE.findall(self._ask("queue show"))}

    def phones(self) -> set[str]:
        """Every telephone, and whatever else is an endpoint.

        Raises:
            ConsoleAway: Asterisk does not answer.
        """
        return set(_ENDPOINT.findall(self._ask("pjsip list endpoints")))

    def _ask(self, command: str) -> str:
        path = _socket_of(self._etc)
        try:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(_TIMEOUT_SECONDS)
                peer.connect(str(path))
                greeting = b""
                while not greeting.endswith(b"\n"):
                    greeting += _more(peer)
                peer.sendall(f"cli quit after {command}\0".encode())
                answer = b""
                while some := peer.recv(65536):
                    answer += some
        except OSError as error:
            raise ConsoleAway(
                f"Asterisk does not answer at {path} ({str(error) or type(error).__name__}): check that it runs, and "
                "that this is its user or group"
            ) from error
        return answer.decode(errors="replace")


def _more(peer: socket.socket) -> bytes:
    some = peer.recv(4096)
    if not some:
        raise ConnectionError("it closed the connection")
    return some


def _socket_of(etc: Path) -> Path:
    """Where asterisk.conf puts it (`astrundir`, `astctl`)."""
    try:
        text = (etc / "asterisk.conf").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise PbxUnitError(
            f"{etc / 'asterisk.conf'} cannot be read ({error.strerror}): CALLROUTER_PBX_DIR names Asterisk's "
            "configuration folder"
        ) from error
    found = dict(re.findall(r"^\s*(astrundir|astctl)\s*=>?\s*(\S+)", text, re.MULTILINE))
    return Path(found.get("astrundir", "/var/run/asterisk"), found.get("astctl", "asterisk.ctl"))
