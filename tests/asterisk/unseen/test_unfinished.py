"""Calls that ended with Asterisk and the engine are ended from our own journal: those, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.journal import PlanLookup
from callrouter.asterisk.line.recordings import Recorded
from callrouter.asterisk.unseen.unfinished import UnfinishedCalls, unseen_end
from callrouter.core import engine, inputs, state
from callrouter.core.call import Call, CallerId, Disposition, Revision, replace
from callrouter.core.effects import Sound
from callrouter.core.facts import CallCorrected, CallEnded
from callrouter.core.nodes import HangupNode, MenuNode, MessageNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.errors import DatabaseUnreachable
from tests.asterisk.engine_room import DID, plan_of

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DIED_AT = AT + timedelta(seconds=60)
QUEUE = QueueNode(name="queue", queue="medical", max_wait_seconds=60.0, exits={"overflow": "bye"})
BYE = HangupNode(name="bye")
MENU = MenuNode(
    name="menu",
    sounds=(Sound(file="silence/10", seconds=10.0),),
    keys=("1",),
    exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
)
MESSAGE = MessageNode(
    name="message",
    sounds=(Sound(file="silence/1", seconds=1.0),),
    max_seconds=60,
    deliver="anne",
    exits={"done": "bye"},
)
QUEUED, ASKED, SPOKEN = plan_of(QUEUE, BYE), plan_of(MENU, BYE), plan_of(MESSAGE, BYE)


def begun(plan: Plan, call_id: str = "1-1-1") -> Call:
    """A call of that plan, at its first wait, in the hands of an engine."""
    offered = inputs.CallOffered(call_id=call_id, did=DID, caller=CallerId(number="+33612340001"), at=AT)
    return engine.start(plan, offered, epoch=1_000).call


def told(plan: Plan, call: Call, *heard: inputs.Input) -> Call:
    for one in heard:
        call = engine.step(plan, call, one).call
    return call


def unseen(plan: Plan, call: Call) -> Call:
    return unseen_end(plan, state.encode(plan, call), DIED_AT)


def test_each_ends_as_what_it_had_reached() -> None:
    """When the engine was last there, and as a guess of that engine's."""
    answered = told(QUEUED, begun(QUEUED), inputs.AgentAnswered(agent="anne", at=AT + timedelta(seconds=20)))
    found = [unseen(ASKED, begun(ASKED)), unseen(QUEUED, begun(QUEUED)), unseen(QUEUED, answered)]

    assert [call.disposition for call in found] == [
        Disposition.LEFT_EARLY,
        Disposition.ABANDONED,
        Disposition.ANSWERED,
    ]
    assert {call.clocks.ended_at for call in found} == {DIED_AT}
    assert {call.revision for call in found} == {Revision(1_000)}
    assert found[2].talk_seconds() == 40


def test_what_a_caller_had_spoken_is_kept() -> None:
    """The file is there, however the recording ended."""
    call = begun(SPOKEN)
    call = told(SPOKEN, call, inputs.PromptEnded(step=call.step, at=AT + timedelta(seconds=2)))
    assert call.recording_at is not None
    encoded = state.encode(SPOKEN, call)

    heard = unseen_end(SPOKEN, encoded, DIED_AT, lambda _: Recorded(seconds=12.0, heard=True, spoken_seconds=11.0))
    assert heard.disposition is Disposition.MESSAGE_LEFT
    assert [message.seconds for message in heard.messages] == [12.0]


def test_who_had_ended_before_the_record_had_them_is_told_as_they_ended() -> None:
    """Nothing of it is a guess; legs that are over stand in the journal of facts."""
    hung_up = inputs.CallerHungUp(at=AT + timedelta(seconds=9), cause=16)
    call = told(QUEUED, begun(QUEUED), hung_up)

    assert unseen(QUEUED, call) == replace(call, legs=())
    assert call.revision.count > 0


def test_an_end_is_never_before_what_was_heard_last() -> None:
    """Though the file's time be of before, on another clock."""
    answered = told(QUEUED, begun(QUEUED), inputs.AgentAnswered(agent="anne", at=AT + timedelta(seconds=90)))

    assert unseen(QUEUED, answered).clocks.ended_at == AT + timedelta(seconds=90)


@dataclass
class Asterisk:
    """Has these calls on channels; its journal has others, which are told when it is collected."""

    channels: Sequence[str] = ()
    rows: Sequence[str] = ()
    asked: int = 0
    told: list[str] = field(default_factory=list)

    def knows(self, call_id: str) -> bool:
        return call_id in self.told

    async def collect(self, *_: object) -> list[str]:
        self.told += self.rows
        return list(self.rows)


class Link:
    """Answers `Status`."""

    def __init__(self, asterisk: Asterisk) -> None:
        self._asterisk = asterisk

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        assert (name, headers) == ("Status", {"Variables": "CR_CALL"})
        self._asterisk.asked += 1
        assert not self._asterisk.told, "who hangs up between the two looks would be missed"
        channels = [AmiMessage(Event="Status", Variable=f"CR_CALL={one}") for one in self._asterisk.channels]
        answered: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        answered.set_result([AmiMessage(Response="Success"), *channels, AmiMessage(Event="StatusComplete")])
        return answered


class Kept:
    """Our own journal."""

    def __init__(self, *call_ids: str, plan: Plan = QUEUED) -> None:
        self.taken_over = asyncio.Event()
        self.taken_over.set()
        self.left = {one: (state.encode(plan, begun(plan, one)), DIED_AT) for one in call_ids}
        self.gone: list[str] = []

    def resumed(self, call_ids: Iterable[str]) -> None:
        for one in call_ids:
            self.left.pop(one, None)

    def told(self, call_id: str) -> None:
        self.left.pop(call_id)

    def safe(self, call_ids: Iterable[str]) -> None:
        for one in call_ids:
            self.gone.append(one)
            self.left.pop(one, None)


class Records:
    """PostgreSQL: whether it is away, and which calls it has."""

    def __init__(self, *known: str, away: bool = False, plan: Plan | None = QUEUED) -> None:
        self.known, self.away, self.plan = known, away, plan

    async def which(self, call_ids: Sequence[str]) -> Mapping[str, bool]:
        if self.away:
            raise DatabaseUnreachable("away")
        return {one: True for one in call_ids if one in self.known}

    async def by_version(self, client: str, version: str) -> Plan | None:
        if self.away:
            raise DatabaseUnreachable("away")
        return self.plan


async def collected(kept: Kept, asterisk: Asterisk, records: Records, *live: str) -> list[str]:
    """One round; what was told, by call."""
    ended: list[str] = []

    def tell(fact: CallEnded | CallCorrected) -> None:
        assert isinstance(fact, CallEnded)
        ended.append(f"{fact.call.call_id} {fact.call.pbx} {fact.call.disposition}")
        asterisk.told.append(fact.call.call_id)

    plans = PlanLookup(by_version=records.by_version, by_did=lambda _: QUEUED)
    unfinished = UnfinishedCalls(
        Link(asterisk), asterisk, kept, plans, live=live.__contains__, known=records.which, pbx="north"
    )
    await unfinished.collect(tell)
    return ended


async def test_only_those_that_nobody_has_are_ended() -> None:
    """Not who is driven here, whose channel lives, whose row Asterisk has, or who is in the record."""
    kept = Kept("1-driven", "1-channel", "1-row", "1-recorded", "1-unseen")
    asterisk = Asterisk(channels=["1-channel", "1-another", ""], rows=["1-row"])

    assert await collected(kept, asterisk, Records("1-recorded"), "1-driven") == ["1-unseen north abandoned"]
    assert kept.gone == ["1-recorded"]
    # The fallback has one of them, whose row is yet to come; Asterisk's journal will strike the other off.
    assert set(kept.left) == {"1-channel", "1-row"}


async def test_without_any_nothing_is_asked() -> None:
    """Every few seconds, in the ordinary course of things."""
    asterisk = Asterisk()
    await collected(Kept("1-driven"), asterisk, Records(), "1-driven")
    assert asterisk.asked == 0


async def test_they_wait_for_postgresql_with_the_plans() -> None:
    """And are told once it is back."""
    kept, asterisk = Kept("1-unseen"), Asterisk()
    assert await collected(kept, asterisk, Records(away=True)) == []
    assert set(kept.left) == {"1-unseen"}
    assert await collected(kept, asterisk, Records()) == ["1-unseen north abandoned"]


async def test_one_that_does_not_read_holds_up_no_other() -> None:
    """It stays, for a release that can read it."""
    kept, asterisk = Kept("1-broken", "1-unseen"), Asterisk()
    kept.left["1-broken"] = b"QQ==", DIED_AT
    assert await collected(kept, asterisk, Records()) == ["1-unseen north abandoned"]
    assert set(kept.left) == {"1-broken"}
    assert await collected(Kept("1-unseen"), Asterisk(), Records(plan=None)) == []
