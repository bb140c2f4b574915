"""Who we are when we call out, as the carrier reads it in the INVITE, and what it answers, as the record has it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from callrouter.asterisk.alone.ready_made import fallback_of
from callrouter.core.call import Call, CallState, LegFailure, LegPurpose, replace
from callrouter.core.explain import explain
from callrouter.core.identity import Forwarding, Identity, Shows
from callrouter.core.nodes import DialNode, HangupNode, RedirectNode
from callrouter.core.plan import Plan
from callrouter.core.rota import Contact
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, plan_of, until
from tests.asterisk.wire import wire_caller

OPERATOR: Final = "+33199000000"
CLIENT: Final = "+33199000019"
NUMBER: Final = "+33612340099"
FORWARDER: Final = "+33140000009"
TALKER = "+33639980005"
DOCTOR, NURSE, STRANGER, CRANK = "+33639980001", "+33639980002", "+33639980003", "+33639980004"
HABITS: Final = {TALKER: Habit.ANSWERS, DOCTOR: Habit.RINGS, NURSE: Habit.BUSY, CRANK: Habit.DECLINES}
"""At STRANGER's number there is nobody (404)."""
SHOWN: Final = f"<sip:{NUMBER}@127.0.0.1>"
TRUNK: Final = "PJSIP/{number}@trunk-out"
HIDDEN: Final = "<sip:anonymous@anonymous.invalid>"

OURS = Identity(shows=Shows.OPERATOR, number=OPERATOR)
THEIRS = Identity(shows=Shows.CLIENT, number=CLIENT, forwarding=Forwarding.DIVERSION)
CALLERS = Identity(shows=Shows.CALLER, number=OPERATOR, forwarding=Forwarding.HISTORY_INFO)

IDENTITIES: Final = [
    # identity, From of the caller, further headers; number shown, forwarded by (Diversion), first entry of History-Info
    (None, (SHOWN,), NUMBER, "", ""),
    (OURS, (SHOWN,), OPERATOR, "", ""),
    (OURS, (f'"Jean" {SHOWN}', f"Diversion: <sip:{FORWARDER}@127.0.0.1>;reason=unconditional"), OPERATOR, "", ""),
    (OURS, (HIDDEN,), OPERATOR, "", ""),
    (THEIRS, (SHOWN,), CLIENT, DID, ""),
    (THEIRS, (SHOWN, f"Diversion: <sip:{FORWARDER}@127.0.0.1>;reason=unconditional"), CLIENT, DID, ""),
    (THEIRS, (SHOWN, "Privacy: id"), CLIENT, DID, ""),
    (CALLERS, (SHOWN,), NUMBER, "", DID),
    (CALLERS, (SHOWN, "Privacy: id"), OPERATOR, "", DID),
    (CALLERS, ("<sip:unavailable@unknown.invalid>",), OPERATOR, "", DID),
]


def plan(identity: Identity | None, *numbers: str, at_once: bool = False) -> Plan:
    """Everybody is put through to these numbers, in turn or at once; Asterisk alone would ring the first."""
    people = tuple(Contact(name=f"c{place}", number=number) for place, number in enumerate(numbers))
    nodes = (
        DialNode(name="doctors", contacts=people, at_once=at_once, exits={"no_answer": "bye"}),
        RedirectNode(name="number", number=numbers[0], exits={"failed": "bye"}),
        HangupNode(name="bye"),
    )
    return replace(plan_of(*nodes, fallback="number"), identity=identity)


@asynccontextmanager
async def a_carrier(folder: Path, pjsip: str = "") -> AsyncIterator[tuple[Pbx, Carrier]]:
    """An Asterisk whose carrier has these numbers."""
    carrier = await Carrier.open(HABITS)
    with Pbx.start(folder / "pbx", agents=1, carrier=carrier.contact, extra_conf={"pjsip": pjsip}) as pbx:
        try:
            yield pbx, carrier
        finally:
            await carrier.close()


def said(invite: dict[str, str]) -> tuple[str, str, str]:
    """Who calls, who forwarded the call (Diversion), and by whom it came first (History-Info)."""
    found = [re.search(r"sip:([^@>;]+)@", invite.get(name, "")) for name in ("from", "diversion", "history-info")]
    shown, diverted, history = (one[1].replace("%2B", "+") if one else "" for one in found)
    return shown, diverted, history


def check(invite: dict[str, str], form: tuple[str, ...], shown: str, diverted: str, history: str) -> None:
    assert said(invite) == (shown, diverted, history), (form, invite)
    everything = "\n".join(value for name, value in invite.items() if name not in ("to", "number"))
    assert (NUMBER in everything) is (shown == NUMBER), (form, invite)
    assert FORWARDER not in everything, (form, invite)
    assert "Jean" not in everything, (form, invite)
    assert "privacy" not in invite, (form, invite)


async def test_whoever_is_rung_sees_what_is_declared(tmp_path: Path) -> None:
    """By the engine's dial, and by Asterisk alone when there is none."""
    async with a_carrier(tmp_path) as (pbx, carrier):
        for identity, form, *expected in IDENTITIES:
            async with engine_room(pbx, plan(identity, DOCTOR), dial=TRUNK) as room:
                invite = await rung(pbx, carrier, room, *form)
            check(invite, form, *expected)
            alone = await rung_alone(pbx, carrier, plan(identity, DOCTOR), *form)
            check(alone, form, *expected)


async def test_a_node_shows_what_it_says_itself(tmp_path: Path) -> None:
    """Whatever the client's other calls show: the engine's dial, its redirect, and Asterisk alone."""
    async with a_carrier(tmp_path) as (pbx, carrier):
        for identity, form, *expected in ((OURS, (SHOWN,), OPERATOR, "", ""), (CALLERS, (SHOWN,), NUMBER, "", DID)):
            declared = plan(THEIRS, DOCTOR)
            for start in ("doctors", "number"):
                declared = showing(declared, identity, start)
                async with engine_room(pbx, declared, dial=TRUNK) as room:
                    check(await rung(pbx, carrier, room, *form), form, *expected)
            check(await rung_alone(pbx, carrier, declared, *form), form, *expected)


async def test_nothing_that_follows_shows_the_caller(tmp_path: Path) -> None:
    """Asterisk tells a callee of who is connected, too, where the carrier takes P-Asserted-Identity."""
    asserted = "[trunk-out](+)\nsend_pai = yes\n"
    async with a_carrier(tmp_path, asserted) as (pbx, carrier):
        async with engine_room(pbx, plan(THEIRS, TALKER), dial=TRUNK) as room, wire_caller(pbx) as caller:
            caller.invite(DID, f'"Jean" {SHOWN}')
            await room.reached(lambda call: call.state is CallState.CONNECTED)
            await asyncio.sleep(1)
            caller.bye()
            await room.the_end()
        await until(lambda: any(one.startswith("BYE") for one in carrier.heard), 5)

    everything = "\n".join(carrier.heard)
    assert f"P-Asserted-Identity: <sip:{CLIENT}@" in everything
    assert NUMBER not in everything
    assert "Jean" not in everything


def showing(declared: Plan, identity: Identity | None, start: str) -> Plan:
    """The same, whose nodes say by themselves whose number is shown; it begins with that one."""
    doctors, number = declared.nodes["doctors"], declared.nodes["number"]
    assert isinstance(doctors, DialNode)
    assert isinstance(number, RedirectNode)
    own = {"doctors": replace(doctors, identity=identity), "number": replace(number, identity=identity)}
    return replace(declared, start=start, nodes={**declared.nodes, **own})


async def rung(pbx: Pbx, carrier: Carrier, room: EngineRoom, sender: str, *headers: str) -> dict[str, str]:
    """Call, until the carrier has the INVITE; then hang up."""
    before = len(carrier.invites)
    async with wire_caller(pbx) as caller:
        caller.invite(DID, sender, *headers)
        await until(lambda: len(carrier.invites) > before, 5)
        caller.bye()
        await until(lambda: not room.live and bool(room.ended), 5)
    return carrier.invites[-1]


async def rung_alone(pbx: Pbx, carrier: Carrier, declared: Plan, sender: str, *headers: str) -> dict[str, str]:
    """The same without an engine, for which Asterisk waits no longer than it must here."""
    pbx.cli(f"database put callrouter fallback/{DID} {fallback_of(declared, DID)}")
    pbx.cli("dialplan set global CR_ADMISSION 0.3")
    before = len(carrier.invites)
    async with wire_caller(pbx) as caller:
        caller.invite(DID, sender, *headers)
        await until(lambda: len(carrier.invites) > before, 5)
        caller.bye()
    pbx.cli("dialplan set global CR_ADMISSION 5")
    return carrier.invites[-1]


@pytest.mark.parametrize("at_once", [False, True])
async def test_what_the_network_answered_is_in_the_record(tmp_path: Path, at_once: bool) -> None:
    """Its SIP status, and Q.850's cause by its Reason header, of each who was not reached."""
    async with a_carrier(tmp_path) as (pbx, _):
        declared = plan(THEIRS, NURSE, STRANGER, CRANK, at_once=at_once)
        async with engine_room(pbx, declared, dial=TRUNK) as room, wire_caller(pbx) as caller:
            caller.invite(DID, SHOWN)
            call = await room.the_end()

    heard = [(one.leg if at_once else place, one.sip, one.cause) for place, one in failures(call)]
    assert sorted(heard) == [(0, 486, 17), (1, 404, 1), (2, 603, 21)]
    assert {dial.shown for dial in call.dials} == {CLIENT}
    told = "\n".join(explain(call))
    assert f"as {CLIENT}" in told
    assert "SIP 603 cause 21 by trunk-out" in told
    assert {leg.trunk for leg in call.legs if leg.purpose is LegPurpose.CONTACT} == {"trunk-out"}


async def test_by_which_carrier_each_leg_went_is_in_the_record(tmp_path: Path) -> None:
    """The caller's, and that of whoever answered."""
    async with (
        a_carrier(tmp_path) as (pbx, _),
        engine_room(pbx, plan(OURS, TALKER), dial=TRUNK) as room,
        wire_caller(pbx) as caller,
    ):
        caller.invite(DID, SHOWN)
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        caller.bye()
        call = await room.the_end()

    assert {leg.purpose: leg.trunk for leg in call.legs} == {
        LegPurpose.CALLER: "trunk",
        LegPurpose.CONTACT: "trunk-out",
    }
    told = "\n".join(explain(call))
    assert "came by trunk\n" in told
    assert "c0: accepted (by trunk-out)" in told


def failures(call: Call) -> list[tuple[int, LegFailure]]:
    """Each with the place of its dial."""
    return [(place, failure) for place, dial in enumerate(call.dials) for failure in dial.failures]
