"""Supervisors in a conversation on a real Asterisk: who hears whom, by their tones, and what the journey says of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.supervision import listening
from callrouter.asterisk.supervision.listening import Supervision
from callrouter.core.call import Call, CallState, Disposition, EndedBy, LegPurpose
from callrouter.core.effects import Answer, EnterQueue
from callrouter.core.inputs import AgentAnswered, SupervisionMode, SupervisorTold
from callrouter.errors import ActionFailed, AmiError, ConversationRefused
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.testing import TUESDAY_10, Playbook
from deploy.asterisk.pbx import Pbx
from deploy.demo import g711
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.engine_room import DID, EXTENSIONS, EngineRoom, engine_room, until
from tests.asterisk.test_heard import CALLER
from tests.asterisk.test_teams_phones import PLAN, status
from tests.asterisk.wire import WireCaller, wire_caller
from tests.patience import START_SECONDS

from .test_recordings import CALLER_HERTZ, power

AGENT_HERTZ, AGAIN_HERTZ, SUPERVISOR_HERTZ = 1300.0, 1700.0, 2100.0
LISTEN, WHISPER, BARGE, TAKE_OVER = SupervisionMode
LAST_SECONDS = 0.6


@dataclass(frozen=True)
class Floor:
    """A caller, their agent and a supervisor, each with a tone of their own."""

    room: EngineRoom
    caller: WireCaller
    phones: Carrier
    call_id: str

    def hears(self, who: str, hertz: float) -> bool:
        """Whether somebody hears a tone, now."""
        telephone = self.caller.ear if who == "caller" else self.phones.telephone(who)
        return power(telephone.heard[-int(LAST_SECONDS * 8000) :], hertz) > 0.02

    async def does(self, mode: SupervisionMode) -> None:
        await self.room.supervision.set(self.call_id, mode, "agent-2")
        await until(lambda: f"{mode} by agent-2" in stamps(self.call), 15)
        await asyncio.sleep(LAST_SECONDS + 0.8)

    @property
    def call(self) -> Call:
        live = self.room.calls.get(self.call_id)
        assert live is not None
        return live.call

    async def over(self) -> Call:
        self.caller.bye()
        return await self.room.the_end()


@asynccontextmanager
async def on_the_floor(folder: Path, sequences: Mapping[str, int] | None = None) -> AsyncIterator[Floor]:
    """The caller talks to agent-1; agent-2 has a telephone and is in no queue. `sequences` are theirs (`Carrier`)."""
    phones = await Carrier.open(
        dict.fromkeys(("agent-1", "agent-2"), Habit.ANSWERS),
        voices={"agent-1": AGENT_HERTZ, "agent-2": SUPERVISOR_HERTZ},
        sequences=sequences,
    )
    with Pbx.start(
        folder / "pbx",
        agents=2,
        agent_contacts=dict.fromkeys(("agent-1", "agent-2"), phones.contact),
        extra_conf={
            "extensions": EXTENSIONS,
            "queues": "[team](team)\ntimeout = 9\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n",
        },
    ) as pbx:
        try:
            await until(lambda: all(status(pbx, one) == "Avail" for one in ("agent-1", "agent-2")), START_SECONDS)
            async with engine_room(pbx, PLAN) as room, wire_caller(pbx) as caller:
                caller.invite(DID, CALLER)
                await caller.answered()
                caller.ear.speak(g711.tone(CALLER_HERTZ, 1.0))
                call = await room.reached(lambda call: call.state is CallState.CONNECTED, 15)
                yield Floor(room=room, caller=caller, phones=phones, call_id=call.call_id)
        finally:
            await phones.close()


def stamps(call: Call) -> list[str]:
    return [visit.because for visit in call.visits if visit.exit == "supervision"]


async def test_who_hears_whom(tmp_path: Path) -> None:
    """One after the other, at one telephone that is rung once; the conversation goes on after the supervisor left."""
    async with on_the_floor(tmp_path) as floor:
        heard = {}
        for mode in (LISTEN, WHISPER, BARGE):
            await floor.does(mode)
            assert floor.hears("agent-2", CALLER_HERTZ)
            assert floor.hears("agent-2", AGENT_HERTZ)
            heard[mode] = (floor.hears("agent-1", SUPERVISOR_HERTZ), floor.hears("caller", SUPERVISOR_HERTZ))
        await floor.room.supervision.leave(floor.call_id, "agent-2")
        await until(lambda: not any(leg.open and leg.purpose is LegPurpose.SUPERVISION for leg in floor.call.legs), 5)
        await asyncio.sleep(LAST_SECONDS + 0.3)
        still = floor.hears("caller", AGENT_HERTZ), floor.hears("caller", SUPERVISOR_HERTZ)
        call = await floor.over()

    assert heard == {LISTEN: (False, False), WHISPER: (True, False), BARGE: (True, True)}
    assert still == (True, False)
    assert floor.phones.dialled.count("agent-2") == 1
    assert stamps(call) == ["listen by agent-2", "whisper by agent-2", "barge by agent-2"]
    legs = [(leg.purpose, leg.party) for leg in call.legs]
    assert sorted(legs) == sorted(
        [(LegPurpose.AGENT, "agent-1"), (LegPurpose.SUPERVISION, "agent-2"), (LegPurpose.CALLER, "")]
    )
    assert [leg.talk_seconds() for leg in call.legs if leg.purpose is LegPurpose.SUPERVISION] == [0.0]
    assert (call.agent, call.disposition, len(call.offers)) == ("agent-1", Disposition.ANSWERED, 1)


@pytest.mark.parametrize("second", [28_000, 32_000], ids=["lower", "higher"])
async def test_an_agent_is_heard_after_a_hold(tmp_path: Path, second: int) -> None:
    """Also by another RTP stream, and the record says nothing of it."""
    async with on_the_floor(tmp_path, {"agent-1": 30_000}) as floor:
        await floor.does(LISTEN)
        floor.phones.hold("agent-1", on=True)
        await asyncio.sleep(1)
        telephone = floor.phones.telephone("agent-1")
        telephone.begin_stream(second)
        telephone.speak(g711.tone(AGAIN_HERTZ, 1.0))
        floor.phones.hold("agent-1", on=False)
        await asyncio.sleep(LAST_SECONDS + 1.5)
        heard = floor.hears("agent-2", AGAIN_HERTZ), floor.hears("agent-2", CALLER_HERTZ)
        call = await floor.over()

    assert heard == (True, True)
    assert stamps(call) == ["listen by agent-2"]


async def test_a_supervisor_takes_over(tmp_path: Path) -> None:
    """From listening: the agent is released, the caller talks on, and it is one journey to its end."""
    async with on_the_floor(tmp_path) as floor:
        await floor.does(LISTEN)
        await floor.does(TAKE_OVER)
        heard = floor.hears("caller", SUPERVISOR_HERTZ), floor.hears("agent-2", CALLER_HERTZ)
        await until(lambda: "PJSIP/agent-1" not in floor.room.pbx.cli("core show channels concise"), 5)
        with pytest.raises(ConversationRefused, match="has taken over"):
            await floor.room.supervision.leave(floor.call_id, "agent-2")
        await asyncio.sleep(1)
        live = floor.call.state
        floor.phones.hang_up()
        call = await floor.room.the_end()

    assert heard == (True, True)
    assert live is CallState.CONNECTED
    agents = [(leg.party, leg.ended_by) for leg in call.legs if leg.purpose is LegPurpose.AGENT]
    assert agents == [("agent-1", None), ("agent-2", EndedBy.AGENT)]
    assert all(leg.talk_seconds() > 1 for leg in call.legs if leg.purpose is LegPurpose.AGENT)
    assert (call.disposition, call.agent, len(call.queue_visits)) == (Disposition.ANSWERED, "agent-2", 1)
    assert (call.queue_visits[0].agent, [dial.agent for dial in call.dials]) == ("agent-1", ["agent-2"])
    assert len(floor.room.ended) == 1


async def test_who_took_over_gives_the_caller_away(tmp_path: Path) -> None:
    """As the agent could: the engine decides whom the target means, and the journey goes on there."""
    async with on_the_floor(tmp_path) as floor:
        await floor.does(TAKE_OVER)
        pbx = floor.room.pbx
        floor.phones.refer("agent-2", f"sip:node.bye@{pbx.sip_host}:{pbx.sip_port}")
        call = await floor.room.the_end()

    assert "transferred" in [visit.exit for visit in call.visits]
    assert call.visits[-1].node == "bye"


async def test_who_answers_late_takes_nobody_from_elsewhere(tmp_path: Path) -> None:
    """The agent whom the supervisor wanted to follow has the caller no more: the conversation of now goes on."""
    async with on_the_floor(tmp_path) as floor:
        headers = floor.room.supervision._headers(floor.call, floor.call.legs[0], "agent-2")
        variables = [("Variable", f"{name}={value}") for name, value in {**headers, "CR_SPIED": "1.1"}.items()]
        place = {"Channel": "PJSIP/agent-2", "Context": "callrouter-supervise", "Exten": "take_over", "Priority": "1"}
        await floor.room.link.send("Originate", [*place.items(), ("Async", "true"), *variables])
        await until(lambda: "agent-2" in floor.phones.dialled, 5)
        await asyncio.sleep(2)
        heard = floor.hears("caller", AGENT_HERTZ), floor.hears("caller", SUPERVISOR_HERTZ)
        left = "PJSIP/agent-2" not in floor.room.pbx.cli("core show channels concise")
        await floor.over()

    assert (heard, left) == ((True, False), True)


async def test_it_ends_with_the_call(tmp_path: Path) -> None:
    """Nobody is left on the line."""
    async with on_the_floor(tmp_path) as floor:
        await floor.does(LISTEN)
        call = await floor.over()
        await until(lambda: "0 active channels" in floor.room.pbx.cli("core show channels count"), 5)

    [leg] = [leg for leg in call.legs if leg.purpose is LegPurpose.SUPERVISION]
    assert leg.ended_at is not None
    assert not leg.open


async def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    """Where nobody talks, at the agent's own telephone, at one that is no name, and at one that is not in it."""
    async with on_the_floor(tmp_path) as floor:
        supervision = floor.room.supervision
        for call_id, phone, why in [
            ("1-1-1", "agent-2", "nobody talks"),
            (floor.call_id, "agent-1", "has the caller"),
            (floor.call_id, "agent 2,x", "is no telephone"),
        ]:
            with pytest.raises(ConversationRefused, match=why):
                await supervision.set(call_id, LISTEN, phone)
        with pytest.raises(ConversationRefused, match="does not supervise"):
            await supervision.leave(floor.call_id, "agent-2")
        await floor.over()


@dataclass
class Wire:
    """A link that takes what is sent, or fails."""

    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    fails: Exception | None = None
    events: dict[str, Any] = field(default_factory=dict)

    def tells(self, *, events: Mapping[str, Any]) -> None:
        self.events.update(events)

    def send(self, name: str, headers: Any = ()) -> asyncio.Future[AmiMessage]:
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        self.sent.append((name, dict(headers.items() if isinstance(headers, dict) else headers)))
        if self.fails:
            answer.set_exception(self.fails)
        else:
            answer.set_result(AmiMessage({"Response": "Success"}))
        return answer


@dataclass
class Paper:
    """Supervision without a PBX: one call in which agent-1 talks."""

    wire: Wire
    told: list[SupervisorTold]
    supervision: Supervision
    call_id: str


def on_paper() -> Paper:
    calls, wire, told = LiveCalls(), Wire(), list[SupervisorTold]()
    call = Playbook(PLAN).offer().expects(Answer, EnterQueue).answered()
    call.tells(AgentAnswered(agent="agent-1", at=call.at, leg="1.1"))
    calls.add(LiveCall(call.stops_here(), PLAN))
    supervision = Supervision(
        wire,
        calls,
        channel_of=lambda _: "PJSIP/trunk-00000001",
        follow=lambda *_: None,
        tell=lambda _, one: told.append(one),
        now=lambda: TUESDAY_10,
    )
    return Paper(wire=wire, told=told, supervision=supervision, call_id=call.call.call_id)


@given(phone=st.text(max_size=40), mode=st.sampled_from(SupervisionMode))
def test_whatever_is_named_only_a_telephone_is_rung(phone: str, mode: SupervisionMode) -> None:
    """Nothing else is originated, nowhere else, and nothing is written that is no name."""

    async def ask() -> list[tuple[str, dict[str, str]]]:
        paper = on_paper()
        with suppress(ConversationRefused):
            await paper.supervision.set(paper.call_id, mode, phone)
        return paper.wire.sent

    for name, headers in asyncio.run(ask()):
        assert name == "Originate"
        assert re.fullmatch(r"PJSIP/[A-Za-z0-9_.-]+", headers["Channel"])
        assert (headers["Context"], headers["Exten"]) == ("callrouter-supervise", mode)


@given(
    st.dictionaries(
        st.sampled_from(["UserEvent", "Call", "Phone", "Mode", "Uniqueid"]),
        st.sampled_from(["CallrouterSupervised", "5f1c6a0e9b7d4c21", "agent-2", "listen", "", "x", "9.9"]),
    )
)
def test_an_event_of_no_channel_of_ours_says_nothing(fields: dict[str, str]) -> None:
    """Whoever may write events on the PBX puts nobody into a conversation."""

    async def hear() -> list[SupervisorTold]:
        paper = on_paper()
        paper.wire.events["UserEvent"](AmiMessage({"Event": "UserEvent", **fields}))
        paper.wire.events["Hangup"](AmiMessage({"Event": "Hangup", **fields}))
        return paper.told

    assert asyncio.run(hear()) == []


async def test_a_telephone_that_asterisk_does_not_ring_may_be_asked_for_again() -> None:
    """It refused, or the call of the telephone ended before anybody picked up."""
    paper = on_paper()
    paper.wire.fails = ActionFailed("Extension does not exist.")
    with pytest.raises(ActionFailed):
        await paper.supervision.set(paper.call_id, LISTEN, "agent-2")
    paper.wire.fails = None
    await paper.supervision.set(paper.call_id, LISTEN, "agent-2")
    with pytest.raises(ConversationRefused, match="is being rung"):
        await paper.supervision.set(paper.call_id, LISTEN, "agent-2")
    channel = paper.wire.sent[-1][1]["ChannelId"]
    paper.wire.events["Hangup"](AmiMessage({"Event": "Hangup", "Uniqueid": channel}))
    await paper.supervision.set(paper.call_id, LISTEN, "agent-2")

    assert len({headers["ChannelId"] for _, headers in paper.wire.sent}) == 3


async def test_a_telephone_that_has_no_channel_is_not_rung_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not registered: Asterisk takes the order, and no channel begins or ends."""
    monkeypatch.setattr(listening, "RING_SECONDS", 0.1)
    monkeypatch.setattr(listening, "SPARE_SECONDS", 0.1)
    paper = on_paper()
    await paper.supervision.set(paper.call_id, LISTEN, "agent-2")
    with pytest.raises(ConversationRefused, match="is being rung"):
        await paper.supervision.set(paper.call_id, LISTEN, "agent-2")
    await asyncio.sleep(0.4)
    await paper.supervision.set(paper.call_id, LISTEN, "agent-2")
    paper.wire.fails = AmiError("the link is away")
    with pytest.raises(AmiError):
        await paper.supervision.set(paper.call_id, LISTEN, "agent-3")
    with pytest.raises(AmiError):
        await paper.supervision.set(paper.call_id, LISTEN, "agent-3")
