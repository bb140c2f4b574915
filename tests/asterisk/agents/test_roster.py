"""The roster's own rules, without a telephone: what is written to Asterisk is only noted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callrouter.asterisk.agents.comparison import Comparison
from callrouter.asterisk.agents.last_crew import LastCrew
from callrouter.asterisk.agents.members import Members, Seen
from callrouter.asterisk.agents.roster import Roster
from callrouter.core.agents.sessions import Session
from callrouter.core.agents.standing import Agent, AgentState, Crew, Refused
from callrouter.errors import AgentRefused
from tests.asterisk.agents.workplace import at_desk, crew_of
from tests.asterisk.paper import Paper

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Room:
    """A roster, its clock and its link."""

    def __init__(self, crew: Crew) -> None:
        self.paper = Paper()
        self.at = MONDAY
        self.up = True
        self.crew = crew
        self.told: list[Session] = []
        self.database: dict[str, dict[str, str]] = {}
        self.queues: dict[str, list[Seen]] = {}
        self.members = Members(self.paper)  # type: ignore[arg-type]
        self.last = LastCrew(lambda: self.crew)
        self.roster = Roster(self.members, self.last, clock=self, tell=self.told.append, link_up=lambda: self.up)

    def comparison(self) -> Comparison:
        """Of the roster with what Asterisk has."""
        shown: Any = Shown(self)
        return Comparison(self.roster, shown, clock=self, link_up=lambda: self.up, on_queues=self.last.queues_are)

    def now(self) -> datetime:
        """As Clock."""
        return self.at

    def state(self, name: str) -> AgentState:
        """What an agent is doing."""
        return self.roster.standing(self.roster.agent(name)).state


class Shown:
    """What Asterisk has of a room, as Members."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.change = room.members.change

    async def kept(self, family: str) -> dict[str, str]:
        """As Members."""
        return dict(self._room.database.get(family, {}))

    async def queues(self) -> set[str]:
        """As Members."""
        return set(self._room.queues)

    async def seen(self, queues: Iterable[str]) -> list[Seen]:
        """As Members."""
        return [one for queue in queues for one in self._room.queues.get(queue, ())]


async def test_one_write_for_each_change() -> None:
    """A log-in is members and a note; the pause's reason follows; who leaves is taken out, and forgotten."""
    room = Room(crew_of("agent-1"))
    room.roster.log_in("agent-1", "agent-1")
    logged_in = room.paper.actions()
    room.roster.pause("agent-1", "lunch")
    paused = room.paper.actions()
    room.roster.log_out("agent-1")

    assert logged_in == ["QueueAdd", "DBPut"]
    assert paused == ["QueuePause", "DBPut"]
    assert room.paper.actions() == ["QueueRemove", "DBDel"]


async def test_a_wrap_up_that_ran_out_while_asterisk_was_away() -> None:
    """It is over as soon as something can be changed again, and not for ever."""
    room = Room(crew_of("agent-1"))
    room.roster.log_in("agent-1", "agent-1")
    room.roster.wrap_up_began("agent-1", 0.05, "call-1")
    room.up = False
    room.at += timedelta(seconds=1)
    await asyncio.sleep(0.1)
    away = room.state("agent-1")
    room.up = True
    room.roster.end_overdue()

    assert away is AgentState.WRAP_UP
    assert room.state("agent-1") is AgentState.READY
    assert room.told[-1].ended_by == "time"


async def test_while_asterisk_is_away_nothing_changes() -> None:
    """What cannot be done there is not said to be done."""
    room = Room(crew_of("agent-1"))
    room.up = False

    with pytest.raises(AgentRefused) as refused:
        room.roster.log_in("agent-1", "agent-1")
    assert refused.value.why == Refused.AWAY
    assert room.paper.actions() == []


async def test_an_unknown_reason_is_refused_with_those_there_are() -> None:
    """Whoever asks by the API or the command line need not open the file."""
    room = Room(crew_of("agent-1", pauses=("coffee", "training")))

    with pytest.raises(AgentRefused, match=r"'lunch' is no reason .*: coffee, training"):
        room.roster.known_reason("lunch")
    room.crew = crew_of("agent-1", pauses=())
    with pytest.raises(AgentRefused, match=r"'lunch' is no reason .*: there are none"):
        room.roster.known_reason("lunch")


async def test_a_short_pause_is_over_with_a_real_one() -> None:
    """Who pauses within the seconds in which they are left out stays paused, and nothing ends that by itself."""
    room = Room(crew_of("agent-1", "agent-2"))
    for name in ("agent-1", "agent-2"):
        room.roster.log_in(name, name)
    room.roster.hold(room.roster.agent("agent-1"), 0.05)
    room.roster.pause("agent-1", "lunch")
    room.paper.actions()
    await asyncio.sleep(0.1)

    assert room.paper.actions() == []
    assert room.state("agent-1") is AgentState.PAUSED


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_makes_nothing_longer(hours: int) -> None:
    """A log-in and a pause are as long as they were, by the new clock; a wrap-up ends when it would have."""
    room = Room(crew_of("agent-1", "agent-2"))
    room.roster.log_in("agent-1", "agent-1")
    room.at += timedelta(minutes=10)
    room.roster.pause("agent-1", "lunch")
    room.at += timedelta(minutes=5)
    known = len(room.told)
    room.paper.actions()
    room.roster.redate(timedelta(hours=hours))
    noted = room.paper.written
    room.at += timedelta(hours=hours)
    moved = room.told[known:]
    standing = room.roster.standing(room.roster.agent("agent-1"))
    room.at += timedelta(minutes=1)
    room.roster.log_out("agent-1")
    lengths = {
        (one.kind, (one.ended_at - one.started_at).total_seconds() / 60)
        for one in room.told[known:]
        if one.ended_at is not None
    }

    assert standing.since_at == room.at - timedelta(minutes=6)
    assert [(one.kind, one.ended_by, one.ended_at) for one in moved[2:]] == [("login", "", None), ("pause", "", None)]
    assert {one.ended_by for one in moved[:2]} == {"clock"}
    assert lengths == {("login", 0), ("pause", 0), ("login", 16), ("pause", 6)}
    assert standing.since_at.isoformat()[:16] in "".join(noted)


async def test_who_leaves_the_files_is_logged_out() -> None:
    """And whose teams ask for no log-in any more is always there."""
    room = Room(crew_of("agent-1", "agent-2"))
    for name in ("agent-1", "agent-2"):
        room.roster.log_in(name, name)
    room.crew = at_desk("agent-1")
    room.roster.forget_strangers()

    assert [(one.agent, one.ended_by) for one in room.told if one.ended_at] == [("agent-2", "files")]
    assert room.state("agent-1") is AgentState.READY
    with pytest.raises(AgentRefused):
        room.roster.agent("agent-2")


async def test_who_is_in_no_team_cannot_log_in() -> None:
    """Nobody would ever ring them."""
    room = Room(Crew(agents={"agent-1": Agent(name="agent-1", title="", phone="agent-1")}))

    with pytest.raises(AgentRefused, match="no team that asks for log-ins"):
        room.roster.log_in("agent-1", "agent-1")


async def test_whose_codes_are_keyed_at_a_telephone() -> None:
    """Theirs who is logged in there; its owner's while nobody is, unless the owner is logged in elsewhere."""
    room = Room(crew_of("agent-1", "agent-2"))
    nobody = room.roster.keys_at("agent-1")
    room.roster.log_in("agent-1", "agent-2")
    moved = {phone: room.roster.keys_at(phone) for phone in ("agent-1", "agent-2")}

    assert nobody is not None
    assert nobody.name == "agent-1"
    assert moved == {"agent-1": None, "agent-2": room.roster.agent("agent-1")}
    assert room.roster.keys_at("nobody's") is None


@pytest.mark.parametrize(("keyed", "state"), [(-60, AgentState.READY), (0, AgentState.LOGGED_OUT)])
async def test_what_was_keyed_before_they_moved_is_not_done(keyed: float, state: AgentState) -> None:
    """A log-out of yesterday, which AstDB still has, is not one of today; one of this second may be."""
    room = Room(crew_of("agent-1"))
    room.at += timedelta(seconds=0.5)
    room.roster.log_in("agent-1", "agent-1")
    at = int((MONDAY + timedelta(seconds=keyed)).timestamp())
    room.database["callrouter/asked"] = {"agent-1": f"log_out:0:{at}"}
    await room.comparison().look()

    assert room.state("agent-1") is state


async def test_who_never_logs_out_may_have_paused_before_the_engine_began() -> None:
    """Since when they stand there is not known to be after it."""
    room = Room(at_desk("agent-1"))
    at = int((MONDAY - timedelta(hours=1)).timestamp())
    room.database["callrouter/asked"] = {"agent-1": f"pause:01:{at}"}
    await room.comparison().look()

    assert room.state("agent-1") is AgentState.PAUSED


async def test_a_telephone_of_somebody_who_never_logs_out_is_theirs() -> None:
    """It would ring for both, and nobody could say who answered."""
    crew, desk = crew_of("agent-1"), at_desk("agent-2")
    room = Room(Crew(agents={**crew.agents, **desk.agents}))

    with pytest.raises(AgentRefused, match="never logs out") as refused:
        room.roster.log_in("agent-1", "agent-2")
    assert refused.value.why == Refused.ALWAYS_IN
    assert room.state("agent-1") is AgentState.LOGGED_OUT
    assert room.paper.actions() == []


def member(agent: str, phone: str, queue: str = "team") -> Seen:
    return Seen(queue=queue, agent=agent, phone=phone, dynamic=True, paused=False, reason="", penalty=0, reachable=True)


async def test_who_left_the_files_is_no_member_any_more() -> None:
    """Whether or not this engine ever knew them: the telephone rings for nobody."""
    room = Room(crew_of("agent-1"))
    room.queues["team"] = [member("agent-9", "agent-1")]
    await room.comparison().look()

    removed = [one for one in room.paper.written if one.startswith("Action: QueueRemove")]
    assert len(removed) == 1
    assert "Interface: PJSIP/agent-1" in removed[0]
    assert "Queue: team" in removed[0]


async def test_a_team_that_nobody_is_of_any_more_has_no_members() -> None:
    """The files still have it: who logged in for it is taken out."""
    room = Room(crew_of("agent-1"))
    room.roster.log_in("agent-1", "agent-1")
    room.crew = Crew(agents={"agent-1": Agent(name="agent-1", title="", phone="agent-1")}, queues=frozenset({"team"}))
    room.queues["team"] = [member("agent-1", "agent-1")]
    room.paper.actions()
    await room.comparison().look()

    assert "QueueRemove" in room.paper.actions()
    assert room.state("agent-1") is AgentState.LOGGED_OUT


def without_teams(*names: str) -> Crew:
    return Crew(agents={name: Agent(name=name, title="", phone=name) for name in names}, pauses=("lunch",))


async def test_while_a_team_leaves_its_agents_pause_and_log_out() -> None:
    """Asterisk still has callers of it: they are rung until it is gone, and as long as they like."""
    room = Room(crew_of("agent-1", "agent-2"))
    for name in ("agent-1", "agent-2"):
        room.roster.log_in(name, name)
    room.crew = without_teams("agent-1", "agent-2")
    room.queues["team"] = [member("agent-1", "agent-1"), member("agent-2", "agent-2")]
    comparison = room.comparison()
    room.paper.actions()
    await comparison.look()
    looked = room.paper.actions()
    room.roster.pause("agent-1", "lunch")
    paused = room.paper.actions()
    room.roster.log_out("agent-1")
    left = room.paper.actions()
    del room.queues["team"]
    await comparison.look()

    assert not {"QueueRemove", "QueuePause"} & set(looked)
    assert paused == ["QueuePause", "DBPut"]
    assert left == ["QueueRemove", "DBDel"]
    assert [(one.agent, one.ended_by) for one in room.told if one.ended_at and one.kind == "login"] == [
        ("agent-1", "agent"),
        ("agent-2", "files"),
    ]


async def test_while_a_team_without_log_ins_leaves_its_agents_pause() -> None:
    """They are rung at their own telephone until it is gone."""
    room = Room(at_desk("agent-1"))
    room.queues["desk"] = []
    comparison = room.comparison()
    await comparison.look()
    room.crew = without_teams("agent-1")
    await comparison.look()
    room.roster.pause("agent-1", "lunch")

    assert room.state("agent-1") is AgentState.PAUSED


async def test_who_is_at_a_telephone_that_becomes_somebodys_is_logged_out() -> None:
    """The files give it to one who never logs out."""
    crew, desk = crew_of("agent-1", "agent-2"), at_desk("agent-2")
    room = Room(crew)
    room.roster.log_in("agent-1", "agent-2")
    room.crew = Crew(agents={"agent-1": crew.agents["agent-1"], **desk.agents}, queues=frozenset({"team", "desk"}))
    room.roster.forget_strangers()

    assert [(one.agent, one.ended_by) for one in room.told if one.ended_at] == [("agent-1", "files")]
    at_telephone = room.roster.at("agent-2")
    assert at_telephone is not None
    assert at_telephone.name == "agent-2"
