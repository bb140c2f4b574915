"""Who is begun by the next engine, who is given back, and whom it leaves alone; what is heard while it looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from callrouter.asterisk.adoption.adopting import PLANS_SECONDS
from callrouter.asterisk.adoption.snapshot import VARIABLES, env_of, read_snapshot
from callrouter.asterisk.asyncagi import AgiEnv
from callrouter.asterisk.codec import AmiMessage
from callrouter.core.call import CallState, Presentation
from callrouter.core.nodes import HangupNode, MenuNode
from callrouter.core.plan import Plan
from deploy.asterisk.pbx_render import ADMISSION_SECONDS
from tests.asterisk.adoption.successors import BYE, FIVE_SECONDS, asterisk_of, begun, path, succession, taken_over
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, engine_room, plan_of, until

MENU = MenuNode(
    name="menu",
    sounds=FIVE_SECONDS,
    keys=("1", "2"),
    timeout_seconds=2.0,
    no_input_retries=0,
    exits={"key:1": "bye", "key:2": "two", "no_input": "bye", "no_match": "bye"},
)
PLAN = plan_of(MENU, BYE, HangupNode(name="two"))


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    yield from asterisk_of(tmp_path_factory.mktemp("alone") / "pbx")


async def in_fallback(pbx: Pbx, seconds: float = 6) -> None:
    await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), seconds)


async def test_a_call_that_rang_while_nobody_was_there_is_begun(pbx: Pbx, callers: Callers) -> None:
    """With all that is known of who calls, from the second in which it came."""
    async with succession(pbx, PLAN) as engines:
        await engines.killed()
        callers.call("listen", DID, number="+33612345678", name="Jean Martin")
        await asyncio.sleep(ADMISSION_SECONDS / 2)
        room = await engines.second()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING, 2)
        came = call.clocks.ringing_at
        assert room.switch._clock.now() - came < timedelta(seconds=2.5)

    assert begun(room) == [call.call_id]
    assert taken_over(room) == []
    assert (call.did, call.caller.number, call.caller.name) == (DID, "+33612345678", "Jean Martin")
    assert call.caller.presentation is Presentation.ALLOWED


async def test_a_caller_who_withholds_their_number_stays_hidden(pbx: Pbx) -> None:
    async with succession(pbx, PLAN) as engines:
        await engines.killed()
        pbx.cli(f"channel originate Local/withheld{DID}@test-caller/n extension listen@test-caller")
        await asyncio.sleep(1.0)
        room = await engines.second()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING, 2)

    assert call.caller.presentation is Presentation.WITHHELD
    assert call.caller.number is None


async def test_whom_the_fallback_has_it_keeps(pbx: Pbx) -> None:
    """Its lease had run out."""
    async with succession(pbx, PLAN) as engines:
        await engines.first.call()
        call = await engines.first.reached(lambda call: call.state is CallState.COLLECTING)
        engines.first.link.post_batch(engines.first.switch.lines[call.call_id].channel.wake(0.2))
        await engines.killed(1.0)
        await in_fallback(pbx)
        room = await engines.second()

        assert len(room.calls) == 0
        assert "callrouter-fallback" in pbx.cli("core show channels concise")


async def nobody_finds(client: str, version: str) -> Plan | None:
    return None


async def broken(client: str, version: str) -> Plan | None:
    raise RuntimeError("the test's")


@pytest.mark.parametrize("find", [nobody_finds, broken])
async def test_a_call_whose_plan_is_not_known_is_the_fallbacks(pbx: Pbx, find) -> None:  # type: ignore[no-untyped-def]
    """At once, and not when its lease ends."""
    async with succession(pbx, PLAN) as engines:
        await engines.first.call()
        await engines.first.reached(lambda call: call.state is CallState.COLLECTING)
        await engines.killed(0.3)
        room = await engines.second(find=find)
        await in_fallback(pbx, 3)

        assert len(room.calls) == 0


@pytest.mark.parametrize("value", ["bm8gc3RhdGU=", "!!", "W10="])
async def test_a_state_that_does_not_read_is_the_fallbacks(pbx: Pbx, value: str) -> None:
    async with succession(pbx, PLAN) as engines:
        await engines.first.call()
        call = await engines.first.reached(lambda call: call.state is CallState.COLLECTING)
        channel = engines.first.switch.lines[call.call_id].channel
        await engines.first.link.send("Setvar", {"Channel": channel.channel, "Variable": "CR_STATE", "Value": value})
        await engines.killed(0.3)
        room = await engines.second()
        await in_fallback(pbx, 3)

        assert len(room.calls) == 0


async def test_a_plan_that_is_found_late_is_gone_on_with_then(pbx: Pbx) -> None:
    """Nobody else waits for it, and the key of the caller is not lost. On a busy machine it may be late once more."""
    late, asked = asyncio.Event(), list[str]()

    async def find(client: str, version: str) -> Plan | None:
        asked.append(client)
        await late.wait()
        if len(asked) == 2:
            await asyncio.sleep(2 * PLANS_SECONDS)
        return PLAN

    async with succession(pbx, PLAN) as engines:
        await engines.first.call("press-2-2")
        await engines.first.reached(lambda call: call.state is CallState.COLLECTING)
        await engines.killed(0.3)
        made = engine_room(pbx, PLAN, epoch=2, find=find)
        async with made as room:
            finding = await room.adoption.run()
            assert len(finding) == 1
            assert len(room.calls) == 0
            await asyncio.sleep(2.5)
            late.set()
            await room.adoption.finish(finding)
            call = await room.the_end(3)

    assert path(call) == [("menu", "key:2"), ("two", "end")]
    assert len(asked) == 3


async def test_what_is_heard_while_calls_are_looked_for_waits_for_them(pbx: Pbx) -> None:
    """A new call is begun after that, once; a hang-up is of the call that was taken over."""
    caller = ""

    async def find(client: str, version: str) -> Plan | None:
        """Meanwhile the caller goes."""
        await asyncio.to_thread(pbx.cli, f"channel request hangup {caller}")
        return PLAN

    async with succession(pbx, PLAN) as engines:
        await engines.first.call()
        known = await engines.first.reached(lambda call: call.state is CallState.COLLECTING)
        caller = engines.first.switch.lines[known.call_id].channel.channel
        await engines.killed(0.2)
        async with engine_room(pbx, PLAN, epoch=2, find=find) as room:
            room.switch.hold()
            await room.call("press-1-2")
            await asyncio.sleep(1.0)
            assert room.seen == []
            await room.adoption.finish(await room.adoption.run())
            await until(lambda: len(room.ended) == 2, 8)

    (new,) = begun(room)
    assert new != known.call_id
    assert {call.call_id: call.visits[-1].node for call in room.ended if call.call_id == new} == {new: "two"}


def status(**variables: str) -> AmiMessage:
    """One channel of the answer."""
    message = AmiMessage(
        {"Event": "Status", "Channel": "PJSIP/trunk-1", "Uniqueid": "1.2", "Application": "AGI", "CallerIDNum": "1"}
    )
    named = dict.fromkeys(VARIABLES.split(","), "(null)") | {"CR_CALL": "1-2-3", "CR_DID": "+331"} | variables
    message.repeated = {"Variable": [f"{name}={value}" for name, value in named.items()]}
    return message


def env(shown: str) -> AgiEnv:
    answer = status(**{"CALLERID(pres)": shown})
    return env_of(read_snapshot([answer]).callers[0])


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ("allowed", 0x00),
        ("allowed_not_screened", 0x00),
        ("prohib_not_screened", 0x20),
        ("prohib_failed_screen", 0x22),
        ("unavailable", 0x43),
        ("(null)", 0x43),
    ],
)
def test_how_a_number_is_shown(shown: str, code: int) -> None:
    """As AsyncAGI would have said."""
    assert env(shown).presentation == code


def test_only_callers_own_channels_are_callers() -> None:
    """Whoever is rung for them inherits the call, and nothing else."""
    assert [found.call_id for found in read_snapshot([status(), status(CR_DID="(null)"), status(CR_CALL="")]).callers]
    assert len(read_snapshot([status(), status(CR_DID="(null)"), status(CR_CALL="")]).callers) == 1
