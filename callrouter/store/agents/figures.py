"""Agents' figures of a period: read from legs, queue visits, offers, callbacks and sessions, and nothing else.

A conversation is a leg of an agent's that was answered, or an outgoing call that an agent took for a callback. Its
queue is that of the visit it answered; of one that a colleague handed over there is none. A leg is in the record when
its conversation is over: one that goes on is not in the figures yet, and its time is available.

Days are those of one time zone, the operator's unless another one is asked for: an agent works for clients in several.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from callrouter.periods import Period, Step, bounds_of
from callrouter.store.agents.rows import RowReader, WorkBy
from callrouter.store.agents.spans import instant
from callrouter.store.agents.work import AgentRows, Time, Work, occupancy, time_in, work_in
from callrouter.store.database import Database
from callrouter.store.gaps import Gap, gaps_within
from callrouter.store.plans import present_names
from callrouter.store.promises import operators_zone, zones_in_service


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """One agent's figures of a period, or of a part of it."""

    agent: str
    from_at: datetime
    to_at: datetime
    """Not included."""
    work: Work
    time: Time
    by: Mapping[str | None, Work] = field(default_factory=dict)
    """Work by client or by queue, in the order of their names, if it was asked for; None: it is not known, or there was
    none. Their sum is `work`."""

    @property
    def occupancy(self) -> float | None:
        """Work over work and availability; None of agents who log in nowhere."""
        return occupancy(self.work, self.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsFigures:
    """The figures of a period: of each agent, part by part."""

    from_at: datetime
    to_at: datetime
    zone: ZoneInfo
    """Whose days they are."""
    agents: list[AgentFigures]
    """By name, then by time; parts in which an agent did nothing, and was not there, are left out."""
    totals: list[AgentFigures]
    """Of each agent that is there, over all parts."""
    gaps: list[Gap]
    """Times in the period of which something may be missing, and sessions may have ended earlier than it seems."""


async def read_agents(
    database: Database,
    period: Period,
    *,
    now: datetime,
    agents: Collection[str] | None = None,
    step: Step | None = None,
    by: WorkBy | None = None,
    zone: ZoneInfo | None = None,
) -> AgentsFigures:
    """The figures of some agents, or of all who did anything or were there.

    Args:
        database: open.
        period: in `zone`.
        now: the instant at which what lasts is looked at, by the clock of calls.
        agents: whose; None: of everybody in the record.
        step: each day, or each month, by itself; None: the period as a whole.
        by: have work told apart as well.
        zone: whose days they are; None: the operator's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins.
    """
    async with database.connection() as connection:
        if zone is None:
            zone = operators_zone(await zones_in_service(connection))
        from_at, to_at = period.within(zone, now)
        if from_at >= to_at:
            raise ValueError("the period ends before it begins")
        parts = bounds_of(from_at, to_at, zone, step)
        present = await present_names(connection) if by is WorkBy.CLIENT else {}
        reader = RowReader(connection, parts, now=now, by=by, present=present)
        names = sorted(set(agents)) if agents is not None else await reader.everybody()
        found = [one for name, rows in await reader.rows_of(names) for one in _figures(name, rows, parts, by)]
        gaps = await gaps_within(connection, from_at, to_at)
    totals = [_total(name, found, from_at, to_at) for name in dict.fromkeys(one.agent for one in found)]
    return AgentsFigures(from_at=from_at, to_at=to_at, zone=zone, agents=found, totals=totals, gaps=gaps)


def _figures(agent: str, rows: AgentRows, parts: Sequence[datetime], by: WorkBy | None) -> list[AgentFigures]:
    bounds = np.array([instant(at) for at in parts], dtype=np.int64)
    found = []
    for part, (work, time) in enumerate(zip(work_in(rows, bounds), time_in(rows, bounds), strict=True)):
        if work or time != Time():
            found.append(
                AgentFigures(
                    agent=agent,
                    from_at=parts[part],
                    to_at=parts[part + 1],
                    work=sum(work.values(), start=Work()),
                    time=time,
                    by={key: work[key] for key in sorted(work, key=_none_last)} if by else {},
                )
            )
    return found


def _none_last(name: str | None) -> tuple[bool, str]:
    return name is None, name or ""


def _total(agent: str, found: Sequence[AgentFigures], from_at: datetime, to_at: datetime) -> AgentFigures:
    theirs = [one for one in found if one.agent == agent]
    by: dict[str | None, Work] = {}
    for one in theirs:
        for key, work in one.by.items():
            by[key] = by.get(key, Work()) + work
    return AgentFigures(
        agent=agent,
        from_at=from_at,
        to_at=to_at,
        work=sum((one.work for one in theirs), start=Work()),
        time=sum((one.time for one in theirs), start=Time()),
        by={key: by[key] for key in sorted(by, key=_none_last)},
    )
