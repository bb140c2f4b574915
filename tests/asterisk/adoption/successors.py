"""Two engines, one after the other, on one real Asterisk: the first one's link ends without a word, and the second logs
in and goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from callrouter.asterisk.adoption.adopting import Find
from callrouter.core.call import TAKEN_OVER, Call
from callrouter.core.effects import Sound
from callrouter.core.facts import CallStarted, CallTakenOver
from callrouter.core.nodes import HangupNode
from callrouter.core.plan import Plan
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.ports import NOBODY, Directory
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, EngineRoom, engine_room, killed

ONE_SECOND = (Sound(file="silence/1", seconds=1.0),)
FIVE_SECONDS = (Sound(file="silence/5", seconds=5.0),)
BYE = HangupNode(name="bye")

KEYS = """
[test-caller]
; press-2-15: after two seconds the keys 1 and 5; keys-2-15-3-6: and after three more the key 6.
exten => _press-.,1,Wait(${CUT(EXTEN,-,2)})
 same => n,SendDTMF(${CUT(EXTEN,-,3)},120,80)
 same => n,Wait(60)
exten => _keys-.,1,Wait(${CUT(EXTEN,-,2)})
 same => n,SendDTMF(${CUT(EXTEN,-,3)},120,80)
 same => n,Wait(${CUT(EXTEN,-,4)})
 same => n,SendDTMF(${CUT(EXTEN,-,5)},120,80)
 same => n,Wait(60)
exten => _hash-.,1,Wait(${CUT(EXTEN,-,2)})
 same => n,SendDTMF(#,120,80)
 same => n,Wait(60)
"""


def asterisk_of(pbx_folder: object) -> Iterator[Pbx]:
    """An Asterisk with callers, telephones and queues of the tests'."""
    extra = {"extensions": EXTENSIONS + KEYS, "queues": QUEUES}
    with Pbx.start(pbx_folder, extra_conf=extra) as running:  # type: ignore[arg-type]
        running.cli("module load res_clioriginate.so")
        yield running


@dataclass(kw_only=True)
class Succession:
    """One engine, and another one after it."""

    first: EngineRoom
    _pbx: Pbx
    plan: Plan
    _web: Lookups | None
    _directory: Directory
    _stack: AsyncExitStack

    async def killed(self, then_seconds: float = 0.0) -> None:
        """The first one is; nobody is there for so long."""
        await killed(self.first.link, then_seconds)

    async def second(self, *, plan: Plan | None = None, find: Find | None = None) -> EngineRoom:
        """The next one, which has taken over what there is."""
        made = engine_room(self._pbx, plan or self.plan, self._web, directory=self._directory, epoch=2, find=find)
        room = await self._stack.enter_async_context(made)
        await room.adoption.finish(await room.adoption.run())
        return room


@asynccontextmanager
async def succession(
    pbx: Pbx, plan: Plan, *, web: Lookups | None = None, directory: Directory = NOBODY
) -> AsyncIterator[Succession]:
    """The first one is there."""
    async with engine_room(pbx, plan, web, directory=directory, epoch=1) as first, AsyncExitStack() as stack:
        yield Succession(first=first, _pbx=pbx, plan=plan, _web=web, _directory=directory, _stack=stack)


def path(call: Call) -> list[tuple[str, str]]:
    """Node and exit of every visit, without the stamp."""
    return [(visit.node, visit.exit) for visit in call.visits if visit.exit != TAKEN_OVER]


def taken_over(room: EngineRoom) -> list[str]:
    """Ids of calls that this engine took over."""
    return [fact.call.call_id for fact in room.seen if isinstance(fact, CallTakenOver)]


def begun(room: EngineRoom) -> list[str]:
    """Ids of calls that this engine began."""
    return [fact.call.call_id for fact in room.seen if isinstance(fact, CallStarted)]
