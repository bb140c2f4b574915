"""Callers whom agents give away: what Asterisk's dialplan says of it, and how a colleague's telephone is rung. Pure.

A blind transfer, by REFER or by a feature code, leads the caller to callrouter-transfer of extensions.conf
(TRANSFER_CONTEXT), out of the routine in which they talked; that routine then ends with
`CR_RESULT` = `TRANSFER:<target>`, or `TRANSFER:!<target>` where the telephone named another PBX's address.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import structs

from callrouter.asterisk import briefing, commands
from callrouter.core.effects import Dial
from callrouter.core.inputs import Transferred
from callrouter.core.transfers.targets import COLLEAGUE, MAX_TARGET, TEAM, named_kind
from callrouter.errors import EncodingError
from callrouter.runtime.ports import Directory

GIVEN_AWAY: Final = "TRANSFER:"
_FOREIGN: Final = "!"


def transferred(status: str, step: int, at: datetime) -> Transferred:
    """What the end of a routine says whose caller was given away."""
    target = status.removeprefix(GIVEN_AWAY)
    foreign = target.startswith(_FOREIGN)
    return Transferred(step=step, target=target.removeprefix(_FOREIGN)[:MAX_TARGET], foreign=foreign, at=at)


def resolved(told: Transferred, directory: Directory) -> Transferred:
    """The same with what its target means among agents and teams."""
    kind, name = named_kind(told.target)
    colleague = directory.colleague(name) if kind in ("", COLLEAGUE) else ""
    team = directory.team(name) if kind in ("", TEAM) else ""
    away = bool(colleague) and not directory.phone(colleague)
    return structs.replace(told, colleague=colleague, team=team, away=away)


def variables(effect: Dial, directory: Directory, whispered: Sequence[str]) -> list[tuple[str, str]]:
    """What callrouter-colleague rings an agent by.

    Raises:
        EncodingError: they are logged in nowhere.
    """
    phone = directory.phone(effect.agent)
    if not phone:
        raise EncodingError(f"agent {effect.agent} is not logged in")
    found = [
        ("__CR_COLLEAGUE", commands.opaque_id(phone)),
        ("__CR_RING", str(max(1, math.ceil(effect.ring_seconds)))),
        ("__CR_WHISPER", "&".join(whispered)),
        ("__CR_LINE", commands.opaque_id(queue) if (queue := directory.queue_of(effect.agent)) else ""),
    ]
    if effect.briefing is not None:
        found.append((briefing.VARIABLE, briefing.offer(effect.briefing, effect.screen)))
    return found
