"""Who answers callers, as the files beside the clients say it; and what they cannot say."""

from __future__ import annotations

from callrouter.asterisk.agents.derived_crew import DerivedCrew
from callrouter.asterisk.agents.last_crew import LastCrew
from callrouter.core.agents.preference import Preference, by_queue
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


def test_agents_are_rung_in_queues_that_are_derived_from_their_teams() -> None:
    """Each with the level they have there; the team is named once. The same object as long as both are the same."""
    written = crew_of(shared())
    derived = by_queue(
        [
            Preference(team="medical", prefer=("bruno",)),
            Preference(team="legal", never=("anne",)),
            Preference(team="gone", never=("anne",)),
        ]
    )
    source = DerivedCrew(lambda: written, lambda: derived)
    crew = source()
    assert crew is not None
    places = {name: {one.queue: dict(one.queues) for one in agent.places} for name, agent in crew.agents.items()}

    assert source() is crew
    assert places == {
        "anne": {"medical": {"medical": 0, "medical.bruno": 1}, "legal": {"legal": 0}},
        "bruno": {"medical": {"medical": 0, "medical.bruno": 0}, "legal": {"legal": 1, "legal.-anne": 0}},
    }
    assert crew.pbx_queues == {"medical", "legal", "medical.bruno", "legal.-anne"}
    assert DerivedCrew(lambda: written, dict)() is written
    assert DerivedCrew(lambda: None, lambda: derived)() is None


def test_a_derived_queue_that_goes_keeps_its_members_until_it_is_gone() -> None:
    """Whoever waits there is still served; who is a member of the team otherwise is not touched."""
    written = crew_of(shared())
    assert written is not None
    before = written.with_derived([Preference(team="medical", prefer=("bruno",))])
    now = [before]
    last = LastCrew(lambda: now[0])
    last()
    now[0] = written
    leaving = last()
    last.queues_are({"medical", "legal"})
    gone = last()

    assert dict(leaving.agents["anne"].places[0].queues) == {"medical": 0, "medical.bruno": 1}
    assert [place.queue for place in leaving.agents["anne"].places] == ["medical", "legal"]
    assert dict(gone.agents["anne"].places[0].queues) == {"medical": 0}
    assert "medical.bruno" not in gone.pbx_queues
