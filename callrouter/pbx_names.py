"""Names that queues, agents and telephones can have at the PBX. Needs the standard library only: so does rendering."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,78}")
TAKEN: Final = frozenset(
    {
        "general",
        "line",
        "team",
        "global",
        "system",
        "udp",
        "tcp",
        "tls",
        "carrier",
        "carrier-in",
        "carrier-out",
        "trunk",
        "softphone",
        "phone",
        "phone-auth",
        "phone-aor",
        "ami",
        "ami-admin",
    }
)
"""Sections that queues.conf and pjsip.conf have already, and names of other secrets in the file of secrets."""


_OF_TRUNK: Final = re.compile(r"PJSIP/(trunk(?:-[A-Za-z0-9_.-]+)?)-[0-9a-f]{8}", re.ASCII)


def trunk_of(channel: str) -> str:
    """The carrier's endpoint that a channel of that name is of (deploy/asterisk/pbx_carriers.py); empty: of none."""
    found = _OF_TRUNK.fullmatch(channel)
    return found[1] if found else ""


def wrong_name(name: str) -> str:
    """Why a name cannot stand in Asterisk's files, whoever wrote it; empty when it can."""
    if not _NAME.fullmatch(name):
        return "the PBX knows names of 2 to 79 letters, digits, _ . - only, and the first is a letter or a digit"
    if name.startswith("trunk-"):
        return "names that begin with trunk- are those of carriers at the PBX"
    if name in TAKEN:
        return f"the PBX has this name for something else, as it has {', '.join(sorted(TAKEN - {name}))}"
    return ""
