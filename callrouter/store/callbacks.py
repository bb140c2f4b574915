"""Callers' wishes to be called back, read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from callrouter.core.agents.preference import team_of
from callrouter.outgoing.order import FAR
from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.paging import equal, page, within
from callrouter.store.tables import callbacks, legs, messages, outgoing_calls


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRow:
    """A call that was placed for a callback."""

    outgoing_id: str
    queue: str
    """The team's, also of a call that waited in one derived from it."""
    shown: str
    """The number that the caller saw, E.164; empty: none."""
    turn_at: datetime
    placed_at: datetime
    rung_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    agent: str | None
    outcome: str | None
    """None while it is under way."""
    hangup_cause: int | None
    trunk: str | None
    """By which carrier the caller was rung, as the PBX calls it; None: nobody was, or it is not known."""
    tech_cause: str | None
    """What the network answered where they were not reached: a SIP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message that the caller left in the call in which they asked: their own words."""

    recording: str
    node: str
    deliver: str
    """The contact it is meant for; empty: none is named."""
    started_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCallback:
    """A wish to be called back, whose it is, and where it stands."""

    call_id: str
    position: int
    """1 for the first wish of the call."""
    client: str
    number: str
    """E.164."""
    node: str
    asked_at: datetime
    state: str
    """`open`, `done` or `given_up`."""
    settled_at: datetime | None = None
    settled_by: str | None = None
    """What settled it (`outgoing.order.Settlement`); None while it is open, and where only `state` was set."""
    calls: tuple[PlacedRow, ...] = ()
    """Calls that were placed for it, in order."""
    said: tuple[Said, ...] = ()
    """Messages of the same call, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPage:
    """Wishes, the newest first, and where the next page begins (None: there is none)."""

    callbacks: list[StoredCallback]
    next_cursor: str | None


async def list_callbacks(
    database: Database,
    *,
    client: str | None = None,
    state: str | None = None,
    scope: Scope = EVERYTHING,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> CallbackPage:
    """Wishes by when they were made (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = callbacks.c
    rows, next_cursor = await page(
        database,
        callbacks,
        (columns.asked_at, columns.call_id, columns.position),
        client=client,
        filters=[*equal(callbacks, state=state), *within(callbacks, scope)],
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    call_ids = [row["call_id"] for row in rows]
    placed = await _placed(database, call_ids) if rows else {}
    said = await _said(database, call_ids) if rows else {}
    found = [
        StoredCallback(
            **row,
            calls=tuple(placed.get((row["call_id"], row["position"]), ())),
            said=tuple(said.get(row["call_id"], ())),
        )
        for row in rows
    ]
    return CallbackPage(callbacks=found, next_cursor=next_cursor)


async def _placed(database: Database, call_ids: list[str]) -> dict[tuple[str, int], list[PlacedRow]]:
    """By wish."""
    placed = outgoing_calls.c
    query = (
        select(outgoing_calls, legs.c.trunk, legs.c.tech_cause)
        .join(legs, legs.c.leg_id == placed.outgoing_id + FAR, isouter=True)
        .where(placed.call_id.in_(call_ids))
        .order_by(placed.placed_at)
    )
    found: dict[tuple[str, int], list[PlacedRow]] = {}
    async with database.connection() as connection:
        for row in (await connection.execute(query)).mappings():
            values = {name: row[name] for name in PlacedRow.__dataclass_fields__} | {"queue": team_of(row["queue"])}
            found.setdefault((row["call_id"], row["position"]), []).append(PlacedRow(**values))
    return found


async def _said(database: Database, call_ids: list[str]) -> dict[str, list[Said]]:
    """Messages by voice, by call."""
    spoken = messages.c.call_id.in_(call_ids), messages.c.recording != ""
    query = select(messages).where(*spoken).order_by(messages.c.position)
    found: dict[str, list[Said]] = {}
    async with database.connection() as connection:
        for row in (await connection.execute(query)).mappings():
            said = Said(**{name: row[name] for name in Said.__dataclass_fields__})
            found.setdefault(row["call_id"], []).append(said)
    return found
