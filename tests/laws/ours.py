"""What we say of a run: rows and figures, as the API gives them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import httpx

from deploy.demo.stack import Engine

Row = Mapping[str, Any]
AT_ONCE: Final = 4


@dataclass(frozen=True, kw_only=True)
class Ours:
    """All of it."""

    journeys: Sequence[Row]
    """Each call with all its details."""
    sessions: Sequence[Row]
    callbacks: Sequence[Row]
    stats: Sequence[Row]
    """Of the whole run, by client."""
    intervals: Sequence[tuple[float, float, Row]]
    """From, to, and /api/stats between."""
    figures: Mapping[str, float]
    gaps: Sequence[Row]


def instant(text: str | None) -> float:
    """Seconds since 1970; 0 for none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


async def read(engine: Engine, began_at: float, bounds: Sequence[float]) -> Ours:
    """Everything since `began_at`; figures for each interval between two bounds."""
    headers = {"Authorization": f"Bearer {engine.token}"}
    async with httpx.AsyncClient(timeout=30, headers=headers, base_url=engine.web_url) as client:
        calls = [row for row in await engine.calls() if instant(row["clocks"]["ringing_at"]) >= began_at]
        turns = asyncio.Semaphore(AT_ONCE)

        async def detail(call_id: str) -> Row:
            async with turns:
                answer = await client.get(f"/api/calls/{call_id}")
            row: Row = answer.raise_for_status().json()
            return row

        journeys = await asyncio.gather(*(detail(row["call_id"]) for row in calls))
        period = {"from": _iso(began_at), "to": _iso(time.time() + 60)}
        whole = (await client.get("/api/stats", params=period)).raise_for_status().json()
        intervals = []
        for start, end in pairwise(bounds):
            asked = {"from": _iso(start), "to": _iso(end)}
            intervals.append((start, end, (await client.get("/api/stats", params=asked)).raise_for_status().json()))
        sessions = [row async for row in _pages(client, "/api/agents/sessions", "sessions", period)]
        callbacks = [row async for row in _pages(client, "/api/callbacks", "callbacks", {})]
    return Ours(
        journeys=journeys,
        sessions=sessions,
        callbacks=callbacks,
        stats=whole["clients"],
        intervals=intervals,
        figures=await engine.figures(),
        gaps=whole["gaps"],
    )


async def _pages(client: httpx.AsyncClient, path: str, name: str, query: Mapping[str, str]) -> Any:
    cursor: str | None = None
    while True:
        asked = {**query, "limit": "500", **({"cursor": cursor} if cursor else {})}
        page = (await client.get(path, params=asked)).raise_for_status().json()
        for row in page[name]:
            yield row
        cursor = page["next_cursor"]
        if cursor is None:
            return


def attempts(callbacks: Sequence[Row]) -> Iterator[Row]:
    """Calls placed for callbacks."""
    for wish in callbacks:
        yield from wish["calls"]
