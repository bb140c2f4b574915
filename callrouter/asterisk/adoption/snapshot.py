"""All channels of a PBX at one moment, as one `Status` tells: which are callers', and where each is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from callrouter.asterisk import notes
from callrouter.asterisk.asyncagi import AgiEnv
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.asterisk.notes import variables_of

_AGI: Final = "AGI"
"""The application of a channel in AsyncAGI that carries out no command. (`Context` says nothing: it is that of the last
step that was told, and a routine that has returned tells none.)"""
_RUNS: Final = frozenset({"Read", "Playback"})
"""What AsyncAGI runs for us besides routines."""
_LEASE: Final = "TIMEOUT(absolute)"
_PRESENTATION: Final = "CALLERID(pres)"
_FORWARDER: Final = "REDIRECTING(from-num)"
VARIABLES: Final = ",".join(
    (
        *("CR_CALL", "CR_DID", "CR_STATE", "CR_LOST", "CR_RAN", "CR_RESULT", "QUEUE_PRIO"),
        *(_LEASE, _PRESENTATION, _FORWARDER, notes.VARIABLES),
    )
)
"""What `Status` is asked for; of a caller's own words it brings no more than any event does."""
LONGEST_VALUE: Final = 511
"""Characters of a variable that Status tells (manager.c, generate_status); Getvar tells 1,023."""
_UNKNOWN: Final = "<unknown>"
"""A number or a name that there is not (manager_channels.c)."""
_PRESENTATIONS: Final = {"a": 0x00, "prohib_failed_screen": 0x22, "p": 0x20}
"""`CALLERID(pres)`, or its first letter, as AsyncAGI's number (callerid.c, pres_types)."""
_UNAVAILABLE: Final = 0x43


@dataclass(frozen=True, slots=True)
class Found:
    """A caller's channel as Asterisk has it."""

    channel: AmiMessage
    values: dict[str, str]

    @property
    def is_cut(self) -> bool:
        """Whether its state is longer than `Status` tells."""
        return len(self.values["CR_STATE"]) >= LONGEST_VALUE

    @property
    def call_id(self) -> str:
        return self.values["CR_CALL"]

    @property
    def in_agi(self) -> bool:
        """Whether AsyncAGI has it, and no routine runs."""
        return self.runs or self.channel["Application"] == _AGI

    @property
    def runs(self) -> bool:
        """Whether a command runs there."""
        return self.channel["Application"] in _RUNS

    @property
    def waits(self) -> bool:
        """Whether it rang, and no engine has taken it."""
        return self.values["CR_LOST"] == "new" and self.channel["Application"] == _AGI

    @property
    def after_routine(self) -> bool:
        """Whether a routine is over, or never ran: in one there is no lease, and before one a long one."""
        lease = self.lease_seconds
        return self.channel["Application"] == _AGI and lease is not None and lease <= AFTER_ROUTINE_LEASE_SECONDS + 1

    def over_at(self, now: datetime) -> datetime | None:
        """When the routine ended that runs no more: its lease began then. None where none has ended."""
        left = self.lease_seconds
        if not self.after_routine or left is None:
            return None
        return now - timedelta(seconds=max(0.0, AFTER_ROUTINE_LEASE_SECONDS - left))

    @property
    def given_away(self) -> bool:
        """Whether whoever the caller talked to has given them to somebody else."""
        return self.values["CR_RESULT"].startswith("TRANSFER:")

    @property
    def priority(self) -> int:
        """With which it joined the last queue."""
        written = self.values["QUEUE_PRIO"]
        return int(written) if written.isascii() and written.isdecimal() else 0

    @property
    def lease_seconds(self) -> float | None:
        """What is left of its lease; None when none runs."""
        try:
            return float(self.values[_LEASE]) or None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that Asterisk has at one moment."""

    callers: Sequence[Found]
    channels: Mapping[str, AmiMessage]
    """All, by Uniqueid."""
    bridges: Mapping[str, Sequence[str]]
    """By bridge, the Uniqueids of who is in it."""

    def peer(self, channel: AmiMessage) -> str:
        """Uniqueid of whoever the channel talks to; "" when nobody is there, or several are."""
        others = [one for one in self.bridges.get(channel["BridgeID"], ()) if one != channel["Uniqueid"]]
        return others[0] if len(others) == 1 else ""

    def found(self, uniqueid: str) -> Found | None:
        """A caller's channel, whatever it says of itself; None when it is gone."""
        channel = self.channels.get(uniqueid)
        return None if channel is None else Found(channel, variables_of(channel))


def read_snapshot(answer: Sequence[AmiMessage]) -> Snapshot:
    """The answer to Status with `VARIABLES`."""
    callers: list[Found] = []
    bridges: dict[str, list[str]] = {}
    channels = [one for one in answer if one["Event"] == "Status"]
    for channel in channels:
        if bridge := channel["BridgeID"]:
            bridges.setdefault(bridge, []).append(channel["Uniqueid"])
        values = variables_of(channel)
        # Channels that were rung for a caller inherit the call, and not the number dialled.
        if values.get("CR_CALL") and values.get("CR_DID"):
            callers.append(Found(channel, values))
    return Snapshot(callers, {channel["Uniqueid"]: channel for channel in channels}, bridges)


def env_of(found: Found) -> AgiEnv:
    """The environment of a channel whose AsyncAGIStart nobody heard."""
    channel, shown = found.channel, found.values[_PRESENTATION]
    code = _PRESENTATIONS.get(shown, _PRESENTATIONS.get(shown[:1], _UNAVAILABLE))
    return AgiEnv(
        channel=channel["Channel"],
        uniqueid=channel["Uniqueid"],
        language=channel["Language"],
        caller_number=_known(channel["CallerIDNum"]),
        caller_name=_known(channel["CallerIDName"]),
        presentation=code,
        dnid=None,
        rdnis=found.values[_FORWARDER] or None,
        context=channel["Context"],
        extension=found.values["CR_DID"],
        arguments=(found.call_id,),
        complete=True,
    )


def _known(value: str) -> str | None:
    return None if value in ("", _UNKNOWN) else value
