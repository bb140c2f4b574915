"""Agents: one SIPp phone each, and a voice that is a tone of its own, so that a caller knows whom they reached."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from deploy.demo import g711
from deploy.demo.sipp import HOST, Progress, Sipp, free_udp_port, phone_scenario
from deploy.demo.telephone import Telephone


def voice_hertz(agent: int) -> float:
    """The tone of agent-N's voice."""
    return 400.0 + 60.0 * agent


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How an agent works; `talk_seconds` None: never the first to hang up."""

    ring_seconds: float = 1.5
    talk_seconds: float | None = None


class Agent:
    """One agent at a phone. `contact` is where Asterisk calls it."""

    def __init__(self, number: int, habits: Habits, telephone: Telephone) -> None:
        self.number = number
        self.name = f"agent-{number}"
        self.telephone = telephone
        self.answered_calls = 0
        self.heard_last: g711.Pcm = g711.expand(b"")
        self.port = free_udp_port()
        self._habits = habits
        self._sipp: Sipp | None = None

    @classmethod
    async def open(cls, number: int, habits: Habits) -> Self:
        """The agent's ear and mouth; SIPp starts with `work`."""
        voice = g711.tone(voice_hertz(number), 1.0)
        return cls(number, habits, await Telephone.open(background=voice))

    @property
    def contact(self) -> str:
        return f"{HOST}:{self.port}"

    async def work(self) -> None:
        """Take calls until cancelled."""
        scenario = phone_scenario(
            ring_seconds=self._habits.ring_seconds,
            talk_seconds=self._habits.talk_seconds,
            media_port=self.telephone.port,
        )
        try:
            while True:  # a call that goes astray ends SIPp; the agent takes another telephone
                self._sipp = await Sipp.start(scenario, self.port)
                async for said in self._sipp.progress():
                    self._note(said.progress)
                await self._sipp.stop()
                await asyncio.sleep(0.2)
        finally:
            if self._sipp is not None:
                await self._sipp.stop()
            self.telephone.close()

    def _note(self, progress: Progress) -> None:
        if progress is Progress.ANSWERED:
            self.answered_calls += 1
        elif progress in (Progress.ENDED, Progress.HUNG_UP):
            self.heard_last = self.telephone.heard
            self.telephone.forget()
