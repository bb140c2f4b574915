"""Who calls, as SIP says it in all its ways, on a real Asterisk: in record and journal, and on an agent's phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callrouter.core.call import Call, Presentation
from callrouter.core.nodes import AnswerNode, HangupNode, QueueNode
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, plan_of, until
from tests.asterisk.wire import wire_caller
from tests.patience import START_SECONDS

AGENT: Final = "agent-1"
HOST: Final = "127.0.0.1"
NUMBER: Final = "+33612340099"
FORWARDER: Final = "+33140000009"
NEVER_SAID: Final = "restricted|private|unknown@|asterisk|0000000000"
SHOWN: Final = f"<sip:{NUMBER}@{HOST}>"
WITHHELD: Final = (Presentation.WITHHELD, None, "")
UNAVAILABLE: Final = (Presentation.UNAVAILABLE, None, "")
UNAUTHENTICATED: Final = (Presentation.UNAUTHENTICATED, None, "")
HIDDEN: Final = "<sip:anonymous@anonymous.invalid>"
PLAN = plan_of(
    AnswerNode(name="answer", exits={"next": "team"}),
    QueueNode(name="team", queue="desk", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)


def shown(name: str = "", number: str = NUMBER) -> tuple[Presentation, str, str]:
    """A caller who is shown."""
    return Presentation.ALLOWED, number, name


def verified(verstat: str) -> str:
    """The caller's number, and what came of authenticating it (3GPP TS 24.229, 7.2A.20)."""
    return f"<sip:{NUMBER};verstat={verstat}@{HOST};user=phone>"


CALLERS: Final = {
    # Numbers that are numbers.
    (SHOWN,): shown(),
    (f'"Jean Dupont" {SHOWN}',): shown("Jean Dupont"),
    (f"<sip:0612340099@{HOST}>",): shown(),
    (f"<sip:{NUMBER};phone-context=+33@{HOST};user=phone>",): shown(),
    (f'"Unknown" {SHOWN}',): shown(),
    (f'"Prive Marie" {SHOWN}',): shown("Prive Marie"),
    (f'"00" {SHOWN}',): shown("00"),
    (SHOWN, "Privacy: none"): shown(),
    (SHOWN, f"P-Asserted-Identity: {SHOWN}"): shown(),
    (f"<sip:unavailable@{HOST}>", f"P-Asserted-Identity: {SHOWN}"): shown(),
    (SHOWN, f"Remote-Party-ID: {SHOWN};party=calling;privacy=off;screen=yes"): shown(),
    # None that can be known.
    ("<sip:unavailable@unknown.invalid>",): UNAVAILABLE,
    ("<sip:Unknown@unknown.invalid>",): UNAVAILABLE,
    (f"<sip:unknown-number@{HOST}>",): UNAVAILABLE,
    (f"<sip:0000000000@{HOST}>",): UNAVAILABLE,
    (f"<sip:+@{HOST}>",): UNAVAILABLE,
    (f"<sip:{HOST}>",): UNAVAILABLE,
    (f'"Jean" <sip:unknown@{HOST}>',): (Presentation.UNAVAILABLE, None, "Jean"),
    (f'"Unavailable" <sip:asterisk@{HOST}>',): UNAVAILABLE,
    # Callers who do not want to be shown, whatever else is said of them.
    ('"Anonymous" <sip:anonymous@anonymous.invalid>',): WITHHELD,
    ("<sip:ANONYMOUS@anonymous.invalid>",): WITHHELD,
    (f"<sip:Restricted@{HOST}>",): WITHHELD,
    (f'"Jean" <sip:private@{HOST}>',): WITHHELD,
    (f"<sip:Private%20Number@{HOST}>",): WITHHELD,
    (f'"Anonymous" {SHOWN}',): WITHHELD,
    (f'"Numero Masque" {SHOWN}',): WITHHELD,
    ('"Anonymous" <sip:anonymous.invalid>',): WITHHELD,
    (SHOWN, "Privacy: id"): WITHHELD,
    (f'"Jean" {SHOWN}', "privacy: user;id"): WITHHELD,
    (SHOWN, "Privacy: full"): WITHHELD,
    (SHOWN, f"P-Asserted-Identity: {SHOWN}", "Privacy: id"): WITHHELD,
    ("<sip:anonymous@anonymous.invalid>", f"P-Asserted-Identity: {SHOWN}"): WITHHELD,
    (SHOWN, f"Remote-Party-ID: {SHOWN};privacy=full"): WITHHELD,
    (SHOWN, f"Remote-Party-ID: {SHOWN};privacy=uri"): WITHHELD,
    (f"<sip:{NUMBER}@anonymous.invalid>", "Privacy: header"): WITHHELD,
    (HIDDEN, f"P-Asserted-Identity: {verified('TN-Validation-Passed')}", "Privacy: id"): WITHHELD,
    # Callers whom the network hides, or leaves without a number, because it could not authenticate it.
    (HIDDEN, f"P-Asserted-Identity: {verified('TN-Validation-Failed')}", "Privacy: id"): UNAUTHENTICATED,
    (HIDDEN, f"P-Asserted-Identity: {verified('No-TN-Validation')}", "Privacy: id"): UNAUTHENTICATED,
    (HIDDEN, f"p-asserted-identity: <tel:{NUMBER};verstat=No-TN-Validation>"): UNAUTHENTICATED,
    (verified("No-TN-Validation"), "Privacy: user;id"): UNAUTHENTICATED,
    (f"<sip:anonymous;verstat=TN-Validation-Failed@{HOST}>",): UNAUTHENTICATED,
    (f"<sip:unavailable;verstat=No-TN-Validation@{HOST}>",): UNAUTHENTICATED,
    # A number that is shown all the same is one.
    (SHOWN, f"P-Asserted-Identity: {verified('No-TN-Validation')}"): shown(),
    (verified("TN-Validation-Failed"),): shown(),
}
"""From and further headers: presentation, number and name in the record."""

OTHER: Final = f"<sip:+33140000002@{HOST}>"
US: Final = f"<sip:0199000010@{HOST};cause=302>"
FORWARDS: Final = {
    (f"Diversion: <sip:{FORWARDER}@{HOST}>;reason=unconditional",): FORWARDER,
    (f"Diversion: <sip:0140000009;npdi@{HOST}>;reason=no-answer;privacy=off",): FORWARDER,
    (f'Diversion: "Cabinet, Paris" <sip:{FORWARDER}@{HOST}>;reason=user-busy',): FORWARDER,
    (f"Diversion: <sip:{FORWARDER}@{HOST}>;reason=unconditional, {OTHER};reason=user-busy",): FORWARDER,
    (f"History-Info: <sip:{FORWARDER}@{HOST}?Reason=SIP%3Bcause%3D302>;index=1,{US};index=1.1",): FORWARDER,
    (f"History-Info: <sip:{FORWARDER}@{HOST}>;index=1", f"History-Info: {US};index=1.1"): FORWARDER,
    (f"History-Info: <sip:0199000010@{HOST}>;index=1",): None,
    (f"History-Info: <sip:{DID}@{HOST}>;index=1,{US};index=1.1",): None,
    (f"Diversion: <sip:{FORWARDER}@{HOST}>;reason=unconditional;privacy=full",): None,
    (f'Diversion: <sip:{FORWARDER}@{HOST}>;privacy="uri";reason=unconditional',): None,
    (f"Diversion: <sip:{FORWARDER}@{HOST}>;privacy=full, {OTHER};reason=user-busy",): None,
    ("Diversion: <sip:anonymous@anonymous.invalid>;reason=unconditional",): None,
    (f"Diversion: <sip:Unavailable@{HOST}>;reason=unconditional",): None,
    (f"Diversion: <sip:0000000000@{HOST}>;reason=unconditional",): None,
    (f"History-Info: <sip:{FORWARDER}@{HOST}?Privacy=history>;index=1,{US};index=1.1",): None,
    (f"History-Info: <sip:{FORWARDER}@{HOST}>;index=1,{US};index=1.1", "Privacy: history"): None,
    ("History-Info: <sip:anonymous@anonymous.invalid>;index=1", f"History-Info: {US};index=1.1"): None,
}
"""Headers of a call that somebody forwarded: who did, in the record."""


@dataclass(frozen=True)
class Seen:
    """What became of one call."""

    call: Call
    row: str
    """Asterisk's own journal's."""
    phone: dict[str, str]
    """The INVITE that rang the agent."""

    @property
    def said(self) -> str:
        """All that left Asterisk of it."""
        return (
            self.row + self.phone["from"] + self.phone.get("p-asserted-identity", "") + self.phone.get("diversion", "")
        )


@asynccontextmanager
async def an_agent(folder: Path) -> AsyncIterator[tuple[EngineRoom, Carrier]]:
    """One who never picks up, and sees who calls."""
    phones = await Carrier.open({AGENT: Habit.RINGS})
    with Pbx.start(
        folder / "pbx", agents=1, agent_contacts={AGENT: phones.contact}, queue_members={"desk": [AGENT]}
    ) as pbx:
        try:
            async with engine_room(pbx, PLAN) as room:
                await until(lambda: "Avail" in pbx.cli(f"pjsip show aor {AGENT}"), START_SECONDS)
                yield room, phones
        finally:
            await phones.close()


async def seen(room: EngineRoom, phones: Carrier, user: str, sender: str, *headers: str) -> Seen:
    """Call, until the agent's phone rings; then hang up."""
    ended, rung = len(room.ended), len(phones.invites)
    room.pbx.cli("database deltree callrouter ended")
    async with wire_caller(room.pbx) as caller:
        caller.invite(user, sender, *headers)
        await caller.answered()
        await until(lambda: len(phones.invites) > rung, 5)
        caller.bye()
        await until(lambda: len(room.ended) > ended and not room.live, 5)
    return Seen(room.ended[-1], room.pbx.cli("database show callrouter/ended"), phones.invites[-1])


async def test_callers_are_shown_as_they_want_to_be(tmp_path: Path) -> None:
    """One table: what is not in the record is not in the journal either, and not on the agent's phone."""
    found = {}
    async with an_agent(tmp_path) as (room, phones):
        for form in CALLERS:
            one = await seen(room, phones, DID, *form)
            caller = one.call.caller
            found[form] = (caller.presentation, caller.number, caller.name)
            said = re.sub(r"\D", "", one.phone["from"])
            assert ("612340099" in said) is (caller.number is not None), (form, one.phone["from"])
            assert ("612340099" in one.said) is (caller.number is not None), (form, one.said)
            assert ("Jean" in one.said) is ("Jean" in caller.name), (form, one.said)
            assert not re.search("restricted|private|unknown@|asterisk|0000000000", one.said, re.IGNORECASE), (
                form,
                one.said,
            )

    assert found == CALLERS


async def test_who_forwarded_a_call_is_shown_as_they_want_to_be(tmp_path: Path) -> None:
    """By Diversion or History-Info, one entry a line or several."""
    found = {}
    async with an_agent(tmp_path) as (room, phones):
        for headers in FORWARDS:
            one = await seen(room, phones, DID, SHOWN, *headers)
            found[headers] = one.call.diverted_from
            if one.call.diverted_from is None:
                assert "140000009" not in one.said, (headers, one.said)
            assert one.call.caller.number == (None if "Privacy: id" in headers else NUMBER)

    assert found == FORWARDS


async def test_what_is_said_about_a_number_is_no_part_of_it(tmp_path: Path) -> None:
    """Parameters of the number dialled (RFC 3966, RFC 4694) do not make it another one."""
    users = ["0199000010;npdi=yes", f"{DID};npdi;rn=+33199", "0199000010;phone-context=+33", "0199000010%3Bnpdi", DID]
    async with an_agent(tmp_path) as (room, phones):
        dialled = [(await seen(room, phones, user, SHOWN)).call.did for user in users]

    assert dialled == [DID] * len(users)
