"""A line to the PBX that is cut, stalls, is slow or flooded, at a random instant among callers: every row is right.

Each caller's telephone keeps what it did and when (in AstDB, to a thousandth of a second), and rows are compared with
that.
`LINK_FAULT_ROUNDS` makes more rounds than one; `LINK_FAULT_SEED` repeats one.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from callrouter.asterisk.adoption.adopting import Adoption
from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.link import LinkState
from callrouter.core.call import Call, Disposition
from callrouter.core.nodes import HangupNode, MenuNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.errors import AmiError
from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, QUEUES, EngineRoom, engine_room, plan_of, until
from tests.asterisk.test_journal import lookup
from tests.asterisk.test_switch import ONE_SECOND
from tests.weak_line import WeakLine, weak_line

CALLERS: Final = 12
RIGHT_SECONDS: Final = 0.5
"""How far a time in a row may be from what the telephone says."""
ROUNDS: Final = int(os.environ.get("LINK_FAULT_ROUNDS", "1"))
SEED: Final = int(os.environ.get("LINK_FAULT_SEED", "0")) or secrets.randbelow(10**6)

# A caller is four digits of their own and what they do: press 1 (and hear something), press 2 (and talk to an agent,
# who hangs up), leave in the middle of the prompt, or keep silent until the call is over.
CALLING = """
[weak-from]
exten => _XXXX.,1,Set(CALLERID(num)=+3361234${EXTEN:0:4})
 same => n,Set(CALLERID(num-pres)=allowed)
 same => n,Goto(callrouter-entry,${EXTEN:4},1)

[weak-caller]
exten => _XXXX.,1,Set(WHO=${EXTEN:0:4})
 same => n,Set(CHANNEL(hangup_handler_push)=weak-over,s,1)
 same => n,Set(DB(weak/answered/${WHO})=${STRFTIME(,,%s.%3q)})
 same => n,Goto(weak-${EXTEN:4},s,1)

[weak-over]
exten => s,1,Set(DB(weak/over/${WHO})=${STRFTIME(,,%s.%3q)})
 same => n,Return()

[weak-one]
exten => s,1,Wait(0.7)
 same => n,SendDTMF(1,120,80)
 same => n,Wait(60)
[weak-two]
exten => s,1,Wait(0.7)
 same => n,SendDTMF(2,120,80)
 same => n,Wait(60)
[weak-leave]
exten => s,1,Wait(2.2)
 same => n,Hangup()
[weak-silent]
exten => s,1,Wait(60)
"""
BEHAVIOURS: Final = {
    "one": (Disposition.SELF_SERVED, [("menu", "key:1"), ("after", "next"), ("bye", "end")]),
    "two": (Disposition.ANSWERED, [("menu", "key:2"), ("queue", "end")]),
    "leave": (Disposition.LEFT_EARLY, []),
    "silent": (Disposition.SELF_SERVED, [("menu", "no_input"), ("bye", "end")]),
}
PLAN = plan_of(
    MenuNode(
        name="menu",
        sounds=ONE_SECOND * 4,
        keys=("1", "2"),
        timeout_seconds=1.0,
        no_input_retries=0,
        no_match_retries=0,
        exits={"key:1": "after", "key:2": "queue", "no_input": "bye", "no_match": "bye"},
    ),
    PlayNode(name="after", sounds=ONE_SECOND * 2, interruptible=False, exits={"next": "bye"}),
    QueueNode(name="queue", queue="test", max_wait_seconds=20.0, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    folder = tmp_path_factory.mktemp("faults")
    extra = {"extensions": EXTENSIONS + CALLING, "queues": QUEUES.replace("ringall", "ringall\nsetinterfacevar = yes")}
    with Pbx.start(folder / "pbx", admission_seconds=10, lease_seconds=5, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


@asynccontextmanager
async def room_over(pbx: Pbx, line: WeakLine) -> AsyncIterator[tuple[EngineRoom, list[Call]]]:
    """An engine at the other end of a line, which does after each log-in what the real one does; and the calls that
    nobody saw and Asterisk's journal had.
    """
    collected: list[Call] = []
    tasks = Tasks()
    async with engine_room(replace(pbx, ami_port=line.port), PLAN) as room:
        journal = EndedJournal(room.link, lookup(PLAN), "FR", live=room.calls.__contains__)
        journal.tells(room.switch.end_overlooked)

        async def find(client: str, version: str) -> Plan | None:
            return PLAN

        clock = room.driver._clock
        adoption = Adoption(room.link, room.switch, room.driver, find=find, clock=clock, tasks=tasks)

        async def after_login() -> None:
            try:
                await room.switch.resync(room.calls.call_of)
                await adoption.finish(await adoption.run())
                await journal.collect(lambda told: collected.append(told.call))
            except AmiError:
                pass  # the next log-in does it again

        def on_state(state: LinkState, _: str) -> None:
            if state is LinkState.UP:
                room.switch.hold()
                tasks.start(after_login(), "after log-in")

        room.link.tells(on_state=on_state)
        observe = room.observe
        room.observe = lambda told: (journal.observe(told), observe(told))[1]  # type: ignore[method-assign, func-returns-value]
        yield room, collected
        line.heal()
        await tasks.stop()


async def ring(pbx: Pbx, number: int, behaviour: str) -> None:
    """A caller who does so, `number` being who they are."""
    where = f"Local/{number:04}{DID}@weak-from/n extension {number:04}{behaviour}@weak-caller"
    await asyncio.to_thread(pbx.cli, f"channel originate {where}")


def told_by_telephones(pbx: Pbx, what: str) -> dict[str, datetime]:
    """When, by caller."""
    found = {}
    for line in pbx.cli(f"database show weak/{what}").splitlines():
        key, _, value = line.partition(":")
        if key.startswith("/weak/"):
            found[key.strip().rsplit("/", 1)[1]] = datetime.fromtimestamp(float(value), UTC)
    return found


def wrong(call: Call, behaviour: str, answered_at: datetime, over_at: datetime) -> list[str]:
    """What a row has otherwise than the telephone."""
    disposition, path = BEHAVIOURS[behaviour]
    found = [(visit.node, visit.exit) for visit in call.visits]
    told = []
    if call.disposition is not disposition or found != path:
        told.append(f"{behaviour}: {call.disposition}, {found}")
    for name, at, true in (
        ("answered", call.clocks.answered_at, answered_at),
        ("over", call.clocks.ended_at, over_at),
    ):
        if at is None or abs((at - true).total_seconds()) > RIGHT_SECONDS:
            told.append(f"{behaviour}: {name} at {at}, by the telephone at {true}")
    return told


async def fault(line: WeakLine, kind: str, chance: random.Random) -> None:
    """One, at an instant and for a time that chance says."""
    await asyncio.sleep(chance.uniform(0.5, 4.0))
    match kind:
        case "cut":
            line.cut()
        case "away":
            line.cut(refuse=True)
            await asyncio.sleep(chance.uniform(0.5, 2.0))
        case "stalled":
            line.silence()
            await asyncio.sleep(chance.uniform(1.0, 4.0))
        case "slow":
            line.slow(0.3)
            await asyncio.sleep(4)
        case "flooded":
            flood = (
                b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: PJSIP/nobody\r\nPeerStatus: Reachable\r\n\r\n"
                * 40
            )
            line.through = lambda data: data + flood if data.endswith(b"\r\n\r\n") else data
            await asyncio.sleep(4)
    line.heal()


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("kind", ["cut", "away", "stalled", "slow", "flooded"])
async def test_every_row_is_what_the_telephone_says(pbx: Pbx, kind: str, round_: int) -> None:
    """No row is wrong, none is missing and none is there twice; nobody is lost to the fallback."""
    seed = f"{SEED}-{round_}"
    chance = random.Random(f"{seed}-{kind}")
    for family in ("weak", "callrouter/ended"):
        pbx.cli(f"database deltree {family}")
    pbx.cli("dialplan set global TALK 2")
    behaviours = [chance.choice(list(BEHAVIOURS)) for _ in range(CALLERS)]
    async with (
        weak_line(lambda: asyncio.open_connection(pbx.ami_host, pbx.ami_port)) as line,
        room_over(pbx, line) as (room, collected),
    ):
        breaking = asyncio.get_running_loop().create_task(fault(line, kind, chance))
        for number, behaviour in enumerate(behaviours):
            await ring(pbx, number, behaviour)
            await asyncio.sleep(chance.uniform(0.0, 0.4))
        await breaking
        await until(lambda: len(told_by_telephones(pbx, "over")) == CALLERS, 40)
        await until(lambda: len(room.ended) + len(collected) >= CALLERS, 10)
        await asyncio.sleep(0.5)
        rows = [*room.ended, *collected]
        answered, over = told_by_telephones(pbx, "answered"), told_by_telephones(pbx, "over")
    who = [str(call.caller.number)[-4:] for call in rows]
    faults = [
        f"caller {name}: {text}"
        for call, name in zip(rows, who, strict=True)
        for text in wrong(call, behaviours[int(name)], answered[name], over[name])
    ]

    assert sorted(who) == sorted(over), f"seed {seed}"
    assert not faults, "\n".join([f"seed {seed}", *faults])
