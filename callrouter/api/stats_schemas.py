"""What /api/stats answers. Shares are 0 to 1, and null where there was no call to share."""

from __future__ import annotations

from typing import Annotated

from msgspec.structs import asdict
from pydantic import Field

from callrouter.api.schemas import Instant, Out, Seconds
from callrouter.core.call import Disposition
from callrouter.core.service_level import Formula
from callrouter.store.stats import ClientStats, Stats

Count = Annotated[int, Field(ge=0, examples=[12])]
Share = Annotated[float | None, Field(ge=0, le=1, examples=[0.819])]
MaybeSeconds = Annotated[float | None, Field(ge=0, examples=[7.4])]


class TargetOut(Out):
    """What the client was promised, and how it is measured."""

    within_seconds: Seconds
    target: float = Field(ge=0, le=1, examples=[0.8])
    short_abandon_seconds: Seconds
    formula: Formula = Field(examples=[Formula.SHORT_ABANDON_EXCLUDED])


class ClientStatsOut(Out):
    """One client's figures."""

    client: str = Field(examples=["cabinet-moreau"])
    target: TargetOut
    basis: str = Field(
        description="What the service level was made with, to be shown beside it",
        examples=["short_abandon_excluded: T = 20 s, short abandon below 5 s, waiting from entry into service"],
    )
    received: Count
    by_disposition: dict[Disposition, int] = Field(
        description="Their sum is `received`", examples=[{one: int(one is Disposition.ANSWERED) for one in Disposition}]
    )
    offered: Count = Field(description="Calls that reached human service")
    answered: Count
    answered_within: Count
    abandoned: Count
    abandoned_within: Count
    short_abandoned: Count
    service_level: Share = Field(description="By the client's own formula")
    service_levels: dict[Formula, float | None] = Field(
        description="By every formula", examples=[dict.fromkeys(Formula, 0.819)]
    )
    pickup_rate: Share = Field(description="Answered over offered, short abandons left out")
    abandon_rate: Share = Field(description="Abandoned over offered, short abandons left out of both")
    asa_seconds: MaybeSeconds = Field(description="Mean waiting time of answered calls")
    waiting_p50_seconds: MaybeSeconds
    waiting_p90_seconds: MaybeSeconds
    waiting_p95_seconds: MaybeSeconds
    waiting_max_seconds: MaybeSeconds
    aht_seconds: MaybeSeconds = Field(description="Mean talk time of answered calls")

    @classmethod
    def of(cls, stats: ClientStats) -> ClientStatsOut:
        """From the record's own."""
        counts = asdict(stats.counts)
        own = {name: getattr(stats, name) for name in cls.model_fields if name not in counts}
        return cls.model_validate({**own, **counts})


class GapOut(Out):
    """A time in which calls may be missing; no end: it lasts."""

    from_at: Instant
    until_at: Instant | None
    reason: str = Field(examples=["the link to Asterisk was down"])


class StatsOut(Out):
    """The figures of a period: `from_at` included, `to_at` not."""

    from_at: Instant
    to_at: Instant
    clients: list[ClientStatsOut]
    gaps: list[GapOut]

    @classmethod
    def of(cls, stats: Stats) -> StatsOut:
        """From the record's own."""
        return cls(
            from_at=stats.from_at,
            to_at=stats.to_at,
            clients=[ClientStatsOut.of(client) for client in stats.clients],
            gaps=[GapOut.model_validate(gap) for gap in stats.gaps],
        )
