"""Who answers callers, as the files beside the clients say it; and what they cannot say."""

from __future__ import annotations

from callrouter.asterisk.agents.last_crew import LastCrew
from callrouter.core.agents.standing import Crew, Member
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.shared.crew import crew_of
from callrouter.dialplan.shared.reading import Shared, shared_from

AGENTS = """
agents:
  anne: { name: Anne Martin, number: "101", language: fr }
  bruno: { phone: desk-12 }
pauses: [lunch, réunion d'équipe]
phones: [anne, desk-12, desk-13]
"""
QUEUES = """
queues:
  medical: { members: [anne, bruno], log_in: true, misses: 3, retry: 2s }
  legal: { log_in: true, members: [bruno, anne], strategy: ringall, levels: { bruno: 2 } }
"""


def shared(agents: str = AGENTS, queues: str = QUEUES) -> Shared:
    documents = {
        kind: read(text.encode(), f"shared/{kind}.yaml") for kind, text in (("agents", agents), ("queues", queues))
    }
    return shared_from(documents, ["agents.yaml", "queues.yaml"], "FR", 2026)


def test_agents_with_their_places() -> None:
    """Whether they log in is a matter of their teams'."""
    crew = crew_of(shared())
    assert crew is not None
    anne, bruno = crew.agents["anne"], crew.agents["bruno"]

    assert (anne.title, anne.phone, anne.language) == ("Anne Martin", "anne", "fr")
    assert anne.places[0] == Member(queue="medical", log_in=True, misses=3, retry_seconds=2.0)
    assert [(place.queue, place.log_in, place.in_turn, place.penalty) for place in bruno.places] == [
        ("medical", True, True, 0),
        ("legal", True, False, 1),
    ]
    assert (anne.logs_in, bruno.logs_in, bruno.always_in) == (True, True, False)
    assert crew.numbered("101") == anne
    assert crew.owner("desk-12") == bruno
    assert crew.has_telephone("desk-13")
    assert not crew.has_telephone("desk-14")
    assert crew.pauses == ("lunch", "réunion d'équipe")


def test_who_says_nothing_of_log_ins_has_none() -> None:
    """As before there were any."""
    crew = crew_of(shared(queues="queues: { medical: { members: [anne] } }"))
    assert crew is not None

    assert crew.agents["anne"].always_in
    assert not crew.agents["bruno"].always_in  # of no team


def test_without_a_file_of_agents_members_are_agents() -> None:
    """Their telephone has their name."""
    found = shared_from({"queues": read(QUEUES.encode(), "shared/queues.yaml")}, ["queues.yaml"], "FR", 2026)

    crew = crew_of(found)
    assert isinstance(crew, Crew)
    assert {agent.phone for agent in crew.agents.values()} == {"anne", "bruno"}


def test_a_slip_of_the_pen_logs_nobody_out() -> None:
    """While an entry of either file is wrong, nobody knows who answers callers: what was known counts."""
    right = crew_of(shared())
    known: list[Crew | None] = [right, crew_of(shared(queues="queues: { medical: { members: [annne] } }")), None, right]
    last = LastCrew(lambda: known.pop(0))

    assert known[1] is None
    assert [last() for _ in range(4)] == [right] * 4
    assert LastCrew(lambda: None)() == Crew()


def wrong(agents: str) -> list[str]:
    return [issue.message for issue in shared(agents=agents).issues]


def test_what_cannot_be_keyed_or_said() -> None:
    """Each with what to write instead."""
    double = 'agents: { anne: { number: "101" }, bruno: { number: "101" } }'

    assert any("two to six digits" in one for one in wrong('agents: { anne: { number: "1a" }, bruno: {} }'))
    assert any("unknown: write one of" in one for one in wrong("agents: { anne: { language: xx }, bruno: {} }"))
    assert any("have the same number" in one for one in wrong(double))
    for reason in ("wrap_up", "missed", "a|b", ""):
        assert any("pauses" in one for one in wrong(f"agents: {{ anne: {{}}, bruno: {{}} }}\npauses: ['{reason}']"))
