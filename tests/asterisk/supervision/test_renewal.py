"""What is recorded of a caller whose partner changes, or changes their RTP stream: all of it, whoever talks.

Each voice is a tone of its own, looked for at its place in the file. The second stream's sequence numbers begin lower
than the first one's, or higher: both are as likely (RFC 3550, 5.1), and Asterisk takes the former for late packets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.supervision.renewal import LONGEST_SECONDS, begin_anew
from callrouter.core.call import Call, CallState, replace
from callrouter.core.inputs import RecordingSign, SupervisionMode
from callrouter.core.nodes import QueueNode
from callrouter.core.plan import Plan
from callrouter.errors import ActionFailed, ConversationRefused
from deploy.demo import g711
from deploy.demo.telephone import Codec
from tests.asterisk.agents.workplace import a_pbx, at_work
from tests.asterisk.engine_room import DID, killed, until
from tests.asterisk.test_heard import CALLER
from tests.asterisk.transfers.desk_phones import DeskPhones
from tests.asterisk.transfers.desks import QUEUES, Desks, a_plan, agents_of, crew, talking
from tests.asterisk.transfers.test_announced import consult
from tests.asterisk.wire import WireCaller, wire_caller

from .test_recordings import ANNOUNCEMENT, CALLER_HERTZ, is_open, power, stamps, whole

FIRST_HERTZ, SECOND_HERTZ = 1300.0, 1900.0
VOICES = {"agent-1": FIRST_HERTZ, "agent-2": SECOND_HERTZ}
FIRST_SEQUENCE = 30_000
STREAMS = pytest.mark.parametrize("second", [FIRST_SEQUENCE - 2_000, FIRST_SEQUENCE + 2_000], ids=["lower", "higher"])
STEP_SECONDS = 0.1
HEARD = 0.02
"""Of full scale: a telephone's tone has twelve times as much, another one's sound a tenth."""


def a_recorded_plan() -> Plan:
    """Whoever waits for the team has heard that they are recorded."""
    plan = a_plan()
    team = plan.nodes["team"]
    assert isinstance(team, QueueNode)
    recorded = replace(team, announcement=ANNOUNCEMENT, objection="9", keep_days=30)
    return replace(plan, nodes={**plan.nodes, "team": recorded})


@asynccontextmanager
async def speaking(folder: Path, second: int, codec: Codec = "alaw") -> AsyncIterator[tuple[Desks, WireCaller]]:
    """agent-1 talks to a caller who is heard, too; `second` is where agent-2's stream begins, `codec` the agents'."""
    sequences = {"agent-1": FIRST_SEQUENCE, "agent-2": second}
    names = ("agent-1", "agent-2")
    async with (
        a_pbx(folder, names, QUEUES, telephones=DeskPhones, voices=VOICES, sequences=sequences, codec=codec) as there,
        at_work(*there, crew(), a_recorded_plan()) as (place, room),
        wire_caller(place.pbx) as caller,
    ):
        for name in names:
            place.roster.log_in(name, name)
        await place.has("agent-1")
        await place.has("agent-2", "legal")
        caller.invite(DID, CALLER)
        await caller.answered()
        caller.ear.speak(g711.tone(CALLER_HERTZ, 1.0))
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        yield Desks(place=place, room=room), caller


def heard_seconds(pcm: g711.Pcm, hertz: float) -> tuple[float, float, float]:
    """Of a voice in a file: for how long it is heard, where it begins, and where it ends, in seconds."""
    size = int(STEP_SECONDS * 8000)
    steps = range(len(pcm) // size)
    there = [step for step in steps if power(pcm[step * size : (step + 1) * size], hertz) > HEARD]
    if not there:
        return 0.0, 0.0, 0.0
    return len(there) * STEP_SECONDS, there[0] * STEP_SECONDS, (there[-1] + 1) * STEP_SECONDS


async def recorded(desks: Desks, phone: str) -> tuple[Call, g711.Pcm]:
    """Whoever has the caller hangs up: the call, and the one file that there is of it."""
    [file] = desks.room.pbx.recordings_dir.glob("*-c*.wav")
    assert is_open(file)
    desks.phones.bye(phone)
    call = await desks.room.the_end(8)
    return call, await whole(file)


@STREAMS
async def test_it_goes_on_with_a_colleague(tmp_path: Path, second: int) -> None:
    """The agent gives the caller away: one file, both conversations, until the colleague hangs up."""
    sequences = {"agent-1": FIRST_SEQUENCE, "agent-2": second}
    async with talking(tmp_path, a_recorded_plan(), voices=VOICES, sequences=sequences) as desks:
        await asyncio.sleep(2)
        desks.phones.refer("agent-1", desks.uri("102"))
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await asyncio.sleep(4)
        call, pcm = await recorded(desks, "agent-2")

    [one] = call.recordings
    assert (one.number, one.leg, stamps(call)) == (1, 1, ["began"])
    assert one.seconds() > 5.5
    first, second_voice = heard_seconds(pcm, FIRST_HERTZ), heard_seconds(pcm, SECOND_HERTZ)
    assert first[0] == pytest.approx(2, abs=0.5)
    assert second_voice[0] == pytest.approx(4, abs=0.5)
    assert first[2] <= second_voice[1] + STEP_SECONDS
    assert len(pcm) / 8000 == pytest.approx(first[0] + second_voice[0], abs=0.5)


@STREAMS
async def test_it_goes_on_without_an_engine(tmp_path: Path, second: int) -> None:
    """By Asterisk's dialplan alone, with a colleague by the name of their telephone."""
    sequences = {"agent-1": FIRST_SEQUENCE, "agent-2": second}
    async with talking(tmp_path, a_recorded_plan(), voices=VOICES, sequences=sequences) as desks:
        await killed(desks.room.link)
        await asyncio.sleep(1)
        desks.phones.refer("agent-1", desks.uri("agent-2"))
        await until(lambda: desks.phones.talks("agent-2"), 12)
        await asyncio.sleep(3)
        [file] = desks.room.pbx.recordings_dir.glob("*-c*.wav")
        desks.phones.bye("agent-2")
        pcm = await whole(file)

    assert heard_seconds(pcm, SECOND_HERTZ)[0] == pytest.approx(3, abs=0.5)


@STREAMS
async def test_a_pause_stays_one_when_the_caller_is_given_away(tmp_path: Path, second: int) -> None:
    """Nothing of the colleague is heard until it is resumed, and then all of it."""
    async with speaking(tmp_path, second) as (desks, _):
        await asyncio.sleep(1)
        call_id = desks.call.call_id
        await desks.room.conversations.set(call_id, RecordingSign.PAUSED, "token:desk")
        await asyncio.sleep(1)
        desks.phones.refer("agent-1", desks.uri("102"))
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await asyncio.sleep(2)
        await desks.room.conversations.set(call_id, RecordingSign.RESUMED, "token:desk")
        await asyncio.sleep(2)
        call, pcm = await recorded(desks, "agent-2")

    assert stamps(call) == ["began", "paused by token:desk", "resumed by token:desk"]
    first, second_voice = heard_seconds(pcm, FIRST_HERTZ), heard_seconds(pcm, SECOND_HERTZ)
    assert first[0] == pytest.approx(1, abs=0.4)
    assert second_voice[0] == pytest.approx(2, abs=0.4)
    assert len(pcm) / 8000 == pytest.approx(1 + 1 + 2 + 2, abs=0.7)
    paused = pcm[int((first[2] + 0.2) * 8000) : int((second_voice[1] - 0.2) * 8000)]
    assert max(abs(int(one)) for one in paused) == 0


async def test_a_pause_asked_for_while_it_is_resumed_is_one(tmp_path: Path) -> None:
    """To resume takes a moment: whoever wants it paused again meanwhile has it paused, and a second one is told so."""
    async with speaking(tmp_path, FIRST_SEQUENCE) as (desks, _):
        await asyncio.sleep(1)
        call_id, conversations = desks.call.call_id, desks.room.conversations
        await conversations.set(call_id, RecordingSign.PAUSED, "token:desk")
        await asyncio.sleep(0.5)
        signs = (RecordingSign.RESUMED, RecordingSign.PAUSED, RecordingSign.PAUSED)
        asked = [conversations.set(call_id, sign, "token:desk") for sign in signs]
        *done, refused = await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.sleep(2)
        call, pcm = await recorded(desks, "agent-1")

    assert stamps(call) == ["began", *("paused by token:desk", "resumed by token:desk", "paused by token:desk")]
    assert not any(isinstance(one, BaseException) for one in done)
    assert isinstance(refused, ConversationRefused)
    assert heard_seconds(pcm, FIRST_HERTZ)[0] == pytest.approx(1, abs=0.4)


@STREAMS
@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
async def test_it_goes_on_with_a_supervisor_who_takes_over(tmp_path: Path, second: int, codec: Codec) -> None:
    """From the conversation of another, in which they had no voice. The caller, who speaks A-law, hears them, too."""
    async with speaking(tmp_path, second, codec) as (desks, caller):
        await asyncio.sleep(1)
        await desks.room.supervision.set(desks.call.call_id, SupervisionMode.TAKE_OVER, "agent-2")
        await desks.room.reached(lambda call: any(leg.open and leg.party == "agent-2" for leg in agents_of(call)), 6)
        await asyncio.sleep(3)
        heard = power(caller.ear.heard[-4_000:], SECOND_HERTZ)
        call, pcm = await recorded(desks, "agent-2")

    assert heard > HEARD
    assert len(call.recordings) == 1
    assert 3 - LONGEST_SECONDS <= heard_seconds(pcm, SECOND_HERTZ)[0] <= 3.2
    assert heard_seconds(pcm, CALLER_HERTZ)[0] == pytest.approx(len(pcm) / 8000, abs=0.5)


async def test_who_objects_after_they_were_given_away_is_not_recorded(tmp_path: Path) -> None:
    """It is stopped, whoever began it last, and what there was is deleted."""
    async with speaking(tmp_path, FIRST_SEQUENCE - 2_000) as (desks, caller):
        desks.phones.refer("agent-1", desks.uri("102"))
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await asyncio.sleep(1)
        caller.ear.press("9")
        await desks.room.reached(lambda call: call.recordings[-1].objected_at is not None)
        await asyncio.sleep(2)
        files = list(desks.room.pbx.recordings_dir.glob("*-c*.wav"))
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(8)

    assert files == []
    assert stamps(call) == ["began", "objected (key 9)"]


@STREAMS
async def test_it_goes_on_after_a_hold(tmp_path: Path, second: int) -> None:
    """The agent's telephone takes the caller back by a new stream."""
    async with talking(tmp_path, a_recorded_plan(), voices=VOICES, sequences={"agent-1": FIRST_SEQUENCE}) as desks:
        await asyncio.sleep(1)
        desks.phones.hold("agent-1", on=True)
        await asyncio.sleep(1)
        telephone = desks.phones.telephone("agent-1")
        telephone.begin_stream(second)
        telephone.speak(g711.tone(SECOND_HERTZ, 1.0))
        desks.phones.hold("agent-1", on=False)
        await asyncio.sleep(3)
        _, pcm = await recorded(desks, "agent-1")

    assert heard_seconds(pcm, SECOND_HERTZ)[0] == pytest.approx(2.9, abs=0.4)


@STREAMS
@pytest.mark.parametrize("by", ["telephone", "code"])
async def test_it_goes_on_after_an_announced_transfer(tmp_path: Path, second: int, by: str) -> None:
    """The consultation is not in it; whoever takes the caller then is."""
    sequences = {"agent-1": FIRST_SEQUENCE, "agent-2": second}
    async with talking(tmp_path, a_recorded_plan(), voices=VOICES, sequences=sequences) as desks:
        if by == "telephone":
            other = await consult(desks, "102")
            desks.phones.refer("agent-1", desks.uri("102"), replacing=other)
        else:
            await asyncio.sleep(0.5)
            desks.phones.telephone("agent-1").press("*22102#")
            await until(lambda: desks.phones.talks("agent-2"), 10)
            await asyncio.sleep(1)
            desks.phones.telephone("agent-1").press("*23")
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await asyncio.sleep(3)
        call, pcm = await recorded(desks, "agent-2")

    assert len(call.recordings) == 1
    heard = heard_seconds(pcm, SECOND_HERTZ)
    assert heard[0] == pytest.approx(2.9, abs=0.4)
    assert heard[2] - heard[1] == pytest.approx(heard[0], abs=0.3)


@STREAMS
async def test_it_goes_on_after_an_announced_transfer_without_a_hold(tmp_path: Path, second: int) -> None:
    """No music comes in between: the agent calls the colleague while the caller is on the line."""
    async with speaking(tmp_path, second) as (desks, _):
        other = await consult(desks, "102", hold=False)
        desks.phones.refer("agent-1", desks.uri("102"), replacing=other)
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await asyncio.sleep(3)
        _, pcm = await recorded(desks, "agent-2")

    assert heard_seconds(pcm, SECOND_HERTZ)[0] == pytest.approx(2.8, abs=0.4)


class Pbx:
    """Answers what is asked of one channel: `variables` are the channel's, `refused` the actions that fail."""

    def __init__(self, variables: dict[str, str], refused: Sequence[str] = ("MixMonitorMute",)) -> None:
        self.variables = variables
        self.refused = refused
        self.done: list[str] = []
        self.when_begun: Callable[[], None] = lambda: None

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]:
        """As the link does."""
        asked = dict(headers)
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        if name != "Getvar":
            self.done.append(f"{name} {asked.get('MixMonitorID', '')}".strip())
        if name in self.refused:
            answer.set_exception(ActionFailed(f"{name} is refused"))
            return answer
        if name == "MixMonitor":
            self.when_begun()
        value = self.variables.get(asked.get("Variable", ""), "")
        answer.set_result(AmiMessage({"Response": "Success", "Value": value, "MixMonitorID": "0x1"}))
        return answer


RECORDED = {"CR_RECORDED": "/recordings/1-c1.wav", "CR_TAKE": "1"}


async def test_what_was_paused_while_asterisk_began_it_anew_is_begun() -> None:
    """There is nothing to be stopped then."""
    pbx = Pbx(dict(RECORDED), refused=("StopMixMonitor", "MixMonitorMute"))

    await begin_anew(pbx, "PJSIP/caller-1", "1-c1", still=lambda: True)
    assert pbx.done == ["StopMixMonitor", "MixMonitorMute", "MixMonitor"]


@pytest.mark.parametrize("file", ["", "/recordings/1-c2.wav"], ids=["over", "another"])
async def test_what_does_not_run_any_more_is_not_begun(file: str) -> None:
    """Asterisk ended it, or began another one: neither is touched."""
    pbx = Pbx({"CR_RECORDED": file})

    with pytest.raises(ConversationRefused, match="does not run any more"):
        await begin_anew(pbx, "PJSIP/caller-1", "1-c1", still=lambda: True)
    assert pbx.done == []


async def test_who_objects_meanwhile_is_not_recorded() -> None:
    """Asked at the last moment before it is begun."""
    pbx = Pbx(dict(RECORDED))

    await begin_anew(pbx, "PJSIP/caller-1", "1-c1", still=lambda: False)
    assert "MixMonitor" not in pbx.done


async def test_what_asterisk_changed_meanwhile_stands() -> None:
    """Ours is stopped again, and no other."""
    pbx = Pbx(dict(RECORDED))
    pbx.when_begun = lambda: pbx.variables.update(CR_TAKE="2")

    await begin_anew(pbx, "PJSIP/caller-1", "1-c1", still=lambda: True)
    assert pbx.done[-1] == "StopMixMonitor 0x1"


async def test_where_a_recorder_is_not_gone_it_is_begun_in_any_case() -> None:
    """A caller who sends nothing: after a second."""
    pbx = Pbx(dict(RECORDED), refused=())

    await begin_anew(pbx, "PJSIP/caller-1", "1-c1", still=lambda: True)
    assert pbx.done[-1] == "MixMonitor"
    assert pbx.done.count("MixMonitorMute") > 10
