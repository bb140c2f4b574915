"""The engine dies at any instant around a call's end: the call is recorded as what it had come to.

First in one process, with everything that the driver does outside as a possible last act; then on a real Asterisk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from callrouter.asterisk.ended_row import ended_call, read_row, version_of
from callrouter.asterisk.journal import EndedJournal, PlanLookup
from callrouter.asterisk.line.commanded import CommandedLine
from callrouter.asterisk.line.line import Line
from callrouter.asterisk.unseen.unfinished import unseen_end
from callrouter.core import inputs
from callrouter.core.call import Call, CallerId, DialOutcome, Disposition, QueueOutcome, RecordOutcome
from callrouter.core.effects import Effect, Hangup, Lookup, Sound
from callrouter.core.facts import CallCorrected, CallEnded, Fact
from callrouter.core.nodes import (
    AnswerNode,
    HangupNode,
    MenuNode,
    MessageNode,
    QueueNode,
    RedirectNode,
    RejectNode,
)
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.ports import Inbox
from tests.asterisk.adoption.successors import ONE_SECOND, asterisk_of, begun, path, succession, taken_over
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, plan_of, until

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CALL = f"{int(AT.timestamp())}-2-3"
BYE = HangupNode(name="bye")
GOODBYE = HangupNode(name="bye", sounds=(Sound(file="silence/1", seconds=1.0),))
MENU = MenuNode(
    name="menu",
    sounds=ONE_SECOND,
    keys=("1",),
    exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
)
QUEUE = QueueNode(name="queue", queue="test", max_wait_seconds=60.0, exits={"overflow": "bye", "done": "bye"})
REDIRECT = RedirectNode(name="number", number="+33639980001", ring_seconds=20.0, exits={"failed": "bye", "done": "bye"})
MESSAGE = MessageNode(name="message", sounds=ONE_SECOND, min_seconds=0.5, deliver="anne", exits={"done": "bye"})
EMPTY = QueueNode(name="queue", queue="quiet", max_wait_seconds=1.0, exits={"overflow": "bye"})
UP = AnswerNode(name="up", exits={"next": "bye"})
REJECT = RejectNode(name="reject")


class Killed(BaseException):
    """The engine's last act was the one before."""


@dataclass
class World:
    """An engine whose `lives`th act towards the world is its last, and what its death leaves."""

    plan: Plan
    lives: int
    clock: datetime = AT
    dead: bool = False
    on_channel: bytes = b""
    in_journal: bytes = b""
    hung_up: bool = False
    told: list[CallEnded] = field(default_factory=list)
    interests: frozenset[type[Fact]] = frozenset(get_args(Fact))

    def __post_init__(self) -> None:
        self.driver = Driver(
            self, self, plans=self, clock=self, listeners=Listeners([self]), meter=self, calls=LiveCalls(), keeper=self
        )

    def act(self) -> None:
        if self.lives == 0:
            self.dead = True
        if self.dead:
            raise Killed
        self.lives -= 1

    def tell(self, told: Callable[[Call], inputs.Input]) -> None:
        self.clock += timedelta(seconds=1)
        if (live := self.driver.calls.get(CALL)) is not None:
            self.driver.tell(CALL, told(live.call))

    # As the ports of the driver.

    def tells(self, inbox: Inbox) -> None: ...

    def start(self, call_id: str, step: int, lookup: Lookup) -> None: ...

    def cancel(self, call_id: str) -> None: ...

    def observe_decision(self, seconds: float) -> None: ...

    def observe_round_trip(self, seconds: float) -> None: ...

    def for_did(self, did: str) -> Plan:
        return self.plan

    def now(self) -> datetime:
        return self.clock

    def note(self, call_id: str, encoded: bytes) -> None:
        self.act()
        self.in_journal = encoded

    def perform(self, call: Call, encoded: bytes, effects: Sequence[Effect]) -> None:
        """One write: it arrives wholly, or not at all."""
        self.act()
        self.on_channel = encoded or self.on_channel
        self.hung_up = isinstance(effects[-1], Hangup)

    def keep(self, call: Call, encoded: bytes) -> None:
        self.act()
        self.on_channel = encoded

    def release(self, call_id: str) -> None:
        self.act()

    def observe(self, told: Sequence[Fact]) -> None:
        self.act()
        self.told += [fact for fact in told if isinstance(fact, CallEnded)]

    # What is left.

    def of_asterisk(self, *, how: str = "new") -> Call:
        """The call by its row in Asterisk's journal."""
        now = int(self.clock.timestamp())
        value = f"v2|{now}|16|{DID}|a|+33612340001|{how}||||{self.on_channel.decode()}"
        row = read_row(f"/callrouter/ended/{CALL}", value, timedelta(seconds=0.5))
        assert row is not None
        return ended_call(row, self.plan if version_of(row) else None, self.plan, "FR")

    def of_ours(self) -> Call:
        """The call by the engine's own journal."""
        return unseen_end(self.plan, self.in_journal, self.clock)


Told = Callable[[Call], inputs.Input]


def prompt_ended(world: World) -> Told:
    return lambda call: inputs.PromptEnded(step=call.step, at=world.clock)


def of(kind: Callable[..., inputs.Input], **fields: object) -> Callable[[World], Told]:
    """An input for whatever step the call is in."""
    return lambda world: lambda call: kind(step=call.step, at=world.clock, **fields)


def heard(kind: Callable[..., inputs.Input], **fields: object) -> Callable[[World], Told]:
    """An input that names no step."""
    return lambda world: lambda call: kind(at=world.clock, **fields)


ENDS: Mapping[str, tuple[Disposition, Plan, Sequence[Callable[[World], Told]]]] = {
    "self_served": (Disposition.SELF_SERVED, plan_of(GOODBYE), [prompt_ended]),
    "self_served without a word": (Disposition.SELF_SERVED, plan_of(UP, BYE), [of(inputs.CallAnswered)]),
    "rejected": (Disposition.REJECTED, plan_of(REJECT), []),
    "failed": (
        Disposition.FAILED,
        plan_of(MENU, BYE),
        [of(inputs.CommandFailed, reason="no such file")],
    ),
    "abandoned": (Disposition.ABANDONED, plan_of(QUEUE, BYE), [of(inputs.QueueLeft, outcome=QueueOutcome.TIMEOUT)]),
    "answered": (
        Disposition.ANSWERED,
        plan_of(QUEUE, BYE),
        [heard(inputs.AgentAnswered, agent="anne"), of(inputs.QueueLeft, outcome=QueueOutcome.ANSWERED)],
    ),
    "redirected": (
        Disposition.REDIRECTED,
        plan_of(REDIRECT, BYE),
        [heard(inputs.LegAnswered, leg=0), of(inputs.DialEnded, outcome=DialOutcome.ANSWERED)],
    ),
    "message_left": (
        Disposition.MESSAGE_LEFT,
        plan_of(MESSAGE, BYE),
        [prompt_ended, of(inputs.RecordingEnded, outcome=RecordOutcome.FINISHED, seconds=9.0, heard=True)],
    ),
}


def killed_after(acts: int, plan: Plan, script: Sequence[Callable[[World], Told]]) -> World:
    world = World(plan, acts)
    try:
        offered = inputs.CallOffered(call_id=CALL, did=DID, caller=CallerId(number="+33612340001"), at=AT)
        world.driver.offer(offered)
        for told in script:
            world.tell(told(world))
        world.tell(heard(inputs.CallerHungUp, by_caller=False)(world))
    except Killed:
        pass
    return world


@pytest.mark.parametrize("name", ENDS)
def test_a_call_that_was_being_hung_up_is_what_the_engine_had_decided(name: str) -> None:
    """Whatever act was its last one, from the hang-up on, and whichever journal is left."""
    expected, plan, script = ENDS[name]
    whole = killed_after(1_000, plan, script)
    [ended] = [fact.call for fact in whole.told]
    assert ended.disposition is expected

    deaths = [killed_after(acts, plan, script) for acts in range(1_000 - whole.lives)]
    of_ends = [world for world in deaths if world.hung_up]
    assert len(of_ends) >= 2
    for world in of_ends:
        for found in (world.of_asterisk(), world.of_ours()):
            assert found.disposition is expected
            assert [visit.node for visit in found.visits] == [visit.node for visit in ended.visits]
            assert [message.seconds for message in found.messages] == [message.seconds for message in ended.messages]
            assert ended.clocks.ended_at is not None
            assert found.clocks.ended_at is not None
            assert abs(found.clocks.ended_at - ended.clocks.ended_at) <= timedelta(seconds=1)
            assert found.revision <= ended.revision


# ------------------------------------------------------------------------------------------------ on a real Asterisk


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """With callers and telephones of its own."""
    yield from asterisk_of(tmp_path_factory.mktemp("ends") / "pbx")


BEFORE, AFTER, ENDED = "before it is asked for", "once it is asked for", "when its end is heard"
REAL: Mapping[str, tuple[Plan, str]] = {
    "self_served": (plan_of(GOODBYE), "listen"),
    "rejected": (plan_of(REJECT), "listen"),
    "message_left": (plan_of(MESSAGE, BYE), "speak"),
    "answered": (plan_of(QUEUE, BYE), "listen"),
    "abandoned": (plan_of(EMPTY, BYE), "listen"),
}


@pytest.mark.parametrize("instant", [BEFORE, AFTER, ENDED])
@pytest.mark.parametrize("name", REAL)
async def test_the_next_engine_records_what_the_killed_one_had_decided(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch, name: str, instant: str
) -> None:
    """It hangs up who is still there, and finds the others in Asterisk's journal: as the tree had ended them."""
    plan, behaviour = REAL[name]
    hang_up, channel_ended, deaths = CommandedLine.hang_up, Line.channel_ended, list[str]()
    async with succession(pbx, plan) as two:

        def die(call_id: str) -> None:
            deaths.append(call_id)
            two.first.link._closing.set()
            two.first.link._session.abort("killed by the test")

        def dying_hang_up(line: CommandedLine, cause: int, encoded: bytes) -> None:
            if deaths:
                hang_up(line, cause, encoded)
                return
            if instant is not BEFORE:
                hang_up(line, cause, encoded)
            if instant is not ENDED:
                die(line.call_id)

        def dying_end(line: Line, cause: int | None, at: datetime | None = None) -> None:
            if deaths:
                channel_ended(line, cause, at)
            else:
                die(line.call_id)

        monkeypatch.setattr(CommandedLine, "hang_up", dying_hang_up)
        monkeypatch.setattr(Line, "channel_ended", dying_end)
        await two.first.call(behaviour)
        await until(lambda: bool(deaths), 30)
        second = await two.second()
        call = await the_end_of(deaths[0], second, plan)

    assert call.disposition is Disposition(name)
    assert path(call)[-1][1] == "end"
    # Its channel may still have been there, when it was asked for.
    assert bool(taken_over(second) or begun(second)) is (instant is BEFORE) or instant is AFTER


async def the_end_of(call_id: str, second: EngineRoom, plan: Plan) -> Call:
    """As the second engine sees it, or as Asterisk's journal has it."""
    told: list[Call] = []

    async def by_version(client: str, version: str) -> Plan | None:
        return plan

    def tell(fact: CallEnded | CallCorrected) -> None:
        told.append(fact.call)

    journal = EndedJournal(
        second.link,
        PlanLookup(by_version=by_version, by_did=lambda did: plan),
        "FR",
        live=lambda one: second.calls.get(one) is not None,
    )
    async with asyncio.timeout(20):
        while True:
            ours = [call for call in second.ended if call.call_id == call_id]
            if not ours:
                await journal.collect(tell)
            if found := ours or [call for call in told if call.call_id == call_id]:
                return found[0]
            await asyncio.sleep(0.1)
