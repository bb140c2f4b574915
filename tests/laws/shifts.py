"""The team's day, by the API: log-ins at the beginning, pauses and absences at random, log-outs in the end."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Final

import httpx

from deploy.demo.stack import Engine
from tests.laws.notes import Move, Notes
from tests.laws.town import AGENTS

REASONS: Final = ("lunch", "training")


class Shifts:
    """See the module."""

    def __init__(self, engine: Engine, notes: Notes, seed: int) -> None:
        self._engine = engine
        self._notes = notes
        self._chance = random.Random(f"{seed}:shifts")

    async def begin(self) -> None:
        """Everybody logs in."""
        for agent in AGENTS:
            await self._move(agent, "log-in")

    async def end(self) -> None:
        """Everybody logs out."""
        for agent in AGENTS:
            await self._move(agent, "log-out")

    async def go_on(self, enough: asyncio.Event) -> None:
        """One after the other is away for some seconds, until it is enough: whoever leaves is back."""
        while not enough.is_set():
            await asyncio.sleep(self._chance.uniform(0.5, 3))
            agent, away = self._chance.choice(AGENTS), self._chance.uniform(1, 5)
            leaves = self._chance.random() < 0.25
            reason = self._chance.choice(REASONS)
            await self._move(agent, "log-out" if leaves else "pause", "" if leaves else reason)
            await asyncio.sleep(away)
            await self._move(agent, "log-in" if leaves else "ready")

    async def _move(self, agent: str, wish: str, reason: str = "") -> None:
        move = Move(agent=agent, wish=wish, reason=reason, asked_at=time.time())
        query = {"reason": reason} if reason else {}
        headers = {"Authorization": f"Bearer {self._engine.token}"}
        async with httpx.AsyncClient(timeout=10, headers=headers) as client:
            answer = await client.post(f"{self._engine.web_url}/api/agents/{agent}/{wish}", params=query)
        move.answered_at, move.status = time.time(), answer.status_code
        self._notes.moves.append(move)
