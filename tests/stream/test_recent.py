"""Both sources in one order: whoever comes back, to whichever web process, is told each thing of the record once."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.stream.events import Event, MessageWritten, RecordEvent
from callrouter.stream.frames import FrameReader, frame, with_id
from callrouter.stream.hub import Hub
from callrouter.stream.reader import Reader
from callrouter.stream.recent import Recent
from callrouter.stream.ring import EventId
from callrouter.stream.views import View

from .cards import AT, arrived, told
from .test_hub import SUPERVISOR, drained, kinds, snapshot


def written(place: int) -> MessageWritten:
    """What came into the record at that place."""
    return MessageWritten(
        at=AT,
        client="cabinet-moreau",
        message_id=f"m{place}",
        call_id=None,
        deliver="doctor",
        urgent=False,
        taken_by="token:desk",
        form="",
    )


def places(reading: list[tuple[str, Event]]) -> list[int]:
    return [int(event.message_id[1:]) for _, event in reading if isinstance(event, MessageWritten)]


def a_hub(*, last: int = 0, began: int = 0) -> Hub:
    """One that hears the engine, and has read the record up to that place."""
    made = Hub(lambda: AT)
    made.take(told(snapshot(), 7, 0))
    made.begin_record(began, [(place, written(place)) for place in range(1, last + 1)], last, first=0)
    return made


async def test_an_id_says_how_far_one_is_with_each() -> None:
    made = a_hub()
    reader = made.attach("a", SUPERVISOR)
    made.take(told(arrived("1"), 7, 1))
    made.take_record(1, written(1))
    made.take(told(arrived("2"), 7, 2))

    assert kinds(await drained(reader)) == [
        ("7-0-0", "Snapshot"),
        ("7-1-0", "CallArrived"),
        ("7-1-1", "MessageWritten"),
        ("7-2-1", "CallArrived"),
    ]
    assert kinds(await drained(made.attach("a", SUPERVISOR, EventId(7, 1, 0)))) == [
        ("7-1-1", "MessageWritten"),
        ("7-2-1", "CallArrived"),
    ]


async def test_who_is_new_is_told_from_now_on() -> None:
    made = a_hub(last=5, began=5)
    reader = made.attach("a", SUPERVISOR)
    made.take_record(6, written(6))

    assert places(await drained(reader)) == [6]


async def test_who_came_before_the_record_was_read_is_told_from_then_on() -> None:
    """And who was here before, all that they do not know, be it from before."""
    made = Hub(lambda: AT)
    made.take(told(snapshot(), 7, 0))
    new, back = made.attach("a", SUPERVISOR), made.attach("b", SUPERVISOR, EventId(7, 0, 1))
    made.take(told(arrived("1"), 7, 1))
    before = await drained(back)
    made.begin_record(2, [(place, written(place)) for place in range(1, 4)], 3, first=0)

    assert kinds(before) == [("7-1-1", "CallArrived")]
    assert places(await drained(new)) == [3]
    assert places(await drained(back)) == [2, 3]


async def test_while_the_engine_is_away_ids_say_nothing_that_was_not_told() -> None:
    """Who was away with it before goes on from there, and is told what the engine said meanwhile."""
    made = a_hub()
    made.take(told(arrived("1"), 7, 1))
    made.lost("it does not answer")
    reader = made.attach("a", SUPERVISOR, EventId(7, 0, 0))
    made.take_record(1, written(1))
    during = await drained(reader)
    made.take(told(snapshot("1"), 7, 1))

    assert kinds(during) == [("", "EngineAway"), ("7-0-1", "MessageWritten")]
    assert kinds(await drained(reader)) == [("7-1-1", "CallArrived"), ("7-1-1", "Snapshot")]


async def test_places_that_are_lost_lead_to_a_snapshot() -> None:
    made = a_hub(last=1)
    here, back = made.attach("a", SUPERVISOR), None
    await drained(here)
    made.begin_record(9, [(9, written(9))], 9, first=8)
    back = made.attach("b", SUPERVISOR, EventId(7, 0, 1))

    assert kinds(await drained(here)) == [("7-0-9", "MessageWritten"), ("7-0-9", "Snapshot")]
    assert kinds(await drained(back)) == [("7-0-9", "MessageWritten"), ("7-0-9", "Snapshot")]


async def test_what_is_gone_is_passed_over() -> None:
    made = a_hub()
    reader = made.attach("a", SUPERVISOR)
    made.take_record(1, None)
    made.take_record(2, written(2))

    assert places(await drained(reader)) == [2]
    assert made.record == 2


async def test_a_record_of_before_is_none_that_anybody_goes_on_from() -> None:
    """Somebody brought PostgreSQL back from a copy: its places are used again."""
    made = a_hub(last=2, began=2)
    reader = made.attach("a", SUPERVISOR, EventId(7, 0, 90))
    made.take_record(3, written(3))

    assert kinds(await drained(reader)) == [("7-0-2", "Snapshot"), ("7-0-3", "MessageWritten")]


def test_of_each_source_it_is_known_what_is_not_here_any_more() -> None:
    recent = Recent(most=3)
    recent.begin_engine(EventId(7, 0))
    recent.begin_record(0)
    for number in range(1, 4):
        recent.of_engine(arrived(str(number)), frame(arrived(str(number)), EventId(7, number)))
    recent.of_record(1, written(1))

    assert recent.since(EventId(7, 0, 0)) is None
    assert [str(one.event_id) for one in recent.since(EventId(7, 1, 0)) or []] == ["7-2-0", "7-3-0", "7-3-1"]
    for place in (2, 3, 4):
        recent.of_record(place, written(place))
    assert recent.since(EventId(7, 3, 0)) is None
    assert [str(one.event_id) for one in recent.since(EventId(7, 3, 1)) or []] == ["7-3-2", "7-3-3", "7-3-4"]


def test_a_frame_gets_another_id() -> None:
    sent = frame(written(1), EventId(7, 1))

    assert with_id(sent, EventId(7, 1, 4)) == frame(written(1), EventId(7, 1, 4))


class Town:
    """Two web processes that hear the same engine and the same record, each when it does."""

    def __init__(self) -> None:
        self.said = self.placed = 0
        self.away = False
        self.hubs = [a_hub(), a_hub()]

    def engine_says(self) -> None:
        self.said += 1
        if not self.away:
            for one in self.hubs:
                one.take(told(arrived(str(self.said)), 7, self.said))

    def engine_goes(self) -> None:
        self.away = True
        for one in self.hubs:
            one.lost("it does not answer")

    def engine_comes(self) -> None:
        if not self.away:
            return
        self.away = False
        for one in self.hubs:
            last = one.last or EventId(7, 0)
            for number in range(last.number + 1, self.said + 1):
                one.take(told(arrived(str(number)), 7, number))
            one.take(told(snapshot(), 7, self.said))

    def record_says(self, event: RecordEvent | None = None) -> None:
        self.placed += 1
        for one in self.hubs:
            one.take_record(self.placed, written(self.placed))

    def web_begins(self, at: int) -> None:
        """Anew, with the record as it is kept."""
        self.hubs[at] = made = Hub(lambda: AT)
        if self.away:
            made.lost("it does not answer")
        else:
            made.take(told(snapshot(), 7, self.said))
        kept = [(place, written(place)) for place in range(1, self.placed + 1)]
        made.begin_record(self.placed, kept, self.placed, first=0)


STEPS = st.lists(
    st.sampled_from(["says", "places", "places", "goes", "comes", "cut", "moves", "web-0", "web-1"]), max_size=40
)


@given(steps=STEPS, taken=st.lists(st.integers(0, 3), min_size=40, max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_each_thing_of_the_record_is_told_once(steps: list[str], taken: list[int]) -> None:
    """The connection is cut anywhere: the reader comes back with the last id it has read, to either web process."""
    asyncio.run(_read(steps, taken))


async def _read(steps: list[str], taken: list[int]) -> None:
    place, at, seen, read = Town(), 0, None, list[int]()
    reader = place.hubs[at].attach("a", View(), None)

    async def reads(most: int | None) -> EventId | None:
        last = seen
        for event_id, event in (await drained(reader))[:most]:
            last = EventId.read(event_id) or last
            read.extend(places([(event_id, event)]))
        return last

    seen = await reads(None)
    for number, step in enumerate(steps):
        match step:
            case "says":
                place.engine_says()
            case "places":
                place.record_says()
            case "goes":
                place.engine_goes()
            case "comes":
                place.engine_comes()
            case _:
                seen = await reads(taken[number])
                if step.startswith("web-"):
                    place.web_begins(int(step[-1]))
                at = 1 - at if step == "moves" else at
                reader = place.hubs[at].attach("a", View(), seen)
    await reads(None)

    assert read == list(range(1, place.placed + 1))


async def test_frames_are_read_as_they_were() -> None:
    sent = frame(written(3), EventId(7, 1, 3))
    [found] = FrameReader().feed(sent)

    assert found.id == EventId(7, 1, 3)
    assert Reader("a", View(), found.id).record == 3
