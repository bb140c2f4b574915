"""What differs although no caller meets it: who answers a team's line and how, whom we ring."""

from __future__ import annotations

from callrouter.core.call import replace
from callrouter.core.identity import Forwarding, Identity, Shows
from callrouter.core.nodes import HangupNode, RedirectNode
from callrouter.core.plan import Plan
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.questions.diff.settings import changed_contacts, changed_queues, unheard
from callrouter.testing import plan_of

MEDICAL = TeamQueue(
    name="medical",
    title="Medical",
    members=("agent-1", "agent-2"),
    strategy="leastrecent",
    ring_seconds=15,
    retry_seconds=1,
    wrap_up_seconds=0,
    max_callers=0,
)


def test_each_value_of_a_team_is_told_by_what_it_means() -> None:
    """Lengths of time as people say them; no bound is a bound, too."""
    now = replace(
        MEDICAL,
        members=("agent-2", "agent-1"),
        title="Secretaries",
        strategy="rrmemory",
        ring_seconds=20,
        retry_seconds=3,
        wrap_up_seconds=90,
        max_callers=5,
    )

    (told,) = changed_queues({"medical": MEDICAL}, {"medical": now})

    assert told.removeprefix("Queue medical: ").removesuffix(".").split("; ") == [
        "its agents are now asked in the order agent-2, agent-1",
        "its title is now Secretaries instead of Medical",
        "the strategy is now rrmemory instead of leastrecent",
        "an agent's telephone rings 20 s instead of 15 s",
        "the next is tried after 3 s instead of 1 s",
        "agents are left alone after a call for 1 min 30 s instead of 0 s",
        "it holds 5 callers instead of any number of callers",
    ]


def test_teams_that_come_and_go() -> None:
    """And one that stays as it was is not told of."""
    legal = replace(MEDICAL, name="legal")

    assert list(changed_queues({"medical": MEDICAL, "legal": legal}, {"medical": MEDICAL, "shop": legal})) == [
        "Queue legal is gone.",
        "Queue shop is new.",
    ]


def test_contacts_who_come_change_and_go() -> None:
    """Those who change are told value by value."""
    before = {"contacts": {"doctor": {"number": "1"}, "nurse": {"number": "2"}, "office": {"email": "a@b.example"}}}
    now = {"contacts": {"doctor": {"number": "3", "email": "d@b.example"}, "matron": {"number": "4"}}}

    assert list(changed_contacts(before, now)) == [
        "Contact doctor: number is now 3 instead of 1; email is now d@b.example instead of none.",
        "Contact matron: new.",
        "Contacts nurse, office: gone.",
    ]


def test_a_node_that_shows_another_number() -> None:
    """The caller meets no difference; whoever is rung does."""

    def of(identity: Identity | None) -> Plan:
        node = RedirectNode(name="office", number="+33199000099", identity=identity, exits={"failed": "bye"})
        return plan_of(node, HangupNode(name="bye"))

    ours = Identity(shows=Shows.OPERATOR, number="+33199000000", forwarding=Forwarding.DIVERSION)

    (told,) = unheard(of(None), of(ours))

    assert told.startswith(
        "At office, the number that whoever is rung sees is now the operator's number (+33199000000)"
    )
    assert told.endswith(", with Diversion instead of what the client's other calls show.")
