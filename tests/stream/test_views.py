"""Who sees what."""

from __future__ import annotations

import pytest

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
    assert [one for one in shown if not view.shows(one)] == []
    assert [one for one in hidden if view.shows(one)] == []


def test_a_view_never_shows_more_than_its_scope() -> None:
    """Whatever is asked for."""
    happened = [arrived(), waiting(), waiting(queue="legal"), offered(), OFFER_OVER, ANSWERED, ENDED, CHANGED]
    for scope in (MOREAU, LENOIR, MEDICAL, LEGAL, EVERYTHING):
        whole = View(scope=scope)
        for asked in (View(agent="agent-1"), View(team="medical"), View(team="legal"), View(client="cabinet-moreau")):
            part = View(scope=scope, agent=asked.agent, team=asked.team, client=asked.client)

            assert [one for one in happened if part.shows(one) and not whole.shows(one)] == []
