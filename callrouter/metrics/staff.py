"""Agents by what they are doing at the instant of a scrape: each once, and once in each of their teams.

Where they stand is the roster's; that they ring, talk or have a caller on hold is seen from the calls. Who talks is
talking whatever they asked for meanwhile: a pause begins after it. No name of an agent is a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from callrouter.core.agents.standing import OWN_REASONS, Agent, AgentState, Standing
from callrouter.core.books.offers import open_offers
from callrouter.core.call import Call, Leg, LegPurpose

NO_REASON: Final = "none"
"""Of a pause for which nobody gave one."""
_OTHERS: Final = "other"
"""Of a pause whose reason is no longer one of the files'."""
_OF_AGENTS: Final = frozenset({LegPurpose.AGENT, LegPurpose.CONSULTATION})


class Doing(StrEnum):
    """What an agent is doing."""

    AVAILABLE = "available"
    """They can be offered a caller, and are not."""
    RINGING = "ringing"
    TALKING = "talking"
    """To a caller, to a colleague who asks about one, or to whom a callback reached."""
    HOLD = "hold"
    """They have their caller on hold."""
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    """They would be available, and their telephone is not there."""
    LOGGED_OUT = "logged_out"


_STANDING: Final = {
    AgentState.LOGGED_OUT: Doing.LOGGED_OUT,
    AgentState.READY: Doing.AVAILABLE,
    AgentState.PAUSED: Doing.PAUSED,
    AgentState.WRAP_UP: Doing.WRAP_UP,
}


@dataclass(frozen=True, kw_only=True)
class StaffNow:
    """All of them."""

    by_state: Mapping[Doing, int]
    by_team: Mapping[tuple[str, Doing], int]
    paused: Mapping[str, int]
    """By reason: every one there is, those of nobody too."""


def staff_now(
    agents: Iterable[tuple[Agent, Standing]],
    calls: Iterable[Call],
    *,
    rung: Collection[str] = (),
    calling_back: Collection[str] = (),
    phones_gone: Collection[str] = (),
    reasons: Iterable[str] = (),
) -> StaffNow:
    """What they are doing.

    Args:
        agents: all, and where each stands.
        calls: those in progress.
        rung: agents who are rung for a callback.
        calling_back: agents who have taken one.
        phones_gone: telephones that are not there.
        reasons: the operator's, for pauses.
    """
    on_the_phone = dict.fromkeys(rung, Doing.RINGING) | dict.fromkeys(calling_back, Doing.TALKING)
    on_the_phone |= _with_callers(calls)
    everybody = [(agent, standing, _doing(agent, standing, on_the_phone, phones_gone)) for agent, standing in agents]
    teams: Counter[tuple[str, Doing]] = Counter()
    for agent, _, doing in everybody:
        for queue in {place.queue for place in agent.places}:
            teams.update({(queue, one): int(one is doing) for one in Doing})
    known = dict.fromkeys([NO_REASON, *reasons, *sorted(OWN_REASONS - _NO_PAUSES), _OTHERS], 0)
    for _, standing, doing in everybody:
        if doing is Doing.PAUSED:
            reason = standing.reason or NO_REASON
            known[reason if reason in known else _OTHERS] += 1
    return StaffNow(
        by_state={one: sum(doing is one for _, _, doing in everybody) for one in Doing}, by_team=teams, paused=known
    )


_NO_PAUSES: Final = frozenset({"wrap_up", "logged_out"})
"""Why Asterisk has somebody paused who is in another state here."""


def _with_callers(calls: Iterable[Call]) -> dict[str, Doing]:
    found: dict[str, Doing] = {}
    for call in calls:
        for offer in open_offers(call):
            if offer.ended_at is None:
                found.setdefault(offer.agent, Doing.RINGING)
        for leg in call.legs:
            if leg.purpose in _OF_AGENTS and leg.answered_at is not None and leg.ended_at is None:
                found[leg.party] = _talking(leg)
    return found


def _talking(leg: Leg) -> Doing:
    return Doing.TALKING if leg.held_at is None else Doing.HOLD


def _doing(agent: Agent, standing: Standing, on_the_phone: Mapping[str, Doing], phones_gone: Collection[str]) -> Doing:
    at_it = on_the_phone.get(agent.name)
    if at_it is not None:
        return at_it
    doing = _STANDING[standing.state]
    return Doing.UNREACHABLE if doing is Doing.AVAILABLE and standing.phone in phones_gone else doing


def staff_families(now: StaffNow) -> Iterator[Metric]:
    """As Prometheus reads them."""
    everybody = GaugeMetricFamily("callrouter_agents", "Agents by what they are doing now", labels=["state"])
    for doing, count in now.by_state.items():
        everybody.add_metric([doing.value], count)
    yield everybody
    said = "Agents of a team by what they are doing now; who is in two teams counts in both"
    teams = GaugeMetricFamily("callrouter_queue_agents", said, labels=["queue", "state"])
    for (queue, doing), count in sorted(now.by_team.items()):
        teams.add_metric([queue, doing.value], count)
    yield teams
    paused = GaugeMetricFamily("callrouter_agents_paused", "Agents in a pause now, by its reason", labels=["reason"])
    for reason, count in now.paused.items():
        paused.add_metric([reason], count)
    yield paused
