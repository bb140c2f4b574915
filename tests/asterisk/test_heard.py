"""What a caller's telephone gets, packet by packet, on a real Asterisk: ringing, silence, the first sound."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from callrouter.asterisk.line.first_sound import pause_before_first_sound
from callrouter.core.call import Disposition
from callrouter.core.effects import Sound
from callrouter.core.nodes import AnswerNode, DialNode, HangupNode, MenuNode, MessageNode, Node, PlayNode
from callrouter.core.rota import Contact
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, plan_of, until
from tests.asterisk.wire import WireCaller, wire_caller

CALLER: Final = "<sip:+33612340099@127.0.0.1>"
MOBILE: Final = "+33639980001"
QUESTION: Final = (Sound(file="beep", seconds=0.5),)
GAP_SECONDS: Final = 0.3
"""Packets come every 20 ms; a machine that is busy with other things delays some."""
CADENCE_SECONDS: Final = 4.0
"""Between two tones of ringing: 2 s of tone and 4 s without (indications.conf, us), 1.5 and 3.5 in France."""
BYE: Final = HangupNode(name="bye")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk without phones."""
    with Pbx.start(tmp_path_factory.mktemp("heard") / "pbx", agents=1) as running:
        yield running


def ringing(pbx: Pbx) -> AbstractAsyncContextManager[EngineRoom]:
    """An engine that rings a mobile for 9 s, which must press 1."""
    contact = Contact(name="mobile", number=MOBILE)
    dial = DialNode(name="dial", contacts=(contact,), ring_seconds=9, screen=QUESTION, exits={"no_answer": "bye"})
    plan = plan_of(AnswerNode(name="answer", exits={"next": "dial"}), dial, BYE)
    return engine_room(pbx, plan, dial="PJSIP/{number}@trunk-out")


@asynccontextmanager
async def on_call(folder: Path, habit: Habit) -> AsyncIterator[Pbx]:
    """A PBX whose carrier has one mobile."""
    carrier = await Carrier.open({MOBILE: habit})
    with Pbx.start(folder / "pbx", agents=1, carrier=carrier.contact) as pbx:
        try:
            yield pbx
        finally:
            await carrier.close()


async def over(room: EngineRoom) -> None:
    """The call has ended."""
    await until(lambda: bool(room.ended) and not room.live, 40)


def rang_all_the_time(caller: WireCaller, until_at: float) -> bool:
    """Whether no packet was missing, and no tone of ringing."""
    since = caller.answered_at
    tones = [since, *caller.ear.loud(since, until_at), until_at]
    silences = [later - earlier for earlier, later in pairwise(tones)]
    assert caller.ear.longest_gap(since, until_at) < GAP_SECONDS
    return max(silences) < CADENCE_SECONDS + GAP_SECONDS


@pytest.mark.parametrize("habit", [Habit.EARLY, Habit.RINGS, Habit.DEAD])
async def test_a_caller_hears_ringing_until_somebody_accepts(tmp_path: Path, habit: Habit) -> None:
    """Whatever the called network sends: a tone of its own and then a voicemail, what is usual, or nothing."""
    async with on_call(tmp_path, habit) as pbx, ringing(pbx) as room, wire_caller(pbx) as caller:
        caller.invite(DID, CALLER)
        await caller.answered()
        await over(room)
        last = caller.ear.packets[-1].at

    assert last - caller.answered_at > 8
    assert rang_all_the_time(caller, last)


async def test_something_is_sent_while_a_caller_may_press_keys(pbx: Pbx) -> None:
    """A menu that waits: silence comes, and comes all the time."""
    menu = MenuNode(
        name="menu",
        sounds=QUESTION,
        keys=("1",),
        no_input_retries=0,
        timeout_seconds=4.0,
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
    )
    await _sent_all_the_time(pbx, menu, at_least_seconds=4.0)


async def test_something_is_sent_while_a_caller_speaks(pbx: Pbx) -> None:
    """A message that is recorded."""
    message = MessageNode(name="message", sounds=QUESTION, max_seconds=4.0, silence_seconds=0.0, exits={"done": "bye"})
    await _sent_all_the_time(pbx, message, at_least_seconds=4.0)


async def _sent_all_the_time(pbx: Pbx, node: Node, *, at_least_seconds: float) -> None:
    async with engine_room(pbx, plan_of(node, BYE)) as room, wire_caller(pbx) as caller:
        caller.invite(DID, CALLER)
        await caller.answered()
        await over(room)
        last = caller.ear.packets[-1].at

    assert last - caller.answered_at > at_least_seconds
    assert caller.ear.longest_gap(caller.answered_at, last) < GAP_SECONDS


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.7])
async def test_the_first_sound_comes_after_a_pause(pbx: Pbx, tmp_path: Path, seconds: float) -> None:
    """Packets of silence come at once, the first syllable after the pause, and the next prompt without another."""
    pause = pause_before_first_sound(tmp_path, seconds)
    first = PlayNode(name="first", sounds=QUESTION, exits={"next": "second"})
    second = PlayNode(name="second", sounds=QUESTION, exits={"next": "bye"})
    async with engine_room(pbx, plan_of(first, second, BYE), pause=pause) as room, wire_caller(pbx) as caller:
        caller.invite(DID, CALLER)
        await caller.answered()
        await over(room)
    packets, ear = caller.ear.packets, caller.ear
    began = packets[0].at
    heard = ear.loud(began, packets[-1].at)

    assert began - caller.answered_at < GAP_SECONDS
    assert seconds - 0.05 <= heard[0] - began < seconds + GAP_SECONDS
    assert max(later - earlier for earlier, later in pairwise(heard)) < GAP_SECONDS
    assert room.ended[0].disposition is Disposition.SELF_SERVED


async def test_a_pause_whose_file_is_gone_costs_no_caller_their_tree(pbx: Pbx, tmp_path: Path) -> None:
    """Somebody has emptied the folder: the prompt comes, without a pause."""
    gone = Sound(file=str(tmp_path / "pause-300ms"), seconds=0.3)
    play = PlayNode(name="first", sounds=QUESTION, exits={"next": "bye"})
    async with engine_room(pbx, plan_of(play, BYE), pause=gone) as room, wire_caller(pbx) as caller:
        caller.invite(DID, CALLER)
        await caller.answered()
        await over(room)

    assert caller.ear.loud(0.0, caller.ear.packets[-1].at)
    assert room.ended[0].disposition is Disposition.SELF_SERVED
