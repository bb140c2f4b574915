"""What events add up to."""

from __future__ import annotations

from msgspec import structs

from callrouter.permissions import Scope, ScopeKind
from callrouter.stream.events import AgentChanged, CallEnded, ObservationLost, ObservationResumed, Snapshot
from callrouter.stream.picture import Picture
from callrouter.stream.views import View

from .cards import AT, agent, arrived, card, offered, waiting


def snapshot(picture: Picture, view: View | None = None) -> Snapshot:
    return picture.snapshot(view or View(), AT)


def test_it_begins_with_a_snapshot_and_follows() -> None:
    picture = Picture(Snapshot(at=AT, observing=True, calls=[card("1")], agents=[agent("agent-1")]))
    picture.take(arrived("2"))
    picture.take(waiting("2"))
    picture.take(offered("1"))
    picture.take(AgentChanged(at=AT, agent=agent("agent-2", "legal")))
    picture.take(ObservationLost(at=AT, reason="gone"))
    seen = snapshot(picture)

    assert [(one.call_id, one.queues, one.offered_to) for one in seen.calls] == [
        ("1", ["medical"], ["agent-1"]),
        ("2", ["medical"], []),
    ]
    assert [one.agent for one in seen.agents] == ["agent-1", "agent-2"]
    assert not seen.observing
    legal = snapshot(picture, View(scope=Scope(ScopeKind.TEAMS, frozenset({"legal"}))))
    assert (legal.calls, [one.agent for one in legal.agents]) == ([], ["agent-2"])


def test_what_is_over_goes() -> None:
    picture = Picture(Snapshot(at=AT, observing=False, calls=[card("1")], agents=[agent("agent-1")]))
    picture.take(CallEnded(at=AT, call=card("1"), disposition=None, talked_seconds=0, hangup_cause=None))
    picture.take(CallEnded(at=AT, call=card("9"), disposition=None, talked_seconds=0, hangup_cause=None))
    picture.take(AgentChanged(at=AT, agent=structs.replace(agent("agent-1"), queues=[])))
    picture.take(ObservationResumed(at=AT))

    assert snapshot(picture) == Snapshot(at=AT, observing=True, calls=[], agents=[])
