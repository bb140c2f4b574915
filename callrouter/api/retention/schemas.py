"""What /api/retention answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from callrouter.api.schemas.base import Instant, Out
from callrouter.core.retention.rule import Kind
from callrouter.store.retention.history import PastRun
from callrouter.store.retention.running import Planned


class PlannedOut(Out):
    """What would go of a client and kind."""

    client: str
    kind: Kind
    days: int = Field(description="For which it is kept")
    before: Instant = Field(description="What began earlier goes")
    many: int
    counts_from: Instant | None = Field(description="When the rule counts; null: it does")

    @classmethod
    def of(cls, one: Planned) -> PlannedOut:
        """As it is known."""
        return cls(
            client=one.client,
            kind=one.kind,
            days=one.days,
            before=one.before_at,
            many=one.many,
            counts_from=one.counts_at,
        )


class PlanOut(Out):
    """What would go."""

    planned: list[PlannedOut]


class RunOut(Out):
    """A run that was."""

    run_id: int
    began_at: Instant
    ended_at: Instant | None = Field(description="Null: it goes on, or was killed")
    asked_by: str
    deleted: dict[str, int] = Field(description="How many, by kind")
    held_back: int = Field(description="Of which somebody waits for something")
    seconds: float = Field(description="Of work, without rests")
    error: str
    rows: dict[str, int] = Field(description="How many, by table")
    clients: dict[str, Any] = Field(description="By client and kind: how many, and up to when")

    @classmethod
    def of(cls, one: PastRun) -> RunOut:
        """As it was put down."""
        return cls(
            run_id=one.run_id,
            began_at=one.began_at,
            ended_at=one.ended_at,
            asked_by=one.asked_by,
            deleted={kind.value: many for kind, many in one.deleted.items()},
            held_back=one.held_back,
            seconds=one.seconds,
            error=one.error,
            rows=dict(one.rows),
            clients=dict(one.clients),
        )


class RunsOut(Out):
    """Runs, the newest first."""

    runs: list[RunOut]
