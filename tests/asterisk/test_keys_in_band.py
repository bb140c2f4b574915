"""Keys that come as tones in the sound, because the caller's side knows no telephone-event (RFC 4733)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import numpy as np
import pytest

from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.nodes import CollectDigitsNode, HangupNode, MenuNode
from deploy.demo import g711
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, plan_of, until
from tests.asterisk.wire import WireCaller, wire_caller

KEYS: Final = "123456789*0#"
LOW: Final = (697.0, 770.0, 852.0, 941.0)
HIGH: Final = (1209.0, 1336.0, 1477.0)
"""Rows and columns of the keypad, in Hz (ITU-T Q.23)."""
TONE_SECONDS: Final = 0.1
BEEP: Final = (Sound(file="beep", seconds=0.5),)
SPEECH_SECONDS: Final = 20
TIMEOUT_SECONDS: Final = 3.0
MENU: Final = MenuNode(
    name="menu",
    sounds=BEEP,
    keys=tuple(KEYS),
    timeout_seconds=TIMEOUT_SECONDS,
    no_input_retries=0,
    exits={**{f"key:{key}": "bye" for key in KEYS}, "no_input": "bye", "no_match": "bye"},
)
BYE: Final = HangupNode(name="bye")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk without phones."""
    with Pbx.start(tmp_path_factory.mktemp("keys") / "pbx", agents=1) as running:
        yield running


def tones(key: str) -> g711.Pcm:
    """A key as a telephone sounds it, and a pause."""
    row, column = divmod(KEYS.index(key), len(HIGH))
    both = [g711.tone(hertz, TONE_SECONDS, level=0.12) for hertz in (LOW[row], HIGH[column])]
    return np.concatenate([both[0] + both[1], np.zeros(len(both[0]), dtype=np.int16)])


def number(key: str) -> str:
    """Who presses this key."""
    return f"+336123400{KEYS.index(key):02d}"


async def call(room: EngineRoom, caller: WireCaller, who: str, sound: g711.Pcm) -> str:
    """Call, say that once the menu is there; the exit they left it by."""
    caller.invite(DID, f"<sip:{who}@127.0.0.1>")
    await caller.answered()
    await asyncio.sleep(0.7)
    caller.ear.say(sound)
    await until(lambda: any(one.caller.number == who for one in room.ended), 30)
    return next(one.visits[0].exit for one in room.ended if one.caller.number == who)


async def one_call(pbx: Pbx, room: EngineRoom, who: str, sound: g711.Pcm, *, keys_as_events: bool = False) -> str:
    async with wire_caller(pbx, keys_as_events=keys_as_events) as caller:
        return await call(room, caller, who, sound)


async def test_tones_reach_the_exit_of_their_key(pbx: Pbx) -> None:
    """Of all twelve keys."""
    async with engine_room(pbx, plan_of(MENU, BYE)) as room:
        exits = await asyncio.gather(*(one_call(pbx, room, number(key), tones(key)) for key in KEYS))

    assert exits == [f"key:{key}" for key in KEYS]


async def test_a_number_is_keyed_in_tones(pbx: Pbx) -> None:
    """Digit by digit, each once."""
    collect = CollectDigitsNode(
        name="number",
        sounds=BEEP,
        variable="file",
        min_digits=8,
        max_digits=8,
        timeout_seconds=TIMEOUT_SECONDS,
        exits={"next": "bye", "no_input": "bye", "no_match": "bye"},
    )
    async with engine_room(pbx, plan_of(collect, BYE)) as room:
        await one_call(pbx, room, number("1"), np.concatenate([tones(key) for key in "11220934"]))

    assert dict(room.ended[0].variables)["file"] == "11220934"


@pytest.mark.parametrize("voice", ["en", "fr"])
async def test_speech_is_no_key(pbx: Pbx, voice: str) -> None:
    """Somebody speaks to the menu."""
    speech = g711.read_wav(pbx.sounds_dir / voice / "demo-instruct.wav")[: SPEECH_SECONDS * g711.RATE]
    patient = replace(MENU, timeout_seconds=float(SPEECH_SECONDS))
    async with engine_room(pbx, plan_of(patient, BYE)) as room:
        left_by = await one_call(pbx, room, number("1"), speech)

    assert len(speech) == SPEECH_SECONDS * g711.RATE
    assert left_by == "no_input"


async def test_events_alone_count_where_they_were_agreed(pbx: Pbx) -> None:
    """A gateway that sends both, tone and event: one key, not two; and a tone alone is none."""
    async with engine_room(pbx, plan_of(MENU, BYE)) as room:
        left_by = await one_call(pbx, room, number("1"), tones("1"), keys_as_events=True)

    assert left_by == "no_input"
