"""What programs do in a conversation, on a real Asterisk: for a desk telephone and a softphone alike."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.asterisk.transfers.consultations import Consultations
from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import CallState, Disposition, EndedBy, LegPurpose
from callrouter.errors import ConversationRefused
from tests.asterisk.engine_room import until
from tests.asterisk.transfers.desks import Desks, agents_of, consultations_of, talking
from tests.asterisk.transfers.test_announced import consult
from tests.asterisk.transfers.test_codes import key


async def do(desks: Desks, control: Control, detail: str = "") -> None:
    """In the one call there is."""
    await desks.room.control.do(control, desks.call.call_id, detail)


async def answered(desks: Desks) -> None:
    """Whom the agent consults speaks to them."""
    await until(lambda: any(leg.answered_at for leg in consultations_of(desks.call)), 6)
    await asyncio.sleep(1)


@pytest.mark.parametrize("target", ["102", "team.legal"])
async def test_transfer(tmp_path: Path, target: str) -> None:
    """To a colleague, and to a team, whose name no keypad spells."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await do(desks, Control.TRANSFER, target)
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]


@pytest.mark.parametrize("control", [Control.TRANSFER, Control.CONSULT])
@pytest.mark.parametrize("target", ["0899123456", "nobody", "team.nobody"])
async def test_who_is_refused_changes_nothing(tmp_path: Path, control: Control, target: str) -> None:
    """The agent talks on."""
    async with talking(tmp_path) as desks:
        with pytest.raises(ConversationRefused, match=target):
            await do(desks, control, target)
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert desks.phones.dialled == ["agent-1"]
    assert [visit.exit for visit in call.visits] == ["next", "end"]


async def test_consult_and_complete(tmp_path: Path) -> None:
    """Both halves of an announced transfer; before it is answered it is not complete."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        with pytest.raises(ConversationRefused, match="nobody has answered"):
            await do(desks, Control.COMPLETE)
        await do(desks, Control.CONSULT, "colleague.agent-2")
        with pytest.raises(ConversationRefused, match="on hold already"):
            await do(desks, Control.CONSULT, "doctor")
        await answered(desks)
        await do(desks, Control.COMPLETE)
        await desks.room.reached(lambda call: call.agent == "agent-2", 5)
        await asyncio.sleep(1)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    first, second = agents_of(call)
    assert first.hold_seconds > 0.8
    assert (second.party, second.ended_by, call.disposition) == ("agent-2", EndedBy.AGENT, Disposition.ANSWERED)


@pytest.mark.parametrize("by_telephone", [False, True])
async def test_take_back(tmp_path: Path, by_telephone: bool) -> None:
    """A consultation that was asked for here, and one that the telephone made by itself."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        if by_telephone:
            await consult(desks, "102")
            with pytest.raises(ConversationRefused, match="the agent's telephone made"):
                await do(desks, Control.COMPLETE)
        else:
            await do(desks, Control.CONSULT, "102")
            await answered(desks)
        await do(desks, Control.TAKE_BACK)
        if by_telephone:
            desks.phones.hold("agent-1", on=False)
        await asyncio.sleep(1)
        assert not any(leg.open for leg in consultations_of(desks.call))
        assert all(leg.held_at is None for leg in agents_of(desks.call))
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1"]


async def test_hold_and_resume(tmp_path: Path) -> None:
    """Timed as hold; nobody is rung, and nothing of a consultation is in the record."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        with pytest.raises(ConversationRefused, match="not on hold"):
            await do(desks, Control.RESUME)
        await do(desks, Control.HOLD)
        await asyncio.sleep(1.5)
        assert agents_of(desks.call)[0].held_at is not None
        await do(desks, Control.RESUME)
        await asyncio.sleep(1)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    (first,) = agents_of(call)
    assert first.hold_seconds == pytest.approx(1.7, abs=0.6)
    assert first.talk_seconds() == pytest.approx(1.6, abs=0.7)
    assert not consultations_of(call)
    assert desks.phones.dialled == ["agent-1"]


@pytest.mark.parametrize("how", ["hangs up", "keys *23"])
@pytest.mark.parametrize("engine", [True, False])
async def test_an_agent_who_leaves_a_caller_on_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, engine: bool
) -> None:
    """The caller is not left with nobody: the tree goes on as after any conversation, and Asterisk sees to it."""
    if not engine:
        monkeypatch.setattr(Consultations, "_end_hold", lambda _self, _one: None)
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await do(desks, Control.HOLD)
        await asyncio.sleep(1)
        if how == "hangs up":
            desks.phones.bye("agent-1")
        else:
            await key(desks, "*23")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1"]
    assert call.disposition is Disposition.ANSWERED


@pytest.mark.parametrize("engine", [True, False])
async def test_a_caller_who_hangs_up_on_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: bool) -> None:
    """The agent is not left in silence: their channel ends, too, and Asterisk sees to it."""
    if not engine:
        monkeypatch.setattr(Consultations, "_end_hold", lambda _self, _one: None)
    async with talking(tmp_path, seconds=6) as desks:
        await asyncio.sleep(0.5)
        await do(desks, Control.HOLD)
        await desks.room.the_end(10)
        await until(lambda: not desks.phones.talks("agent-1"), 3)
        await until(lambda: "PJSIP/" not in desks.room.pbx.cli("core show channels concise"), 3)


@pytest.mark.parametrize("control", [Control.HOLD, Control.CONSULT])
async def test_a_caller_on_hold_is_not_given_away(tmp_path: Path, control: Control) -> None:
    """Asterisk would give away whoever is in their place: refused, until the agent has taken them back."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await do(desks, control, "102" if control is Control.CONSULT else "")
        with pytest.raises(ConversationRefused, match="take them back first"):
            await do(desks, Control.TRANSFER, "doctor")
        await do(desks, Control.TAKE_BACK if control is Control.CONSULT else Control.RESUME)
        await asyncio.sleep(0.5)
        await do(desks, Control.TRANSFER, "102")
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]


@pytest.mark.parametrize("control", [Control.HOLD, Control.CONSULT])
async def test_a_telephone_that_transfers_a_caller_on_hold(tmp_path: Path, control: Control) -> None:
    """REFER: the caller goes to the target, as the agent means, and not whoever was in their place."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await do(desks, control, "102" if control is Control.CONSULT else "")
        if control is Control.CONSULT:
            await answered(desks)
        desks.phones.refer("agent-1", desks.uri("doctor"))
        await desks.room.reached(lambda call: call.state is CallState.CONNECTED and bool(call.dials), 6)
        await until(lambda: not desks.phones.talks("agent-2"), 3)
        await asyncio.sleep(0.5)
        assert "@callrouter-transfer" not in desks.room.pbx.cli("core show channels concise")
        desks.room.pbx.cli("channel request hangup all")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1"]
    assert next(leg for leg in call.legs if leg.purpose is LegPurpose.CONTACT).answered_at is not None
    assert not any(leg.open for leg in call.legs)


async def test_two_at_once(tmp_path: Path) -> None:
    """One is done, the other refused: their keys do not mix, and one does not pass for the other."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        both = do(desks, Control.CONSULT, "102"), do(desks, Control.HOLD)
        consulted, held = await asyncio.gather(*both, return_exceptions=True)
        await answered(desks)
        await do(desks, Control.TAKE_BACK)
        await asyncio.sleep(0.5)
        await do(desks, Control.HOLD)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert consulted is None
    assert isinstance(held, ConversationRefused)
    assert "something else" in str(held)
    assert [leg.party for leg in consultations_of(call)] == ["agent-2"]


async def test_what_the_agent_keys_afterwards_is_their_own(tmp_path: Path) -> None:
    """A target asked for here does not stay for the next code."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await do(desks, Control.HOLD)
        await do(desks, Control.RESUME)
        left = desks.room.pbx.cli(f"core show channel {desks.channel('agent-1')}")
        desks.phones.bye("agent-1")
        await desks.room.the_end(6)

    assert "*hold" not in [line.partition("=")[2] for line in left.splitlines() if line.startswith("TRANSFER_EXTEN")]


async def test_keypad(tmp_path: Path) -> None:
    """Whoever the agent talks to hears the keys: here, whom they consult."""
    async with talking(tmp_path) as desks:
        await do(desks, Control.KEYPAD, "1")  # for the caller, whose telephone keeps none
        await do(desks, Control.CONSULT, "102")
        await answered(desks)
        await do(desks, Control.KEYPAD, "42#")
        await until(lambda: len(desks.phones.keys("agent-2")) >= 3, 3)
        heard = list(desks.phones.keys("agent-2"))
        desks.phones.bye("agent-1")
        desks.phones.bye("agent-2")
        await desks.room.the_end(6)

    assert heard == ["4", "2", "#"]


async def test_a_call_that_nobody_talks_in(tmp_path: Path) -> None:
    """It is over, or was never there."""
    async with talking(tmp_path) as desks:
        call_id = desks.call.call_id
        desks.phones.bye("agent-1")
        await desks.room.the_end(6)
        for gone in (call_id, "no-such-call"):
            with pytest.raises(ConversationRefused, match="ended"):
                await desks.room.control.do(Control.HOLD, gone)
