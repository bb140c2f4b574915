"""The readers' side: everybody sees their part, in order and once, whoever vanishes meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.permissions import Scope, ScopeKind
from callrouter.stream.events import AgentChanged, CallEnded, CallEvent, EngineAway, Event, Snapshot, decode
from callrouter.stream.frames import Frame, FrameReader
from callrouter.stream.hub import Hub, TooManyReaders
from callrouter.stream.outlet import MOST_WAITING, TOO_SLOW
from callrouter.stream.reader import Reader
from callrouter.stream.ring import EventId
from callrouter.stream.views import View

from .cards import AT, agent, arrived, card, offered, told, waiting

SUPERVISOR = View()
LEGAL = View(scope=Scope(ScopeKind.TEAMS, frozenset({"legal"})))


def snapshot(*call_ids: str) -> Snapshot:
    return Snapshot(at=AT, observing=True, calls=[card(one) for one in call_ids], agents=[agent()])


def hub(*, epoch: int = 7, number: int = 0, **options: int) -> Hub:
    """One that hears the engine, from event `number` of the epoch on."""
    made = Hub(lambda: AT, **options)
    made.take(told(snapshot(), epoch, number))
    return made


async def drained(reader: Reader) -> list[tuple[str, Event]]:
    """What the reader has been given since the last time: id and event."""
    frames, reading = FrameReader(), list[tuple[str, Event]]()

    async def not_again() -> bool:
        return True

    async for some in reader.outlet.frames(0.0, not_again):
        if some == b":\n\n":
            break
        reading += [(str(one.id or ""), decode(one.data)) for one in frames.feed(some)]
    return reading


def kinds(given_: Sequence[tuple[str, Event]]) -> list[tuple[str, str]]:
    return [(event_id, type(event).__name__) for event_id, event in given_]


def changes(given_: Sequence[tuple[str, Event]]) -> list[tuple[str, AgentChanged]]:
    return [(event_id, event) for event_id, event in given_ if isinstance(event, AgentChanged)]


async def test_everybody_sees_their_part() -> None:
    made = hub()
    supervisor, legal = made.attach("a", SUPERVISOR), made.attach("b", LEGAL)
    made.take(told(arrived("1"), 7, 1))
    made.take(told(waiting("1"), 7, 2))
    made.take(told(waiting("2", "legal"), 7, 3))

    assert kinds(await drained(supervisor)) == [
        ("7-0", "Snapshot"),
        ("7-1", "CallArrived"),
        ("7-2", "CallWaiting"),
        ("7-3", "CallWaiting"),
    ]
    assert kinds(await drained(legal)) == [("7-0", "Snapshot"), ("7-3", "CallWaiting")]


async def test_a_team_sees_its_part_of_an_agent_and_hears_of_the_leaving() -> None:
    """As it happens, and when it is replayed to who was away meanwhile."""
    made = hub()
    supervisor, legal = made.attach("a", SUPERVISOR), made.attach("b", LEGAL)
    made.take(told(AgentChanged(at=AT, agent=agent("agent-1", "legal", "medical")), 7, 1))
    made.take(told(AgentChanged(at=AT, agent=agent("agent-1", "medical"), left=["legal"]), 7, 2))
    made.take(told(AgentChanged(at=AT, agent=agent("agent-1", "medical", "night")), 7, 3))
    seen = await drained(legal)

    assert seen[1:] == await drained(made.attach("c", LEGAL, EventId(7, 0)))
    assert [(event_id, event.agent.queues, event.left) for event_id, event in changes(seen)] == [
        ("7-1", ["legal"], []),
        ("7-2", [], ["legal"]),
    ]
    assert [event.agent.queues for _, event in changes(await drained(supervisor))] == [
        *[["legal", "medical"], ["medical"], ["medical", "night"]]
    ]


async def test_who_comes_later_is_given_what_there_is() -> None:
    made = hub()
    made.take(told(waiting("1"), 7, 1))
    made.take(told(waiting("2", "legal"), 7, 2))
    made.take(told(CallEnded(at=AT, call=card("1"), disposition=None, talked_seconds=0, hangup_cause=16), 7, 3))
    [(event_id, seen)] = await drained(made.attach("a", SUPERVISOR))

    assert isinstance(seen, Snapshot)
    assert (event_id, [one.call_id for one in seen.calls]) == ("7-3", ["2"])


async def test_who_comes_back_goes_on_from_there() -> None:
    made = hub()
    for number in range(1, 5):
        made.take(told(waiting(str(number), "legal" if number % 2 else "medical"), 7, number))

    assert kinds(await drained(made.attach("a", LEGAL, EventId(7, 1)))) == [("7-3", "CallWaiting")]
    assert kinds(await drained(made.attach("a", LEGAL, EventId(7, 4)))) == []
    assert kinds(await drained(made.attach("a", LEGAL, EventId(7, 5)))) == [("7-4", "Snapshot")]
    assert kinds(await drained(made.attach("a", LEGAL, EventId(6, 4)))) == [("7-4", "Snapshot")]


async def test_who_missed_too_much_is_given_a_snapshot() -> None:
    made = hub()
    for number in range(1, MOST_WAITING + 2):
        made.take(told(arrived(str(number)), 7, number))

    whole = await drained(made.attach("a", SUPERVISOR, EventId(7, 1)))
    assert len(whole) == MOST_WAITING
    assert kinds(await drained(made.attach("a", SUPERVISOR, EventId(7, 0)))) == [(f"7-{MOST_WAITING + 1}", "Snapshot")]


async def test_an_engine_that_vanishes_is_told_once_and_then_a_snapshot() -> None:
    """Of the same life: what was missed comes before it."""
    made = hub()
    reader = made.attach("a", SUPERVISOR)
    await drained(reader)
    made.take(told(arrived("1"), 7, 1))
    made.lost("it does not answer")
    made.lost("it does not answer yet")
    later = made.attach("b", SUPERVISOR, EventId(7, 0))
    made.take(told(arrived("1"), 7, 1))  # said again: it does not know what has come
    made.take(told(arrived("2"), 7, 2))
    made.take(told(snapshot("1", "2"), 7, 2))
    made.take(told(offered("2"), 7, 3))

    away = [("7-1", "CallArrived"), ("", "EngineAway")]
    assert kinds(await drained(reader)) == [
        *away, ("7-2", "CallArrived"), ("7-2", "Snapshot"), ("7-3", "CallOffered"),
    ]  # fmt: skip
    assert kinds(await drained(later)) == [
        ("", "EngineAway"), ("7-1", "CallArrived"), ("7-2", "CallArrived"), ("7-2", "Snapshot"), ("7-3", "CallOffered"),
    ]  # fmt: skip


async def test_another_life_of_the_engine_begins_with_a_snapshot() -> None:
    made = hub()
    reader = made.attach("a", SUPERVISOR)
    made.take(told(arrived("1"), 7, 1))
    made.lost("it was killed")
    made.take(told(snapshot("9"), 8, 1))
    made.take(told(arrived("2"), 8, 2))

    assert kinds(await drained(reader)) == [
        *[("7-0", "Snapshot"), ("7-1", "CallArrived"), ("", "EngineAway"), ("8-1", "Snapshot"), ("8-2", "CallArrived")]
    ]
    assert kinds(await drained(made.attach("a", SUPERVISOR, EventId(7, 1)))) == [("8-2", "Snapshot")]


async def test_web_that_was_started_again_can_replay_what_the_engine_still_has() -> None:
    made = Hub(lambda: AT)
    reader = made.attach("a", SUPERVISOR, EventId(7, 41))
    for number in range(40, 44):
        made.take(told(arrived(str(number)), 7, number))
    made.take(told(snapshot("40", "41", "42", "43"), 7, 43))

    assert kinds(await drained(reader)) == [("7-42", "CallArrived"), ("7-43", "CallArrived")]


async def test_who_comes_while_the_engine_is_let_go_misses_nothing() -> None:
    """Nobody read, so the connection was being closed: what they were given is not given again."""
    made = hub()
    made.take(told(arrived("1"), 7, 1))
    reader = made.attach("a", SUPERVISOR, EventId(7, 0))
    made.rest()
    made.take(told(arrived("2"), 7, 2))
    made.take(told(snapshot("1", "2"), 7, 2))

    assert kinds(await drained(reader)) == [("7-1", "CallArrived"), ("7-2", "CallArrived")]


async def test_who_comes_while_the_engine_is_away_is_told() -> None:
    made = Hub(lambda: AT)
    early = made.attach("a", SUPERVISOR)
    assert await drained(early) == []
    made.lost("nobody answers")
    late = made.attach("b", SUPERVISOR)

    told_ = await drained(early)
    assert told_ == await drained(late) == [("", EngineAway(at=AT, reason="nobody answers"))]


async def test_what_does_not_follow_is_refused() -> None:
    made = hub()
    made.take(told(arrived("1"), 7, 1))
    for wrong in (told(arrived("3"), 7, 3), told(arrived("1"), 7, 1), told(arrived("2"), 8, 2)):
        with pytest.raises(ValueError, match="does not follow 7-1"):
            made.take(wrong)
    without = b'{"event":"observation.resumed","at":"2026-11-24T09:00:00Z"}'
    with pytest.raises(ValueError, match="has no id"):
        made.take(Frame(id=None, data=without, raw=b""))
    with pytest.raises(ValueError, match=r"."):
        made.take(Frame(id=EventId(7, 2), data=b"{}", raw=b""))


async def test_a_slow_reader_is_cut_off_and_goes_on_later() -> None:
    made = hub()
    slow, quick = made.attach("a", SUPERVISOR), made.attach("b", SUPERVISOR)
    seen = len(await drained(slow))
    for number in range(1, 2 * MOST_WAITING):
        made.take(told(arrived(str(number)), 7, number))
        if number % 100 == 0:
            seen += len(await drained(quick))
    made.detach(slow)
    again = made.attach("a", SUPERVISOR, EventId(7, 0))

    assert slow.outlet.why == TOO_SLOW
    assert not quick.outlet.ended
    assert kinds(await drained(again)) == [(f"7-{2 * MOST_WAITING - 1}", "Snapshot")]


async def test_streams_are_limited_in_all_and_for_each() -> None:
    made = hub(most_readers=4, most_of_one=2)
    first, _ = made.attach("a", SUPERVISOR), made.attach("a", SUPERVISOR)
    with pytest.raises(TooManyReaders, match="a has 2 streams open"):
        made.attach("a", SUPERVISOR)
    made.attach("operator", SUPERVISOR, unlimited=True)
    made.attach("operator", SUPERVISOR, unlimited=True)
    with pytest.raises(TooManyReaders, match="4 streams are open"):
        made.attach("operator", SUPERVISOR, unlimited=True)
    made.detach(first)

    assert made.attach("a", SUPERVISOR)


async def test_the_engine_is_heard_while_somebody_reads_and_a_while_longer() -> None:
    made = Hub(lambda: AT, linger_seconds=0)
    assert not made.wanted.is_set()
    first, second = made.attach("a", SUPERVISOR), made.attach("b", SUPERVISOR)
    made.detach(first)
    await asyncio.sleep(0.01)
    assert made.wanted.is_set()
    made.detach(second)
    third = made.attach("c", SUPERVISOR)
    await asyncio.sleep(0.01)
    assert made.wanted.is_set()
    made.detach(third)
    await asyncio.sleep(0.01)

    assert not made.wanted.is_set()


async def test_all_streams_end_with_us() -> None:
    made = hub()
    reader = made.attach("a", SUPERVISOR)
    made.end("callrouter web stops")

    assert (reader.outlet.ended, made.attach("b", SUPERVISOR).outlet.ended) == (True, True)


HAPPENS = st.sampled_from(["event", "event", "event", "lost", "life", "leave", "read"])


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(HAPPENS, max_size=60))
def test_a_reader_knows_what_the_engine_knows(chance: random.Random, happens: list[str]) -> None:
    """Whatever is lost, killed and left: what a reader has seen adds up to the engine's own picture."""

    async def follow() -> tuple[set[str], set[str]]:
        world = World(chance)
        for what in happens:
            await world.goes_on(what)
        await world.settles()
        return world.seen, world.live

    seen, live = asyncio.run(follow())

    assert seen == live


class World:
    """An engine that may vanish, be killed, or be heard again, a hub, and a reader who comes and goes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._hub = Hub(lambda: AT)
        self._epoch, self._number, self._count = 7, 0, 0
        self._kept: list[tuple[int, Event]] = []
        self._heard = False
        self._last: EventId | None = None
        self._reader = self._hub.attach("a", SUPERVISOR)
        self.live: set[str] = set()
        self.seen: set[str] = set()

    async def goes_on(self, what: str) -> None:
        """One more thing happens."""
        match what:
            case "event":
                self._something_happens()
            case "lost" | "life":
                self._hub.lost("it does not answer")
                self._heard = False
                if what == "life":
                    self._epoch, self._number, self._kept = self._epoch + 1, 0, []
                    self.live = {one for one in sorted(self.live) if self._chance.random() < 0.5}
            case "leave":
                await self._read()
                self._hub.detach(self._reader)
                self._reader = self._hub.attach("a", SUPERVISOR, self._last)
            case _:
                await self._read()

    async def settles(self) -> None:
        """The engine is heard in the end, and the reader reads all there is."""
        if not self._heard:
            self._connect()
        await self._read()

    def _something_happens(self) -> None:
        self._number += 1
        self._count += 1
        event: Event
        if self.live and self._chance.random() < 0.4:
            call_id = self._chance.choice(sorted(self.live))
            self.live.discard(call_id)
            event = CallEnded(at=AT, call=card(call_id), disposition=None, talked_seconds=0, hangup_cause=16)
        else:
            self.live.add(str(self._count))
            event = arrived(str(self._count))
        self._kept.append((self._number, event))
        if self._heard:
            self._hub.take(told(event, self._epoch, self._number))
        elif self._chance.random() < 0.6:
            self._connect()

    def _connect(self) -> None:
        """What the hub has missed (of another life: what a ring of some length still has), and a snapshot."""
        after = self._hub.last
        known = after.number if after and after.epoch == self._epoch else None
        for number, event in self._kept[-self._chance.randint(1, 40) :] if known is None else self._kept:
            if known is None or number > known:
                self._hub.take(told(event, self._epoch, number))
        self._hub.take(told(snapshot(*sorted(self.live)), self._epoch, self._number))
        self._heard = True

    async def _read(self) -> None:
        for event_id, event in await drained(self._reader):
            self._last = EventId.read(event_id) or self._last
            if isinstance(event, Snapshot):
                self.seen = {one.call_id for one in event.calls}
            elif isinstance(event, CallEnded):
                self.seen.discard(event.call.call_id)
            elif isinstance(event, CallEvent):
                self.seen.add(event.call.call_id)
