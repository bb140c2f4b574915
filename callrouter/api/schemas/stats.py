"""What /api/stats answers. Shares are 0 to 1, and null where there was no call to share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import structs
from pydantic import Field

from callrouter.api.schemas.base import Instant, NextCursor, Out, Seconds
from callrouter.core.call import Disposition
from callrouter.core.service_level import Formula, WaitingClock
from callrouter.store.dispatch.delays import Delays
from callrouter.store.figures.model import ClientStats, Figures, PromiseStats, Stats

Count = Annotated[int, Field(ge=0, examples=[12])]
Share = Annotated[float | None, Field(ge=0, le=1, examples=[0.819])]
MaybeSeconds = Annotated[float | None, Field(ge=0, examples=[7.4])]


_BASIS: Final[Any] = Field(
    description="What the service level was made with, to be shown beside it",
    examples=["short_abandon_excluded: T = 20 s, short abandon below 5 s, waiting from entry into service"],
)


class TargetOut(Out):
    """How the service level is measured, and the share it shall reach."""

    within_seconds: Seconds
    target: float = Field(ge=0, le=1, examples=[0.8])
    short_abandon_seconds: Seconds
    formula: Formula = Field(examples=[Formula.SHORT_ABANDON_EXCLUDED])


class PromiseOut(TargetOut):
    """What a version of the client's plan promises, as it was kept when the version went live."""

    clock: WaitingClock = Field(description="From when waiting is measured", examples=[WaitingClock.ENTERED_SERVICE])
    timezone: str = Field(examples=["Europe/Paris"])


class FiguresOut(Out):
    """Figures of journeys, each judged by what the version of the plan promised that it walked."""

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
    overflowed: Count = Field(
        description="Calls that reached human service and ended at a machine: a message, a callback request, "
        "an announcement, a refusal or a fault; neither answered nor abandoned"
    )
    service_level: Share = Field(
        description="By the promise's own formula; null also where there are several promises: each has its own"
    )
    service_levels: dict[Formula, float | None] = Field(
        description="By every formula, each call by its own threshold and limit",
        examples=[dict.fromkeys(Formula, 0.819)],
    )
    pickup_rate: Share = Field(description="Answered over offered, short abandons left out")
    abandon_rate: Share = Field(description="Abandoned over offered, short abandons left out of both")
    asa_seconds: MaybeSeconds = Field(description="Mean waiting time of answered calls")
    waiting_p50_seconds: MaybeSeconds
    waiting_p90_seconds: MaybeSeconds
    waiting_p95_seconds: MaybeSeconds
    waiting_max_seconds: MaybeSeconds
    abandoned_waiting_mean_seconds: MaybeSeconds = Field(description="Mean waiting time of abandoned calls")
    abandoned_waiting_p50_seconds: MaybeSeconds
    abandoned_waiting_p90_seconds: MaybeSeconds
    abandoned_waiting_p95_seconds: MaybeSeconds
    abandoned_waiting_max_seconds: MaybeSeconds
    aht_seconds: MaybeSeconds = Field(description="Mean talk time of answered calls")


class PromiseStatsOut(FiguresOut):
    """The figures of those of a client's calls that are judged by one promise."""

    promise: PromiseOut | None = Field(description="null: none is known for the plan they walked; see `basis`")
    target: TargetOut = Field(description="What the figures were made with: the promise's, or the default")
    basis: str = _BASIS

    @classmethod
    def of(cls, stats: PromiseStats) -> PromiseStatsOut:
        """From the record's own."""
        own = {name: getattr(stats, name) for name in ("promise", "target", "basis", "service_level")}
        return cls.model_validate({**_figures(stats.figures), **own})


class DelaysOut(Out):
    """How long it took, in seconds; null where there was no call."""

    mean_seconds: MaybeSeconds
    p50_seconds: MaybeSeconds
    p90_seconds: MaybeSeconds
    p95_seconds: MaybeSeconds
    max_seconds: MaybeSeconds


class ClientStatsOut(FiguresOut):
    """One client's figures."""

    client: str = Field(examples=["cabinet-moreau"])
    from_at: Instant = Field(description="When the period begins for this client, by its own clocks")
    to_at: Instant = Field(description="When it ends for this client: not included")
    target: TargetOut | None = Field(
        description="What the client was promised, and how it is measured; null: what was promised changed in the "
        "period, see `promises`"
    )
    basis: str = _BASIS
    called_back: Count = Field(
        description="Calls that asked for a callback or were abandoned, and whose caller was reached later; they stay "
        "what they were"
    )
    called_back_after: DelaysOut = Field(description="From the wish, or from giving up, until the caller was reached")
    promises: list[PromiseStatsOut] = Field(
        description="The calls judged by each promise; one, unless what is promised changed in the period"
    )

    @classmethod
    def of(cls, stats: ClientStats) -> ClientStatsOut:
        """From the record's own."""
        names = ("client", "from_at", "to_at", "target", "basis", "service_level", "called_back", "called_back_after")
        own = {name: getattr(stats, name) for name in names}
        promises = [PromiseStatsOut.of(one) for one in stats.promises]
        return cls.model_validate({**_figures(stats.figures), **own, "promises": promises})


def _figures(figures: Figures) -> dict[str, Any]:
    waiting = {f"waiting_{name}": seconds for name, seconds in asdict(figures.waiting).items()}
    return {
        **structs.asdict(figures.counts),
        **{name: getattr(figures, name) for name in ("received", "by_disposition", "service_levels")},
        **{name: getattr(figures, name) for name in ("pickup_rate", "abandon_rate", "aht_seconds")},
        "offered": figures.counts.offered,
        "asa_seconds": waiting.pop("waiting_mean_seconds"),
        **waiting,
        **{f"abandoned_waiting_{name}": seconds for name, seconds in asdict(figures.abandoned_waiting).items()},
    }


class SpreadOut(Out):
    """Delays of so many messages, in seconds; null of none."""

    count: Count
    p50_seconds: MaybeSeconds
    p90_seconds: MaybeSeconds
    max_seconds: MaybeSeconds


class ClientDelaysOut(Out):
    """Of one client's messages."""

    client: str = Field(examples=["cabinet-moreau"])
    messages: Count
    accepted: SpreadOut = Field(
        description="From when a message was complete until the first telling was accepted by whoever passes it on"
    )
    acknowledged: SpreadOut = Field(description="Until somebody took it on, or it was done")
    unacknowledged: Count = Field(description="Of the messages; not all of them need be acknowledged")


class MessageStatsOut(Out):
    """How long it took until messages were passed on, and taken on."""

    from_at: Instant
    to_at: Instant = Field(description="Not included")
    clients: list[ClientDelaysOut]

    @classmethod
    def of(cls, from_at: datetime, to_at: datetime, found: Sequence[Delays]) -> MessageStatsOut:
        """From the record's own."""
        clients = [ClientDelaysOut.model_validate(one) for one in found]
        return cls(from_at=from_at, to_at=to_at, clients=clients)


class GapOut(Out):
    """A time in which calls may be missing; no end: it lasts."""

    from_at: Instant
    until_at: Instant | None
    reason: str = Field(examples=["the link to Asterisk was down"])
    pbx: str = Field(examples=["pbx-1"], description="Whose calls may be missing")


class StatsOut(Out):
    """The figures of a period, which begins and ends for each client by its own clocks."""

    from_at: Instant = Field(description="When it begins for the first client: included")
    to_at: Instant = Field(description="When it ends for the last client: not included")
    clients: list[ClientStatsOut] = Field(description="By name")
    gaps: list[GapOut]
    next_cursor: NextCursor = None

    @classmethod
    def of(cls, stats: Stats, limit: int | None = None, cursor: str | None = None) -> StatsOut:
        """From the record's own: so many clients at most, those after the cursor."""
        following = [one for one in stats.clients if cursor is None or one.client > cursor]
        shown = following[:limit]
        return cls(
            from_at=stats.from_at,
            to_at=stats.to_at,
            clients=[ClientStatsOut.of(client) for client in shown],
            gaps=[GapOut.model_validate(gap) for gap in stats.gaps],
            next_cursor=shown[-1].client if len(shown) < len(following) else None,
        )
