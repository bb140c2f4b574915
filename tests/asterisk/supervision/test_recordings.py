"""What is recorded of a conversation on a real Asterisk: by the sound in the file, and by what the journey says."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callrouter.asterisk.ended_row import ended_call, read_row
from callrouter.asterisk.line.commanded import CommandedLine
from callrouter.asterisk.line.recordings import WAV_HEADER_BYTES
from callrouter.asterisk.waiting.waits import Waits
from callrouter.core.books.recordings import MAX_PAUSES
from callrouter.core.call import Call, CallState, replace
from callrouter.core.effects import Effect, EnterQueue, Sound
from callrouter.core.inputs import RecordingSign
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.core.state import decode
from callrouter.errors import ConversationRefused
from callrouter.testing import TUESDAY_10
from deploy.asterisk.pbx import Pbx
from deploy.demo import g711
from deploy.demo.carrier import VOICE_HERTZ, Carrier, Habit
from tests.asterisk.engine_room import DID, EXTENSIONS, EngineRoom, engine_room, plan_of, until
from tests.asterisk.test_heard import CALLER
from tests.asterisk.test_teams_phones import status
from tests.asterisk.wire import WireCaller, wire_caller
from tests.patience import START_SECONDS

CALLER_HERTZ = 700.0
ANNOUNCEMENT = (Sound(file="beep", seconds=0.425, text="This call is recorded. To object, press 9."),)
PLAN = plan_of(
    QueueNode(
        name="team",
        queue="team",
        max_wait_seconds=60,
        announcement=ANNOUNCEMENT,
        objection="9",
        keep_days=30,
        exits={"overflow": "bye"},
    ),
    HangupNode(name="bye"),
)


@dataclass(frozen=True)
class Desk:
    """A caller who sends a tone, and an agent who sends another one."""

    room: EngineRoom
    caller: WireCaller
    phones: Carrier

    async def talks(self) -> Call:
        """Until the agent has the caller."""
        return await self.room.reached(lambda call: call.state is CallState.CONNECTED, 15)

    async def over(self) -> Call:
        """The caller hangs up: the call, when it is over."""
        self.caller.bye()
        return await self.room.the_end()

    def file(self, call: Call, number: int = 1) -> Path:
        return self.room.pbx.recordings_dir / f"{call.call_id}-c{number}.wav"


@asynccontextmanager
async def at_the_desk(folder: Path, habit: Habit = Habit.ANSWERS, plan: Plan = PLAN) -> AsyncIterator[Desk]:
    """A caller has dialled, and hears the announcement."""
    phones = await Carrier.open({"agent-1": habit})
    with Pbx.start(
        folder / "pbx",
        agents=1,
        agent_contacts={"agent-1": phones.contact},
        extra_conf={
            "extensions": EXTENSIONS,
            "queues": "[team](team)\ntimeout = 9\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"
            "[nobody](team)\njoinempty = yes\nleavewhenempty = no\n",
        },
    ) as pbx:
        try:
            await until(lambda: status(pbx, "agent-1") == "Avail", START_SECONDS)
            async with engine_room(pbx, plan) as room, wire_caller(pbx) as caller:
                caller.invite(DID, CALLER)
                await caller.answered()
                caller.ear.speak(g711.tone(CALLER_HERTZ, 1.0))
                yield Desk(room=room, caller=caller, phones=phones)
        finally:
            await phones.close()


def size_of(file: Path) -> int:
    return file.stat().st_size


async def whole(file: Path) -> g711.Pcm:
    """What a file holds once Asterisk has written all of it: it keeps two seconds back until the channel has ended, and
    a busy machine writes them when it can. So it is whole when no process has it open any more."""
    await until(lambda: not is_open(file), 10, every_seconds=0.05)
    return g711.read_wav(file)


def is_open(file: Path) -> bool:
    """Whether an Asterisk has it open."""
    return any(file in _open_files(process) for process in Path("/proc").glob("[0-9]*"))


def _open_files(process: Path) -> Iterator[Path]:
    """Of an Asterisk; of another process none."""
    with contextlib.suppress(OSError):  # it has ended
        if b"asterisk" in (process / "cmdline").read_bytes():
            for place in (process / "fd").iterdir():
                with contextlib.suppress(OSError):  # it is closed
                    yield place.readlink()


def power(pcm: g711.Pcm, hertz: float) -> float:
    """How loud one tone is, as a share of full scale (Goertzel)."""
    if not len(pcm):
        return 0.0
    step = 2 * math.pi * hertz / 8000
    real = sum(int(one) * math.cos(step * at) for at, one in enumerate(pcm))
    imaginary = sum(int(one) * math.sin(step * at) for at, one in enumerate(pcm))
    return 2 * math.hypot(real, imaginary) / len(pcm) / 32768


def second(pcm: g711.Pcm, at: float) -> g711.Pcm:
    """Half a second of sound from there on."""
    return pcm[int(at * 8000) : int((at + 0.5) * 8000)]


def stamps(call: Call) -> list[str]:
    return [visit.because for visit in call.visits if visit.exit == "recording"]


async def test_a_conversation_is_in_its_file_with_both_voices(tmp_path: Path) -> None:
    """It begins when the agent answers, not before; the wait is not in it."""
    async with at_the_desk(tmp_path) as desk:
        await desk.talks()
        await asyncio.sleep(2.5)
        call = await desk.over()
        pcm = await whole(desk.file(call))

    [one] = call.recordings
    assert (one.objected_at, one.leg, stamps(call)) == (None, 1, ["began"])
    assert one.seconds() == pytest.approx(2.5, abs=0.6)
    assert len(pcm) / 8000 == pytest.approx(one.seconds(), abs=0.6)
    assert power(second(pcm, 1.0), CALLER_HERTZ) > 0.02
    assert power(second(pcm, 1.0), VOICE_HERTZ) > 0.02


async def test_what_is_paused_is_silence(tmp_path: Path) -> None:
    """Of both voices; the file is as long as the conversation."""
    async with at_the_desk(tmp_path) as desk:
        call = await desk.talks()
        await asyncio.sleep(1.5)
        await desk.room.conversations.set(call.call_id, RecordingSign.PAUSED, "token:desk")
        with pytest.raises(ConversationRefused, match="paused already"):
            await desk.room.conversations.set(call.call_id, RecordingSign.PAUSED, "token:desk")
        await asyncio.sleep(2)
        await desk.room.conversations.set(call.call_id, RecordingSign.RESUMED, "token:desk")
        await asyncio.sleep(1.5)
        call = await desk.over()
        pcm = await whole(desk.file(call))

    assert stamps(call) == ["began", "paused by token:desk", "resumed by token:desk"]
    assert call.recordings[0].paused_seconds == pytest.approx(2, abs=0.3)
    assert power(second(pcm, 0.5), CALLER_HERTZ) > 0.02
    assert max(abs(int(one)) for one in second(pcm, 2.3)) == 0
    assert power(second(pcm, len(pcm) / 8000 - 0.8), VOICE_HERTZ) > 0.02


async def test_the_pause_after_the_last_one_is_refused_and_mutes_nothing(tmp_path: Path) -> None:
    """By a program and by the agent's code: what could not be resumed is not begun."""
    async with at_the_desk(tmp_path) as desk:
        call = await desk.talks()
        live = desk.room.calls.get(call.call_id)
        assert live is not None
        spent = replace(live.call.recordings[-1], pauses=MAX_PAUSES)
        live.call = replace(live.call, recordings=(*live.call.recordings[:-1], spent))
        with pytest.raises(ConversationRefused, match="that is the most"):
            await desk.room.conversations.set(call.call_id, RecordingSign.PAUSED, "token:desk")
        desk.phones.telephone("agent-1").press("*7")
        await asyncio.sleep(4)
        call = await desk.over()
        pcm = await whole(desk.file(call))

    assert stamps(call) == ["began"]
    assert power(second(pcm, len(pcm) / 8000 - 0.8), VOICE_HERTZ) > 0.02


async def test_an_agent_pauses_by_their_code_which_the_caller_does_not_hear(tmp_path: Path) -> None:
    """*7, and *8 to go on."""
    async with at_the_desk(tmp_path) as desk:
        await desk.talks()
        desk.phones.telephone("agent-1").press("*7")
        await desk.room.reached(lambda call: call.recordings[-1].paused_at is not None)
        desk.phones.telephone("agent-1").press("*8")
        await desk.room.reached(lambda call: call.recordings[-1].paused_seconds > 0)
        call = await desk.over()

    assert stamps(call) == ["began", "paused by agent-1", "resumed by agent-1"]


async def test_a_caller_objects_while_they_talk(tmp_path: Path) -> None:
    """Asterisk stops at once; the journey says when, and the conversation goes on."""
    async with at_the_desk(tmp_path) as desk:
        await desk.talks()
        await asyncio.sleep(1)
        desk.caller.ear.press("9")
        call = await desk.room.reached(lambda call: call.recordings[-1].objected_at is not None)
        file = desk.file(call)
        await until(lambda: not file.exists(), 3)
        await asyncio.sleep(2.5)
        again = file.exists()
        call = await desk.over()

    assert not again
    assert stamps(call) == ["began", "objected (key 9)"]
    assert call.talk_seconds() > 3
    assert call.recordings[0].seconds() < call.talk_seconds() - 2


async def test_who_cannot_have_heard_the_announcement_is_not_recorded(tmp_path: Path) -> None:
    """Its file is missing at the PBX: Asterisk says that it has ended all the same."""
    line = PLAN.nodes["team"]
    assert isinstance(line, QueueNode)
    missing = replace(line, announcement=(Sound(file="no-such-file", seconds=3.0, text="Recorded."),))
    async with at_the_desk(tmp_path, plan=plan_of(missing, HangupNode(name="bye"))) as desk:
        await desk.talks()
        await asyncio.sleep(2.5)
        call = await desk.over()
        files = list(desk.room.pbx.recordings_dir.glob("*.wav"))

    assert (call.recordings, files) == ((), [])


@pytest.mark.parametrize("when", ["announcement", "wait"])
async def test_a_caller_objects_before_anybody_answers(tmp_path: Path, when: str) -> None:
    """Nothing of them is ever kept."""
    async with at_the_desk(tmp_path) as desk:
        if when == "wait":
            await desk.room.reached(lambda call: call.state is CallState.QUEUED)
        desk.caller.ear.press("9")
        await desk.talks()
        await asyncio.sleep(1.5)
        call = await desk.over()
        await asyncio.sleep(0.3)
        exists = desk.file(call).exists()

    assert stamps(call) == ["objected (key 9)"]
    assert not exists


async def test_an_objection_is_not_undone_by_an_order_that_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They object while their place in the line is still looked for."""

    def slow(_: Waits, wanted: EnterQueue, turn_at: datetime, now: datetime, on_place: Callable[[int], None]) -> None:
        asyncio.get_running_loop().call_later(1.5, on_place, 0)

    monkeypatch.setattr("callrouter.core.nodes.queue.turn_of", lambda *_: TUESDAY_10)
    monkeypatch.setattr(Waits, "find_place", slow)
    written: list[bytes] = []
    perform = CommandedLine._perform

    def noted(line: CommandedLine, call: Call, encoded: bytes, effects: Sequence[Effect], position: int) -> None:
        written.append(encoded)
        perform(line, call, encoded, effects, position)

    monkeypatch.setattr(CommandedLine, "_perform", noted)
    async with at_the_desk(tmp_path) as desk:
        await desk.room.reached(lambda call: call.state is CallState.QUEUED)
        desk.caller.ear.press("9")
        await desk.room.reached(lambda call: call.recordings[-1].objected_at is not None)
        call = await desk.talks()
        await asyncio.sleep(1.5)
        call = await desk.over()
        await asyncio.sleep(1)
        exists = desk.file(call).exists()

    [joined] = [state for state in written if state and decode(PLAN, state).queue_visits]
    assert decode(PLAN, joined).recordings[0].objected_at is not None
    assert stamps(call) == ["objected (key 9)"]
    assert not exists


async def test_nothing_is_made_of_a_caller_whom_nobody_answers(tmp_path: Path) -> None:
    """They wait, and leave."""
    async with at_the_desk(tmp_path, Habit.RINGS) as desk:
        await desk.room.reached(lambda call: bool(call.offers))
        call = await desk.over()
        await until(lambda: not desk.file(call).exists(), 5)

    assert (stamps(call), call.recordings[0].began_at) == ([], None)


def recorded_wait(queue: str, exits: dict[str, str], keys: tuple[str, ...] = ()) -> QueueNode:
    """Another team's line before the first one's, recorded as well."""
    line = PLAN.nodes["team"]
    assert isinstance(line, QueueNode)
    return replace(line, name="first", queue=queue, keys=keys, exits=exits)


async def test_who_leaves_the_line_by_a_key_is_not_recorded_in_the_next_one(tmp_path: Path) -> None:
    """The next queue does not record: what the first one ordered has ended with it."""
    first = recorded_wait("nobody", {"key:1": "second", "overflow": "bye"}, ("1",))
    second = QueueNode(name="second", queue="team", max_wait_seconds=60, exits={"overflow": "bye"})
    async with at_the_desk(tmp_path, plan=plan_of(first, second, HangupNode(name="bye"))) as desk:
        await desk.room.reached(lambda call: call.state is CallState.QUEUED)
        await asyncio.sleep(0.5)
        desk.caller.ear.press("1")
        await desk.talks()
        await asyncio.sleep(3)
        call = await desk.over()
        await asyncio.sleep(1)
        sizes = [size_of(file) for file in desk.room.pbx.recordings_dir.glob("*.wav")]

    assert call.queue_visits[-1].queue == "team"
    assert [size for size in sizes if size > WAV_HEADER_BYTES] == []


async def test_without_an_engine_it_goes_on_and_the_caller_may_still_object(tmp_path: Path) -> None:
    """The engine dies in the conversation: the next one reads in Asterisk's journal that they objected."""
    async with at_the_desk(tmp_path) as desk:
        call = await desk.talks()
        await desk.room.link.close()
        await until(lambda: desk.file(call).stat().st_size > 8000, 6)
        desk.caller.ear.press("9")
        await asyncio.sleep(1)
        desk.caller.bye()
        await asyncio.sleep(1)
        rows = await asyncio.to_thread(desk.room.pbx.cli, f"database show callrouter ended/{call.call_id}")

    key, _, value = next(line for line in rows.splitlines() if call.call_id in line).partition(":")
    row = read_row(key.strip(), value.strip())
    assert row is not None
    found = ended_call(row, PLAN, PLAN, "FR")
    [one] = found.recordings
    assert one.began_at == call.recordings[0].began_at
    assert one.began_at is not None
    assert one.objected_at is not None
    assert one.began_at < one.objected_at < row.ended_at + timedelta(seconds=1)
    assert stamps(found) == ["began", "objected (key 9)"]
