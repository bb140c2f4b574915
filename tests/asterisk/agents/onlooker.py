"""What Asterisk itself says of conversations and pauses, in a manager session of the test's own."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Pbx

NAME: Final = "onlooker"
SECRET: Final = "looks-on"
MANAGER: Final = f"""
[{NAME}]
secret = {SECRET}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
read = call,agent
write =
writetimeout = 5000
"""
"""For the PBX's manager.conf."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """An agent's and a caller's: instants are Asterisk's own, in seconds since 1970."""

    agent: str
    connected_at: float
    ended_at: float
    """Their channel left the bridge; where it never was in one, it ended."""
    paused_at: float | None
    """The first pause with the reason `wrap_up` since they were connected."""
    resumed_at: float | None
    """When that was over; None: not yet."""

    @property
    def pause_seconds(self) -> float:
        """From the end to the pause; endless without one."""
        return float("inf") if self.paused_at is None else self.paused_at - self.ended_at


@dataclass
class Onlooker:
    """All that was seen, in Asterisk's order."""

    connected: list[tuple[float, str, str]] = field(default_factory=list)
    """Instant, agent, and the unique id of their channel."""
    left: dict[str, float] = field(default_factory=dict)
    """The last time that a channel left a bridge."""
    gone: dict[str, float] = field(default_factory=dict)
    pauses: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """Of each agent: instant, and the reason, empty at the end of a pause."""
    offers: dict[str, list[float]] = field(default_factory=dict)
    """When app_queue began to ring each agent's telephone."""

    def take(self, event: dict[str, str]) -> None:
        """One event."""
        at = float(event.get("Timestamp", "0"))
        match event.get("Event"):
            case "AgentConnect":
                self.connected.append((at, event["MemberName"], event["DestUniqueid"]))
            case "BridgeLeave":
                self.left[event["Uniqueid"]] = at
            case "Hangup":
                self.gone[event["Uniqueid"]] = at
            case "QueueMemberPause":
                reason = event["PausedReason"] if event["Paused"] == "1" else ""
                self.pauses.setdefault(event["MemberName"], []).append((at, reason))
            case "AgentCalled":
                self.offers.setdefault(event["MemberName"], []).append(at)
            case _:
                pass

    @property
    def ends(self) -> int:
        """Conversations whose agent's channel has ended."""
        return sum(1 for _, _, channel in self.connected if channel in self.gone)

    def conversations(self) -> list[Conversation]:
        """Those that have ended."""
        return [
            self._conversation(at, agent, self.left.get(channel, self.gone[channel]))
            for at, agent, channel in self.connected
            if channel in self.gone
        ]

    def _conversation(self, connected_at: float, agent: str, ended_at: float) -> Conversation:
        pauses = self.pauses.get(agent, [])
        after = pauses[bisect.bisect(pauses, (connected_at, "")) :]
        paused_at = next((at for at, reason in after if reason == "wrap_up"), None)
        resumed_at = next((at for at, reason in after if paused_at is not None and at > paused_at and not reason), None)
        return Conversation(
            agent=agent, connected_at=connected_at, ended_at=ended_at, paused_at=paused_at, resumed_at=resumed_at
        )


@asynccontextmanager
async def looking_on(pbx: Pbx) -> AsyncIterator[Onlooker]:
    """Look on at a PBX whose manager.conf has `MANAGER`."""
    reader, writer = await asyncio.open_connection(pbx.ami_host, pbx.ami_port, limit=1 << 20)
    writer.write(f"Action: Login\r\nUsername: {NAME}\r\nSecret: {SECRET}\r\n\r\n".encode())
    await reader.readline()
    assert b"Success" in await reader.readuntil(b"\r\n\r\n")
    seen = Onlooker()
    tasks = Tasks()
    reading = tasks.start(_read(reader, seen), "onlooker")
    try:
        yield seen
        assert not reading.done(), "the session was lost: not everything was seen"
    finally:
        await tasks.stop()
        writer.close()


async def _read(reader: asyncio.StreamReader, seen: Onlooker) -> None:
    while True:
        block = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.take(dict(line.split(": ", 1) for line in block.splitlines() if ": " in line))
