"""A whole engine without store and HTTP, on the tests' Asterisk: driver, switch and link, for one plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

from callrouter.asterisk.adoption.adopting import Adoption, Find
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.pbx.agent_watch import AgentWatch, Follower
from callrouter.asterisk.supervision.listening import Supervision
from callrouter.asterisk.supervision.recordings import Conversations
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.transfers.consultations import Consultations
from callrouter.asterisk.transfers.control import CallControl
from callrouter.core import facts
from callrouter.core.call import Call
from callrouter.core.effects import Lookup, Sound
from callrouter.core.facts import Fact
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.ports import NOBODY, Directory, Inbox
from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Pbx
from tests.patience import START_SECONDS

DID = "+33199000010"
EVERY_KIND: frozenset[type[Fact]] = frozenset(get_args(Fact))

# Who calls, who is called: Local channels run these, so that no telephone is needed.
EXTENSIONS = """
[test-caller]
; Sends no media at all: WaitExten, unlike Wait, knows no transmit_silence.
exten => listen,1,WaitExten(60)
exten => _leave-.,1,Wait(${EXTEN:6})
 same => n,Hangup()
exten => _key-.,1,Wait(0.7)
 same => n,SendDTMF(${EXTEN:4},120,80)
 same => n,Wait(60)

; A caller whose number is shown: `visible` and the number they dial.
exten => _visible.,1,Set(CALLERID(num)=+33612340009)
 same => n,Set(CALLERID(num-pres)=allowed)
 same => n,Goto(callrouter-entry,${EXTEN:7},1)

; A caller who withholds their number: `withheld` and the number they dial.
exten => _withheld.,1,Set(CALLERID(num)=+33612340009)
 same => n,Set(CALLERID(num-pres)=prohib)
 same => n,Goto(callrouter-entry,${EXTEN:8},1)

exten => speak,1,Wait(0.7)
 same => n,SendDTMF(1,120,80)
 same => n,Playback(please-try-call-later)
 same => n,SendDTMF(#,120,80)
 same => n,Wait(60)

exten => speak-long,1,Wait(0.7)
 same => n,SendDTMF(1,120,80)
 same => n,Playback(demo-thanks&demo-thanks&demo-thanks)
 same => n,Wait(60)

exten => speak-and-go,1,Wait(0.7)
 same => n,SendDTMF(1,120,80)
 same => n,Playback(please-try-call-later)
 same => n,Hangup()

; Somebody at a telephone that sends silence.
exten => say-nothing,1,Wait(0.7)
 same => n,SendDTMF(1,120,80)
 same => n,Playback(silence/3)
 same => n,Hangup()

[test-phone]
exten => +33639980001,1,Answer()
 same => n,Wait(0.4)
 same => n,SendDTMF(1)
 same => n,Wait(${TALK})
exten => +33639980002,1,Answer()
 same => n,Wait(30)
exten => +33639980003,1,Busy(1)
exten => +33639980004,1,Ringing()
 same => n,Wait(30)
exten => +33639980005,1,Answer()
 same => n,Wait(0.3)
 same => n,Hangup()
exten => +33639980006,1,Ringing()
 same => n,Wait(1.5)
 same => n,Goto(+33639980001,1)
exten => +33639980007,1,Ringing()
 same => n,Wait(2.5)
 same => n,Answer()
 same => n,Wait(1.5)
 same => n,SendDTMF(1)
 same => n,Wait(${TALK})
exten => slow-agent,1,Ringing()
 same => n,Wait(1.5)
 same => n,Answer()
 same => n,Wait(${TALK})
exten => agent,1,Ringing()
 same => n,Wait(0.3)
 same => n,Answer()
 same => n,Wait(${TALK})
"""

QUEUES = """
[test]
strategy = ringall
timeout = 15
member => Local/agent@test-phone/n,0,agent-test
[slow]
strategy = ringall
timeout = 15
setinterfacevar = yes
setqueueentryvar = yes
member => Local/slow-agent@test-phone/n,0,agent-slow
[empty]
joinempty = no
[quiet]
joinempty = yes
"""


@dataclass(kw_only=True)
class EngineRoom:
    """What a test looks at and turns."""

    pbx: Pbx
    link: AmiLink
    switch: AsteriskSwitch
    driver: Driver
    calls: LiveCalls
    conversations: Conversations
    supervision: Supervision
    control: CallControl
    adoption: Adoption
    seen: list[Fact] = field(default_factory=list)
    round_trips: list[float] = field(default_factory=list)

    def observe(self, told: Sequence[Fact]) -> None:
        """As an Observer."""
        self.seen.extend(told)

    def observe_decision(self, seconds: float) -> None:
        """As a Meter."""

    def observe_round_trip(self, seconds: float) -> None:
        """As a Meter."""
        self.round_trips.append(seconds)

    async def call(self, behaviour: str = "listen", did: str = DID, *, talk_seconds: float = 1.0) -> None:
        """A caller rings `did` and, once answered, does what the extension of [test-caller] says."""
        await asyncio.to_thread(self.pbx.cli, f"dialplan set global TALK {talk_seconds}")
        await asyncio.to_thread(
            self.pbx.cli, f"channel originate Local/{did}@callrouter-entry/n extension {behaviour}@test-caller"
        )

    @property
    def ended(self) -> list[Call]:
        """The calls that are over, each once for every time it was concluded."""
        return [fact.call for fact in self.seen if isinstance(fact, facts.CallEnded)]

    @property
    def live(self) -> list[Call]:
        """The calls in progress."""
        return [live.call for live in self.calls]

    async def the_end(self, seconds: float = 15) -> Call:
        """The one call, when it is over."""
        await self._until(lambda: bool(self.ended), seconds)
        return self.ended[0]

    async def reached(self, what: Callable[[Call], bool], seconds: float = 10) -> Call:
        """The one live call, once it is as asked."""
        await self._until(lambda: any(what(call) for call in self.live), seconds)
        return next(call for call in self.live if what(call))

    async def _until(self, true: Callable[[], bool], seconds: float) -> None:
        """Wait for it; where it does not come, say how far it went."""
        try:
            await until(true, seconds)
        except TimeoutError as late:
            raise AssertionError(f"not within {seconds} s\n{await asyncio.to_thread(self._tell)}") from late

    def _tell(self) -> str:
        """What the engine and Asterisk say of every call now."""
        lines = [f"live: {call!r}" for call in self.live] + [f"told: {type(fact).__name__}" for fact in self.seen]
        channels = [line.split("!", 1)[0] for line in self.pbx.cli("core show channels concise").splitlines()]
        return "\n".join([*lines, *(self.pbx.cli(f"core show channel {channel}") for channel in channels)])


async def read_all(link: AmiLink) -> None:
    """Asterisk has read all of its orders: AMI carries out one action after the other.

    Of a connection that is reset it may not read the last of them, and a call is then where it was before them.
    """
    await link.send("Ping", {})


async def cut(link: AmiLink) -> None:
    """Once Asterisk has read all of its orders; it connects again by itself."""
    await read_all(link)
    link._session.abort("cut by the test")


async def killed(link: AmiLink, then_seconds: float = 0.0) -> None:
    """Its engine is, without a farewell, once Asterisk has read all of its orders; nobody is there for so long."""
    await read_all(link)
    link._closing.set()
    link._session.abort("killed by the test")
    await asyncio.sleep(then_seconds)


@asynccontextmanager
async def deafness(room: EngineRoom) -> AsyncIterator[None]:
    """The link is cut, and whatever Asterisk says until the end of the block is not heard; then it is up again."""
    handlers, connections = dict(room.link._events), room.link.counters.connections
    await read_all(room.link)
    room.link._events.update(dict.fromkeys(handlers, lambda _: None))
    room.link._session.abort("cut by the test")
    try:
        yield
    finally:
        await until(lambda: room.link.counters.connections > connections, 8)
        room.link._events.update(handlers)


async def until(true: Callable[[], bool], seconds: float, *, every_seconds: float = 0.01) -> None:
    """Wait for it."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(every_seconds)


def plan_of(*nodes: Node, fallback: str = "") -> Plan:
    """A plan that starts with the first of these nodes."""
    return Plan(
        client="test",
        name="Test",
        version="0123456789ab",
        numbers=(DID,),
        timezone="Europe/Paris",
        language="en",
        start=nodes[0].name,
        nodes={node.name: node for node in nodes},
        fallback=fallback,
    )


@dataclass(frozen=True)
class OnePlan:
    """Everybody calls the same client."""

    plan: Plan

    def for_did(self, did: str) -> Plan:
        """As Plans."""
        return self.plan


class NobodyAnswers:
    """Web services that never answer: the test does, or nobody."""

    def tells(self, inbox: Inbox) -> None:
        """As WebServices."""

    def start(self, call_id: str, step: int, lookup: Lookup) -> None:
        """As WebServices."""

    def cancel(self, call_id: str) -> None:
        """As WebServices."""


@asynccontextmanager
async def engine_room(
    pbx: Pbx,
    plan: Plan,
    web: Lookups | None = None,
    *,
    dial: str = "Local/{number}@test-phone/n",
    pause: Sound | None = None,
    wire: Callable[[AmiLink], None] = lambda _: None,
    follower: Follower | None = None,
    directory: Directory = NOBODY,
    epoch: int = 0,
    find: Find | None = None,
) -> AsyncIterator[EngineRoom]:
    """The engine, logged in; what calls are left are hung up. `dial` is how numbers are dialled; `wire` subscribes more
    to the link; a `follower` is told of agents.
    """
    rooms: list[EngineRoom] = []

    class Eyes:
        interests = EVERY_KIND

        def observe(self, told: Sequence[Fact]) -> None:
            rooms[0].observe(told)

        def observe_decision(self, seconds: float) -> None:
            pass

        def observe_round_trip(self, seconds: float) -> None:
            rooms[0].observe_round_trip(seconds)

    eyes, clock, calls, tasks = Eyes(), SystemClock(), LiveCalls(), Tasks()
    address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
    link = AmiLink(address)
    places = Places(recordings_dir=str(pbx.recordings_dir), dial_pattern=dial, directory=directory, pause=pause)
    switch = AsteriskSwitch(link, clock=clock, meter=eyes, places=places, region="FR")
    asked = web or NobodyAnswers()
    conversations = Conversations(
        link,
        calls,
        channel_of=switch.channel_of,
        tell=lambda call_id, told: driver.tell(call_id, told),
        now=clock.now,
        folder=pbx.recordings_dir,
        tasks=tasks,
    )
    supervision = Supervision(
        link,
        calls,
        channel_of=switch.channel_of,
        follow=switch.follow,
        tell=lambda call_id, told: driver.tell(call_id, told),
        now=clock.now,
        directory=directory,
    )
    listeners = Listeners([eyes, conversations, supervision])
    driver = Driver(
        switch, asked, plans=OnePlan(plan), clock=clock, listeners=listeners, meter=eyes, calls=calls, epoch=epoch
    )

    async def find_it(client: str, version: str) -> Plan | None:
        return plan if (client, version) == (plan.client, plan.version) else None

    clock.tells(driver.redate)
    wire(link)
    adopting = partial(Adoption, link, switch, driver, find=find or find_it, clock=clock, tasks=tasks)
    consultations = Consultations(link, switch, calls, places=places, tell=driver.tell, now=clock.now)
    control = CallControl(link, calls, consultations, directory, link_up=lambda: link.state is LinkState.UP)
    if follower is not None:
        tasks.start(AgentWatch(link, follower, clock.now).run(), "watch over agents")
    rooms.append(
        EngineRoom(
            pbx=pbx,
            link=link,
            switch=switch,
            driver=driver,
            calls=calls,
            conversations=conversations,
            supervision=supervision,
            control=control,
            adoption=adopting(also=control.take_up),
        )
    )
    tasks.start(link.run(), "link")
    await until(lambda: link.state is LinkState.UP, START_SECONDS)
    try:
        yield rooms[0]
    finally:
        await asyncio.to_thread(pbx.cli, "channel request hangup all")
        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 10)
        await link.close()
        await tasks.stop()
