"""How agents stand, as app_queue tells it: each change once, whatever comes in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.pbx.agent_watch import TELEPHONES, TOGETHER_SECONDS, AgentWatch
from callrouter.asterisk.session import OnEvent
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.stream.events import AgentCard
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, engine_room, plan_of, until

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Told:
    """Who follows, and writes down."""

    agents: list[AgentCard] = field(default_factory=list)
    link: list[tuple[bool, str]] = field(default_factory=list)
    listening: bool = False
    on_listening: Callable[[bool], None] = lambda _: None

    def tells(self, on_listening: Callable[[bool], None]) -> None:
        self.on_listening = on_listening

    def listens(self, listening: bool) -> None:
        """Somebody follows, or nobody any more."""
        self.listening = listening
        self.on_listening(listening)

    def agent_changed(self, card: AgentCard) -> None:
        self.agents.append(card)

    def observes(self, observing: bool, reason: str = "") -> None:
        self.link.append((observing, reason))

    @property
    def last(self) -> dict[str, AgentCard]:
        """How each agent stands now."""
        return {card.agent: card for card in self.agents}


class Asterisk:
    """A link of which the test says what comes."""

    state = LinkState.UP
    late_seconds = 0.0

    def __init__(self) -> None:
        self.events: dict[str, OnEvent] = {}
        self.members: list[AmiMessage] = []
        self.meanwhile: list[AmiMessage] = []

    def tells(self, *, events: Mapping[str, OnEvent], on_state: object) -> None:
        self.events.update(events)

    def follow(self, events: Mapping[str, OnEvent]) -> None:
        self.events.update(events)

    def unfollow(self, names: Iterable[str]) -> None:
        for name in names:
            del self.events[name]

    def says(self, event: str, queue: str = "medical", agent: str = "anne", **changed: str) -> None:
        self.events[event](member(event, queue, agent, **changed))

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        assert name == "QueueStatus"
        answer: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        answer.set_result([AmiMessage([("Response", "Success")]), *self.members])
        for message in self.meanwhile:
            self.events[message.event](message)
        return answer


def member(event: str, queue: str = "medical", agent: str = "anne", **changed: str) -> AmiMessage:
    """As app_queue writes it; of a list, by other names."""
    who = {"Name": agent, "Location": f"PJSIP/{agent}"} if event == "QueueMember" else {"MemberName": agent}
    return AmiMessage(
        {"Event": event, "Queue": queue, **who, "Status": "1", "Paused": "0", "PausedReason": ""} | changed
    )


def watching() -> tuple[Asterisk, AgentWatch, Told]:
    asterisk, told = Asterisk(), Told()
    watch = AgentWatch(cast("AmiLink", asterisk), told, lambda: AT)
    told.listens(True)
    return asterisk, watch, told


async def settled() -> None:
    await asyncio.sleep(3 * TOGETHER_SECONDS)


async def test_what_comes_together_is_one_change() -> None:
    """An agent of twenty queues changes twenty times for Asterisk."""
    asterisk, watch, told = watching()
    queues = [f"team-{number:02}" for number in range(20)]
    asterisk.members = [member("QueueMember", queue) for queue in queues]
    await watch.look()
    for queue in queues:
        asterisk.says("QueueMemberStatus", queue, Status="3")
    await settled()
    for queue in queues:
        asterisk.says("QueueMemberPause", queue, Status="3", Paused="1", PausedReason="lunch")
    await settled()

    assert [(card.state, card.phone, len(card.paused_in), card.reason) for card in told.agents] == [
        ("ready", "idle", 0, ""),
        ("ready", "in_use", 0, ""),
        ("paused", "in_use", 20, "lunch"),
    ]
    assert told.agents[-1].queues == queues


async def test_what_changes_nothing_is_not_told() -> None:
    """Asterisk says a pause again, and a status that was so before."""
    asterisk, watch, told = watching()
    asterisk.members = [member("QueueMember")]
    await watch.look()
    asterisk.says("QueueMemberStatus")
    asterisk.says("QueueMemberPause")
    await settled()
    await watch.look()

    assert len(told.agents) == 1


async def test_an_agent_comes_and_goes() -> None:
    asterisk, watch, told = watching()
    asterisk.says("QueueMemberAdded", "medical")
    asterisk.says("QueueMemberAdded", "legal")
    await settled()
    asterisk.says("QueueMemberRemoved", "legal")
    await settled()
    asterisk.says("QueueMemberRemoved", "medical")
    asterisk.says("QueueMemberRemoved", "medical")
    await settled()

    assert [card.queues for card in told.agents] == [["legal", "medical"], ["medical"], []]
    await watch.look()
    assert len(told.agents) == 3


async def test_who_vanishes_without_an_event_is_missed_at_the_next_look() -> None:
    """A static member whom a reload removes while they talk."""
    asterisk, watch, told = watching()
    asterisk.members = [member("QueueMember"), member("QueueMember", agent="bruno")]
    await watch.look()
    asterisk.members = [member("QueueMember", agent="bruno")]
    await watch.look()

    assert [(card.agent, card.queues) for card in told.agents] == [
        ("anne", ["medical"]),
        ("bruno", ["medical"]),
        ("anne", []),
    ]


async def test_an_event_that_overtakes_the_answer_stands() -> None:
    """It was written after the list was, and read before the list was looked at."""
    asterisk, watch, told = watching()
    asterisk.members = [member("QueueMember"), member("QueueMember", "legal"), member("QueueMember", agent="bruno")]
    asterisk.meanwhile = [
        member("QueueMemberPause", Paused="1", PausedReason="lunch"),
        member("QueueMemberRemoved", "legal"),
    ]
    await watch.look()
    await settled()

    assert (told.last["anne"].queues, told.last["anne"].paused_in) == (["medical"], ["medical"])


async def test_while_nobody_follows_telephones_are_not_heard() -> None:
    """They change three times a call, for each of an agent's queues; pauses and places are heard always."""
    asterisk, _, told = watching()
    told.listens(False)

    assert asterisk.events.keys() == {"QueueMemberPause", "QueueMemberAdded", "QueueMemberRemoved"}
    told.listens(True)
    assert TELEPHONES in asterisk.events


WORDS = ["unknown", "idle", "in_use", "in_use", "unreachable", "unreachable", "ringing", "in_use", "on_hold"]


@pytest.mark.parametrize(("status", "state"), [*enumerate(WORDS), (99, "unknown"), ("", "unknown")])
async def test_every_status_has_its_word(status: object, state: str) -> None:
    asterisk, _, told = watching()
    asterisk.says("QueueMemberStatus", Status=str(status))
    await settled()

    assert told.last["anne"].phone == state


@pytest.mark.parametrize(
    ("reasons", "state"),
    [
        ([None, None], "ready"),
        (["lunch", None], "ready"),
        (["lunch", "lunch"], "paused"),
        (["", ""], "paused"),
        (["missed", "missed"], "paused"),
        (["wrap_up", "wrap_up"], "wrap_up"),
        (["logged_out", "logged_out"], "logged_out"),
    ],
)
async def test_what_an_agent_does_shows_in_their_pauses(reasons: list[str | None], state: str) -> None:
    """Two queues, and why they are paused in each; None where they are not."""
    asterisk, watch, told = watching()
    asterisk.members = [
        member("QueueMember", f"team-{number}", Paused=str(int(reason is not None)), PausedReason=reason or "")
        for number, reason in enumerate(reasons)
    ]
    await watch.look()

    assert told.last["anne"].state == state


@pytest.fixture(scope="module")
def own_pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    with Pbx.start(tmp_path_factory.mktemp("agents") / "pbx", admission_seconds=10, extra_conf=extra) as running:
        yield running


async def test_an_agent_is_paused_leaves_and_comes_back(own_pbx: Pbx) -> None:
    """As an operator does it at Asterisk's own command line."""
    told, member_ = Told(), "Local/agent@test-phone/n"
    async with engine_room(own_pbx, plan_of(HangupNode(name="bye")), follower=told) as room:
        await until(lambda: "agent-test" in told.last, 5)
        room.pbx.cli(f"queue pause member {member_} queue test reason lunch")
        await until(lambda: told.last["agent-test"].paused_in == ["test"], 5)
        paused = told.last["agent-test"]
        room.pbx.cli(f"queue unpause member {member_} queue test")
        await until(lambda: not told.last["agent-test"].paused_in, 5)
        room.pbx.cli("queue add member Local/slow-agent@test-phone/n to quiet penalty 0 as agent-new")
        await until(lambda: "agent-new" in told.last, 5)
        room.pbx.cli("queue remove member Local/slow-agent@test-phone/n from quiet")
        await until(lambda: not told.last["agent-new"].queues, 5)

    assert (paused.reason, paused.queues) == ("lunch", ["test"])
    assert told.link[0] == (True, "")


async def test_telephones_are_heard_while_somebody_follows(own_pbx: Pbx) -> None:
    """On a real Asterisk, asked for while the link runs; after that it sends what is dropped before it is decoded."""
    told = Told()
    own_pbx.cli("module load res_clioriginate.so")
    plan = plan_of(
        QueueNode(name="q", queue="slow", max_wait_seconds=20, exits={"overflow": "bye"}), HangupNode(name="bye")
    )
    async with engine_room(own_pbx, plan, follower=told) as room:
        await until(lambda: "agent-slow" in told.last, 5)
        told.listens(True)
        await room.call()
        await until(lambda: told.last["agent-slow"].phone != "idle", 10)
        await room.the_end()
        await until(lambda: told.last["agent-slow"].phone == "idle", 10)
        told.listens(False)
        known, dropped = len(told.agents), room.link.counters.events_dropped
        room.seen.clear()
        await room.call()
        await room.the_end()

    assert len(told.agents) == known
    assert room.link.counters.events_dropped > dropped


async def test_queues_derived_from_a_teams_are_the_team() -> None:
    """One team, however many queues there are for it: it is paused where the agent is paused in all of them."""
    asterisk, watch, told = watching()
    asterisk.members = [
        member("QueueMember", queue) for queue in ("medical", "medical.anne", "medical.-bruno", "legal")
    ]
    await watch.look()
    asterisk.says("QueueMemberPause", "medical", Paused="1", PausedReason="lunch")
    await settled()
    for queue in ("medical.anne", "medical.-bruno"):
        asterisk.says("QueueMemberPause", queue, Paused="1", PausedReason="lunch")
    await settled()
    asterisk.says("QueueMemberPause", "legal", Paused="1", PausedReason="lunch")
    await settled()

    assert [(card.queues, card.paused_in, card.state, card.reason) for card in told.agents] == [
        (["legal", "medical"], [], "ready", ""),
        (["legal", "medical"], ["medical"], "ready", "lunch"),
        (["legal", "medical"], ["legal", "medical"], "paused", "lunch"),
    ]
