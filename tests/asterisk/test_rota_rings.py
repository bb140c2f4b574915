"""Two who are on call together, on a real Asterisk: both telephones ring, and the first to accept has the caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callrouter.core.call import CallState, Disposition
from callrouter.core.nodes import DialNode, HangupNode
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.calendar import RotaBlock
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.shared.calendars import rotas
from callrouter.dialplan.shared.people import Person
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, EngineRoom, engine_room, plan_of, until

SILENT, SLOW = "+33639980004", "+33639980008"
PATIENT = """
[test-phone](+)
exten => +33639980008,1,Ringing()
 same => n,Wait(6)
 same => n,Goto(+33639980001,1)
"""
"""A telephone that rings until both have surely been seen to."""
BYE = HangupNode(name="bye")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers and telephones of its own."""
    extra = {"extensions": EXTENSIONS + PATIENT, "queues": QUEUES}
    with Pbx.start(tmp_path_factory.mktemp("rota") / "pbx", lease_seconds=2, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def two_at_once() -> Rota:
    """As the document writes it."""
    people = {name: Person(name=name, number=number) for name, number in (("silent", SILENT), ("slow", SLOW))}
    written = {"timezone": "Europe/Paris", "cycle": [["silent", "slow"]], "starting": "2026-01-05"}
    block = RotaBlock.model_validate(written)
    found, wrong = rotas({"duty": block}, Document(file="calendars.yaml"), people, unsure=False, year=2026)
    assert wrong == []
    return found["duty"]


def telephones(room: EngineRoom) -> set[str]:
    """The numbers whose telephones are rung now, or talk."""
    channels = room.pbx.cli("core show channels concise").splitlines()
    return {number for number in (SILENT, SLOW) if any(line.startswith(f"Local/{number}@") for line in channels)}


async def test_both_ring_and_the_first_has_the_caller(pbx: Pbx) -> None:
    """In turn means the rota's people, then the next contact: those on call together are one turn."""
    dial = DialNode(name="dial", contacts=(two_at_once(),), ring_seconds=15.0, exits={"no_answer": "bye"})
    async with engine_room(pbx, plan_of(dial, BYE)) as room:
        await room.call(talk_seconds=2)
        await room.reached(lambda call: call.state is CallState.DIALLING)
        await until(lambda: telephones(room) == {SILENT, SLOW}, 5)
        call = await room.the_end(seconds=30)

    assert call.disposition is Disposition.REDIRECTED
    assert len(call.dials) == 1
    assert call.talk_seconds() > 1
