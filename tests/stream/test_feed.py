"""The engine's side: numbered while somebody listens, nothing made while nobody does, and nothing missed in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from msgspec import structs

from callrouter.core import facts
from callrouter.core.call import Call
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.stream.events import AgentChanged, Snapshot, decode
from callrouter.stream.feed import MOST_LISTENERS, SLICE, Feed, TooManyListeners
from callrouter.stream.frames import Frame, FrameReader
from callrouter.stream.making import EventMaker
from callrouter.stream.outlet import Outlet
from callrouter.stream.ring import EventId

from ..api.stories import abandoned, after, answered, live  # noqa: TID252  # tests are no installed package
from .cards import agent
from .test_making import PLAN, rung

EPOCH = 1795957200123


class Room:
    """A feed, and the calls in progress."""

    def __init__(self, *calls: Call, linger_seconds: float = 60.0, most_events: int = 8192) -> None:
        self.calls = LiveCalls()
        for call in calls:
            self.calls.add(LiveCall(call, PLAN))
        maker = EventMaker(self.calls, lambda: {PLAN.client: PLAN}, lambda: after(99))
        self.feed = Feed(
            EPOCH,
            maker,
            calls=self.calls,
            now=lambda: after(99),
            most_events=most_events,
            linger_seconds=linger_seconds,
        )

    def begins(self, call: Call) -> None:
        self.calls.add(LiveCall(call, PLAN))
        self.feed.observe([facts.CallStarted(call=call)])

    def ends(self, call: Call) -> None:
        self.calls.remove(call.call_id)
        self.feed.observe([facts.CallEnded(call=call)])


async def heard(outlet: Outlet, count: int) -> list[Frame]:
    """The next so many frames."""

    async def always() -> bool:
        return True

    reader, found = FrameReader(), list[Frame]()
    async with asyncio.timeout(5):
        async for some in outlet.frames(60, always):
            found += reader.feed(some)
            if len(found) >= count:
                break
    assert len(found) == count
    return found


def kinds(frames: list[Frame]) -> Iterator[tuple[int, str]]:
    """Number and kind of each."""
    for one in frames:
        assert one.id is not None
        assert one.id.epoch == EPOCH
        yield one.id.number, type(decode(one.data)).__name__


async def test_who_listens_begins_with_a_snapshot() -> None:
    room = Room(*(live(str(number)) for number in range(3 * SLICE + 1)))
    room.feed.observes(True)
    room.feed.agent_changed(agent("agent-1"))
    room.feed.agent_changed(agent("agent-2"))
    outlet = await room.feed.listen()
    room.begins(live("new"))
    first, second = await heard(outlet, 2)

    snapshot = decode(first.data)
    assert isinstance(snapshot, Snapshot)
    assert [one.call_id for one in snapshot.calls] == [str(number) for number in range(3 * SLICE + 1)]
    assert ([one.agent for one in snapshot.agents], snapshot.observing) == (["agent-1", "agent-2"], True)
    assert list(kinds([first, second])) == [(1, "Snapshot"), (2, "CallArrived")]


async def test_while_nobody_listens_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a card; but whose telephone rings is known when somebody comes."""
    room = Room(rung(live("1"), "agent-1"), live("2"))
    monkeypatch.setattr("callrouter.stream.making.events", None)  # whatever would make an event fails
    room.feed.observe([facts.CallStarted(call=live("3")), facts.CallEnded(call=abandoned("4"))])
    room.feed.observe([facts.QueueEnded(call=abandoned("4"), visit=abandoned("4").queue_visits[0])])
    monkeypatch.undo()
    [first] = await heard(await room.feed.listen(), 1)

    snapshot = decode(first.data)
    assert isinstance(snapshot, Snapshot)
    assert [one.offered_to for one in snapshot.calls] == [["agent-1"], []]


async def test_what_happens_while_the_snapshot_is_made_comes_after_it() -> None:
    room = Room(*(live(str(number)) for number in range(5 * SLICE)))
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(room.feed.listen())
        await asyncio.sleep(0)  # it has begun
        room.ends(abandoned(str(5 * SLICE - 1)))
        room.begins(live("new"))
    frames = await heard(listening.result(), 4)

    assert list(kinds(frames)) == [(1, "Snapshot"), (2, "CallAbandoned"), (3, "CallEnded"), (4, "CallArrived")]


async def test_who_comes_back_is_given_what_they_missed() -> None:
    room = Room()
    first = await room.feed.listen()
    room.begins(live("1"))
    room.begins(live("2"))
    await heard(first, 3)
    room.feed.leave(first)
    room.ends(answered("1"))
    again = await heard(await room.feed.listen(EventId(EPOCH, 2)), 3)
    stranger = await heard(await room.feed.listen(EventId(EPOCH + 1, 2)), 4)

    assert list(kinds(again)) == [(3, "CallArrived"), (4, "CallEnded"), (4, "Snapshot")]
    assert list(kinds(stranger)) == [(2, "CallArrived"), (3, "CallArrived"), (4, "CallEnded"), (4, "Snapshot")]


async def test_events_go_on_for_a_while_after_the_last_has_gone() -> None:
    room = Room(linger_seconds=0.05)
    room.feed.leave(await room.feed.listen())
    listening = [room.feed.listening]
    second = await room.feed.listen()
    await asyncio.sleep(0.1)
    listening.append(room.feed.listening)
    room.feed.leave(second)
    await asyncio.sleep(0.1)
    listening.append(room.feed.listening)
    room.begins(live("1"))
    frames = await heard(await room.feed.listen(EventId(EPOCH, 1)), 1)

    assert listening == [True, True, False]
    assert list(kinds(frames)) == [(2, "Snapshot")]


async def test_offers_agents_and_the_link_are_told() -> None:
    room = Room(live("1"))
    outlet = await room.feed.listen()
    room.feed.observes(True)
    room.feed.observes(True)
    call = rung(live("1"), "agent-1")
    room.feed.observe([facts.OfferMade(call=call, offer=call.offers[0])])
    room.feed.agent_changed(agent("agent-1"))
    room.feed.observes(False, "nothing was heard for 4.2 s")
    room.feed.observes(False, "connection lost")
    frames = await heard(outlet, 5)

    assert [kind for _, kind in kinds(frames)] == [
        *("Snapshot", "ObservationResumed", "CallOffered", "AgentChanged", "ObservationLost")
    ]


async def test_an_agent_who_leaves_a_queue_is_told_with_its_name() -> None:
    room = Room()
    outlet = await room.feed.listen()
    for queues in (["legal", "medical"], ["medical"], []):
        room.feed.agent_changed(structs.replace(agent("agent-1"), queues=queues))
    told = [decode(one.data) for one in (await heard(outlet, 4))[1:]]

    assert [event.left for event in told if isinstance(event, AgentChanged)] == [[], ["legal"], ["medical"]]


async def test_a_listener_who_does_not_read_is_cut_off_and_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callrouter.stream.feed.MOST_EVENTS", 10)
    room = Room()
    stalled, reading = await room.feed.listen(), await room.feed.listen()
    await heard(reading, 1)
    for number in range(20):
        room.begins(live(str(number)))
        await heard(reading, 1)

    assert (stalled.ended, reading.ended) == (True, False)


async def test_no_more_than_some_listen() -> None:
    room = Room()
    listeners = [await room.feed.listen() for _ in range(MOST_LISTENERS)]
    with pytest.raises(TooManyListeners, match="ask web"):
        await room.feed.listen()
    room.feed.leave(listeners[0])

    assert await room.feed.listen()


async def test_all_is_over_when_the_engine_stops() -> None:
    room = Room()
    outlet = await room.feed.listen()
    room.feed.end("the engine stops")

    assert outlet.why == "the engine stops"
    assert (await room.feed.listen()).ended


async def test_whoever_hears_for_it_is_told_whether_somebody_listens() -> None:
    """Once when the first comes, and once when the last has been gone for a while."""
    room, told = Room(linger_seconds=0.02), list[bool]()
    room.feed.tells(told.append)
    first, second = await room.feed.listen(), await room.feed.listen()
    room.feed.leave(first)
    room.feed.leave(second)
    await asyncio.sleep(0.1)

    assert told == [True, False]
