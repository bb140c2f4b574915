"""Who sees what."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from callrouter.core.agents.standing import AgentState
from callrouter.core.call import OfferOutcome
from callrouter.permissions import EVERYTHING, Scope, ScopeKind
from callrouter.stream.events import (
    AgentChanged,
    CallAnswered,
    CallEnded,
    CallSupervised,
    Event,
    ObservationLost,
    OfferEnded,
)
from callrouter.stream.views import View

from .cards import AT, agent, arrived, card, offered, waiting

MOREAU = Scope(ScopeKind.CLIENTS, frozenset({"cabinet-moreau"}))
LENOIR = Scope(ScopeKind.CLIENTS, frozenset({"etude-lenoir"}), frozenset({"lenoir-old"}))
MEDICAL = Scope(ScopeKind.TEAMS, frozenset({"medical"}))
LEGAL = Scope(ScopeKind.TEAMS, frozenset({"legal"}))

CHANGED = AgentChanged(at=AT, agent=agent("agent-1", "medical", "night"))
LOST = ObservationLost(at=AT, reason="gone")
OFFER_OVER = OfferEnded(at=AT, call=card(), queue="medical", agent="agent-1", outcome=OfferOutcome.RANG_OUT)
ANSWERED = CallAnswered(at=AT, call=card(agent="agent-2"), agent="agent-2", contact=None)
LISTENS = CallSupervised(at=AT, call=card(agent="agent-2"), phone="agent-9", mode="listen")
ENDED = CallEnded(at=AT, call=card(agent="agent-2"), disposition=None, talked_seconds=0, hangup_cause=16)


@pytest.mark.parametrize(
    ("view", "shown", "hidden"),
    [
        (View(), [arrived(), waiting(), offered(), OFFER_OVER, ANSWERED, ENDED, CHANGED, LOST], []),
        (View(scope=MOREAU), [arrived(), waiting(), ANSWERED, LOST], [CHANGED]),
        (View(scope=LENOIR), [LOST, arrived(client="lenoir-old")], [arrived(), waiting(), offered(), ENDED, CHANGED]),
        (View(scope=MEDICAL), [waiting(), offered(), ENDED, CHANGED, LOST], [arrived(), waiting(queue="legal")]),
        (View(scope=LEGAL), [waiting(queue="legal"), LOST], [waiting(), offered(), CHANGED]),
        (View(team="medical"), [waiting(), CHANGED, LOST], [arrived(), waiting(queue="legal")]),
        (View(team="legal"), [waiting(queue="legal"), LOST], [waiting(), CHANGED]),
        (View(agent="agent-1"), [offered(), OFFER_OVER, CHANGED, LOST], [arrived(), waiting(), ANSWERED, ENDED]),
        (View(agent="agent-2"), [ANSWERED, ENDED, LOST], [offered(), OFFER_OVER, CHANGED, LISTENS]),
        (View(scope=MEDICAL), [LISTENS], []),
        (View(client="cabinet-moreau"), [arrived(), ENDED, LOST], [CHANGED, arrived(client="etude-lenoir")]),
        (View(scope=LEGAL, agent="agent-1"), [LOST], [offered(), OFFER_OVER, CHANGED]),
        (View(scope=MOREAU, team="legal"), [LOST], [waiting(), CHANGED]),
    ],
    ids=str,
)
def test_a_view_shows_what_is_its(view: View, shown: list[Event], hidden: list[Event]) -> None:
    assert [one for one in shown if view.of(one) is None] == []
    assert [one for one in hidden if view.of(one) is not None] == []


def test_a_view_never_shows_more_than_its_scope() -> None:
    """Whatever is asked for."""
    happened = [arrived(), waiting(), waiting(queue="legal"), offered(), OFFER_OVER, ANSWERED, ENDED, CHANGED]
    for scope in (MOREAU, LENOIR, MEDICAL, LEGAL, EVERYTHING):
        whole = View(scope=scope)
        for asked in (View(agent="agent-1"), View(team="medical"), View(team="legal"), View(client="cabinet-moreau")):
            part = View(scope=scope, agent=asked.agent, team=asked.team, client=asked.client)

            assert [one for one in happened if part.of(one) is not None and whole.of(one) is None] == []


BOTH = replace(agent("agent-1", "legal", "medical"), paused_in=["medical"], reason="lunch", state=AgentState.READY)


@pytest.mark.parametrize(
    ("view", "state", "queues", "paused_in", "reason"),
    [
        (View(), "ready", ["legal", "medical"], ["medical"], "lunch"),
        (View(team="medical"), "paused", ["medical"], ["medical"], "lunch"),
        (View(scope=MEDICAL), "paused", ["medical"], ["medical"], "lunch"),
        (View(scope=LEGAL, agent="agent-1"), "ready", ["legal"], [], ""),
        (View(scope=Scope(ScopeKind.TEAMS, frozenset({"legal", "medical"})), team="legal"), "ready", ["legal"], [], ""),
    ],
    ids=str,
)
def test_a_teams_view_shows_that_teams_part_of_an_agent(
    view: View, state: str, queues: list[str], paused_in: list[str], reason: str
) -> None:
    """In events as in snapshots."""
    expected = replace(BOTH, state=AgentState(state), queues=queues, paused_in=paused_in, reason=reason)

    assert view.of(AgentChanged(at=AT, agent=BOTH)) == AgentChanged(at=AT, agent=expected)
    assert view.agents([BOTH]) == [expected]


def test_a_team_hears_that_an_agent_has_left_it() -> None:
    """Whether they have other teams or not; who was never in it is no news to it."""
    gone = replace(BOTH, state=AgentState.LOGGED_OUT, queues=[], paused_in=[], reason="")
    for stays_in in (["legal"], []):
        state = AgentState.READY if stays_in else AgentState.LOGGED_OUT
        card_ = replace(gone, queues=stays_in, state=state)
        event = AgentChanged(at=AT, agent=card_, left=["medical", "night"])

        assert View(team="medical").of(event) == AgentChanged(at=AT, agent=gone, left=["medical"])
        assert View(scope=MEDICAL).agents([card_]) == []
        assert View(team="on_call").of(event) is None
        assert View().of(event) is event
