"""Callers who hear something, or are asked: the next engine goes on where they are, and no key is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.asterisk.adoption.snapshot import LONGEST_VALUE
from callrouter.core import state
from callrouter.core.call import Call, CallState, Disposition, Revision
from callrouter.core.nodes import CollectDigitsNode, HangupNode, MenuNode, PlayNode, SetNode
from tests.asterisk.adoption.successors import (
    BYE,
    FIVE_SECONDS,
    ONE_SECOND,
    asterisk_of,
    begun,
    path,
    succession,
    taken_over,
)
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import killed, plan_of

ENDS = (BYE, *(HangupNode(name=name) for name in ("one", "two", "silent", "wrong")))


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    yield from asterisk_of(tmp_path_factory.mktemp("asked") / "pbx")


def menu(**changes: object) -> MenuNode:
    """Five seconds of prompt, and two more to press a key."""
    fields: dict[str, object] = {
        "name": "menu",
        "sounds": FIVE_SECONDS,
        "keys": ("1", "2"),
        "timeout_seconds": 2.0,
        "no_input_retries": 0,
        "no_match_retries": 0,
        "exits": {"key:1": "one", "key:2": "two", "no_input": "silent", "no_match": "wrong"},
    }
    return MenuNode(**(fields | changes))  # type: ignore[arg-type]


def digits(**changes: object) -> CollectDigitsNode:
    """A number of four digits."""
    fields: dict[str, object] = {
        "name": "digits",
        "sounds": ONE_SECOND,
        "variable": "file",
        "min_digits": 4,
        "max_digits": 4,
        "timeout_seconds": 4.0,
        "no_input_retries": 0,
        "no_match_retries": 0,
        "exits": {"next": "one", "no_input": "silent", "no_match": "wrong"},
    }
    return CollectDigitsNode(**(fields | changes))  # type: ignore[arg-type]


def greeting(*, interruptible: bool, following: str = "bye") -> PlayNode:
    return PlayNode(name="greeting", sounds=FIVE_SECONDS, interruptible=interruptible, exits={"next": following})


def is_asked(call: Call) -> bool:
    return call.state is CallState.COLLECTING


def hears(call: Call) -> bool:
    return call.state is CallState.PLAYING


@pytest.mark.parametrize("interruptible", [True, False])
async def test_a_prompt_that_still_runs_is_heard_to_its_end_once(pbx: Pbx, interruptible: bool) -> None:
    """Nothing is played again, and the call goes on after it."""
    async with succession(pbx, plan_of(greeting(interruptible=interruptible), BYE)) as engines:
        await engines.first.call()
        before = await engines.first.reached(hears)
        await engines.killed(1.0)
        room = await engines.second()
        assert taken_over(room) == [before.call_id]
        assert begun(room) == []
        call = await room.the_end()

    assert call.disposition is Disposition.SELF_SERVED
    assert path(call) == [("greeting", "next"), ("bye", "end")]
    assert call.revision > before.revision
    assert call.revision.epoch == 2
    assert call.clocks.ringing_at == before.clocks.ringing_at
    assert call.clocks.answered_at is not None
    assert call.clocks.ended_at is not None
    assert 4.5 <= (call.clocks.ended_at - call.clocks.answered_at).total_seconds() <= 6.5


@pytest.mark.parametrize("interruptible", [True, False])
async def test_a_prompt_that_ended_in_the_gap_is_not_played_again(pbx: Pbx, interruptible: bool) -> None:
    """It was heard: the call goes on."""
    async with succession(pbx, plan_of(greeting(interruptible=interruptible), BYE)) as engines:
        await engines.first.call()
        await engines.first.reached(hears)
        await engines.killed(6.5)
        room = await engines.second()
        call = await room.the_end(2)

    assert path(call) == [("greeting", "next"), ("bye", "end")]


async def test_a_key_in_the_gap_cuts_a_prompt_and_counts_in_the_menu_after_it(pbx: Pbx) -> None:
    """Read has kept it."""
    async with succession(pbx, plan_of(greeting(interruptible=True, following="menu"), menu(), *ENDS)) as engines:
        await engines.first.call("press-1-2")
        await engines.first.reached(hears)
        await engines.killed(2.5)
        room = await engines.second()
        call = await room.the_end(3)

    assert path(call) == [("greeting", "next"), ("menu", "key:2"), ("two", "end")]


async def test_a_menu_whose_prompt_runs(pbx: Pbx) -> None:
    """The key that is pressed then is heard, and ends it."""
    async with succession(pbx, plan_of(menu(), *ENDS)) as engines:
        await engines.first.call("press-3-2")
        await engines.first.reached(is_asked)
        await engines.killed(1.0)
        room = await engines.second()
        call = await room.the_end(5)

    assert path(call) == [("menu", "key:2"), ("two", "end")]


@pytest.mark.parametrize(("behaviour", "way"), [("press-1-2", ("menu", "key:2")), ("press-1-9", ("menu", "no_match"))])
async def test_a_key_that_ended_the_menu_in_the_gap_is_never_lost(
    pbx: Pbx, behaviour: str, way: tuple[str, str]
) -> None:
    """Also one that means nothing there."""
    async with succession(pbx, plan_of(menu(), *ENDS)) as engines:
        await engines.first.call(behaviour)
        await engines.first.reached(is_asked)
        await engines.killed(2.5)
        room = await engines.second()
        call = await room.the_end(2)

    assert path(call)[0] == way


async def test_who_was_silent_to_nobody_is_asked_once_more(pbx: Pbx) -> None:
    """No try is counted: they press a key while the prompt is repeated."""
    async with succession(pbx, plan_of(menu(sounds=ONE_SECOND, timeout_seconds=4.0), *ENDS)) as engines:
        await engines.first.call("press-9-2")
        before = await engines.first.reached(is_asked)
        await engines.killed(6.0)
        room = await engines.second()
        assert (await room.reached(is_asked)).step == before.step
        call = await room.the_end(5)

    assert path(call) == [("menu", "key:2"), ("two", "end")]


async def test_who_is_silent_again_has_been_silent_once(pbx: Pbx) -> None:
    async with succession(pbx, plan_of(menu(sounds=ONE_SECOND, no_input_retries=1), *ENDS)) as engines:
        await engines.first.call()
        before = await engines.first.reached(is_asked)
        await engines.killed(4.0)
        room = await engines.second()
        again = await room.reached(lambda call: call.step > before.step, 6)
        call = await room.the_end()

    assert again.memory == {"no_input": 1}
    assert call.visits[-2].because == "silent 2×"
    assert path(call)[0] == ("menu", "no_input")


async def test_a_prompt_longer_than_a_minute_would_not_be_cut(pbx: Pbx) -> None:
    """Its lease is that of its own order."""
    async with succession(pbx, plan_of(menu(sounds=FIVE_SECONDS * 20), *ENDS)) as engines:
        await engines.first.call("press-4-2")
        call = await engines.first.reached(is_asked)
        await engines.killed(1.0)
        room = await engines.second()
        await asyncio.sleep(0.5)
        left = room.switch.lines[call.call_id]._lease_ends_at - asyncio.get_running_loop().time()
        assert left > 90
        assert path(await room.the_end(5)) == [("menu", "key:2"), ("two", "end")]


@pytest.mark.parametrize("behaviour", ["keys-1-12-3-34", "keys-1-1234-9-1", "keys-3-12-1-34"])
async def test_a_number_keyed_before_in_and_after_the_gap(pbx: Pbx, behaviour: str) -> None:
    """Half of it while nobody listened, or all of it, or the other half when somebody does again."""
    async with succession(pbx, plan_of(digits(), *ENDS)) as engines:
        await engines.first.call(behaviour)
        await engines.first.reached(is_asked)
        await engines.killed(2.5)
        room = await engines.second()
        call = await room.the_end(8)

    assert path(call)[0] == ("digits", "next")
    assert call.variables == {"file": "1234"}


async def test_a_hash_that_ended_the_number_in_the_gap(pbx: Pbx) -> None:
    """No digit at all: the number is none, and nobody waits for more."""
    async with succession(pbx, plan_of(digits(), *ENDS)) as engines:
        await engines.first.call("hash-1")
        await engines.first.reached(is_asked)
        await engines.killed(2.5)
        room = await engines.second()
        call = await room.the_end(2)

    assert path(call)[0] == ("digits", "no_match")


async def test_a_state_that_is_longer_than_status_tells(pbx: Pbx) -> None:
    """Asterisk cuts it there, and tells the whole when it is asked for it."""
    given = SetNode(name="given", variables={"motif": "x" * 90}, exits={"next": "menu"})
    async with succession(pbx, plan_of(given, menu(), *ENDS)) as engines:
        await engines.first.call("press-3-2")
        call = await engines.first.reached(is_asked)
        assert len(state.encode(engines.plan, call)) > LONGEST_VALUE
        await engines.killed(1.0)
        room = await engines.second()
        call = await room.the_end(5)

    assert path(call) == [("given", "next"), ("menu", "key:2"), ("two", "end")]
    assert call.variables == given.variables


async def test_a_successor_of_a_successor(pbx: Pbx) -> None:
    """Each takes over once, and the revision rises."""
    async with succession(pbx, plan_of(menu(sounds=FIVE_SECONDS * 2), *ENDS)) as engines:
        await engines.first.call("press-6-2")
        await engines.first.reached(is_asked)
        await engines.killed(0.5)
        second = await engines.second()
        await asyncio.sleep(1.0)
        await killed(second.link)
        await asyncio.sleep(0.5)
        third = await engines.second()
        call = await third.the_end(8)

    assert path(call) == [("menu", "key:2"), ("two", "end")]
    assert call.revision > Revision(1, 99)
