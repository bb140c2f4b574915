"""The event stream on the real thing: a telephone rings and a screen knows; the engine is killed, then web."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, TypeVar

import httpx

from callrouter.core.call import OfferOutcome
from callrouter.stream.events import (
    AgentChanged,
    CallAbandoned,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallEvent,
    CallOffered,
    CallWaiting,
    EngineAway,
    Event,
    MessageAcknowledged,
    MessageWritten,
    OfferEnded,
    QueueLeft,
    Snapshot,
    StreamEvent,
    decode,
)
from callrouter.stream.frames import FrameReader
from callrouter.stream.ring import EventId
from deploy.demo import stories
from deploy.demo.caller import HangUp, UntilSound, Wait
from deploy.demo.plain_http import plain_client

if TYPE_CHECKING:
    from deploy.demo.caller import Outcome
    from tests.acceptance.conftest import Town

RESTART_SECONDS = 40.0
STEADY_SECONDS = 12.0
"""A part of `callrouter up` that has lived for so long is started again when it dies."""

Kind = TypeVar("Kind", bound=Event)


class Screen:
    """Reads the stream as a browser does: comes back with the last id, for as long as the test lasts."""

    def __init__(self, town: Town, query: str = "") -> None:
        self.seen: list[tuple[EventId | None, StreamEvent]] = []
        self.opened = 0
        self._town = town
        self._query = query

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Screen]:
        """Once it has its snapshot."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._run())
            await self.until(lambda: bool(self.all(Snapshot)))
            try:
                yield self
            finally:
                running.cancel()

    def all(self, kind: type[Kind]) -> list[Kind]:
        """All events of a kind."""
        return [event for _, event in self.seen if isinstance(event, kind)]

    @property
    def last(self) -> EventId | None:
        """The last id."""
        return next((event_id for event_id, _ in reversed(self.seen) if event_id), None)

    async def until(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for it."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)

    async def _run(self) -> None:
        engine = self._town.stack.engine
        url = f"{engine.web_url}/api/stream{self._query}"
        async with plain_client(timeout=25.0) as client:
            while True:
                headers = {"Authorization": f"Bearer {engine.token}"}
                if self.last:
                    headers["Last-Event-ID"] = str(self.last)
                with contextlib.suppress(httpx.HTTPError):
                    async with client.stream("GET", url, headers=headers) as answer:
                        self.opened += 1
                        frames = FrameReader()
                        async for some in answer.aiter_raw():
                            self.seen += [(one.id, decode(one.data)) for one in frames.feed(some)]
                await asyncio.sleep(0.3)


def test_a_screen_knows_while_the_telephone_rings(town: Town) -> None:
    """The whole story of a call, in order, with all that a card shows; and what the agents' own screens see of it."""
    caller = town.somebody("Claire Dubois")
    story = next(story for story in stories.STORIES if story.name == "appointment")

    async def watch() -> tuple[Screen, list[Screen]]:
        screens = [Screen(town, f"?agent=agent-{number}") for number in (1, 2)]
        async with Screen(town).reading() as everything, screens[0].reading(), screens[1].reading():
            await town.calling(story.did, *story.script, caller=caller)
            await everything.until(lambda: bool(everything.all(CallEnded)))
            return everything, screens

    everything, screens = town.run(watch())
    told = [event for event in everything.all(CallEvent) if event.call.caller.number == caller.number]
    kinds = [type(event) for event in told]
    [offered] = [event for event in told if isinstance(event, CallOffered)]
    [answered] = [event for event in told if isinstance(event, CallAnswered)]
    [over] = [event for event in told if isinstance(event, OfferEnded)]

    assert kinds == [CallArrived, CallWaiting, CallOffered, OfferEnded, CallAnswered, QueueLeft, CallEnded]
    card = offered.call
    assert (card.client, card.client_name, card.caller.name) == (
        story.client,
        "Cabinet du docteur Moreau",
        "Claire Dubois",
    )
    assert (card.queues, card.brief, card.offered_to) == (["medical"], "Cabinet Moreau.", [offered.agent])
    assert card.path == ["filter", "hours", "welcome", "secretaries"]
    assert (over.agent, over.outcome, answered.agent) == (offered.agent, OfferOutcome.ANSWERED, offered.agent)
    # The agent lets it ring for some seconds before they answer: the screen did not wait for that.
    assert (answered.at - offered.at).total_seconds() > 1
    seen = [bool(screen.all(CallOffered)) for screen in screens]
    assert seen == [offered.agent == "agent-1", offered.agent == "agent-2"]
    states = [event.agent for event in everything.all(AgentChanged) if event.agent.agent == offered.agent]
    assert [card.phone for card in states][:1] == ["in_use"]


def test_what_the_record_knows_is_told_while_calls_go_on(town: Town) -> None:
    """A caller gives up in the queue; an agent writes a message, and takes it on: the screen has all of it at once."""
    caller = town.somebody("Claire Dubois")
    story = next(story for story in stories.STORIES if story.name == "abandons")
    message_id = str(uuid.uuid4())
    fields = {"name": "Claire Dubois", "number": caller.number, "urgency": "normal", "reason": "Merci de rappeler."}
    message = {"id": message_id, "client": "cabinet-moreau", "form": "correspondent", "fields": fields}

    async def watch() -> Screen:
        engine = town.stack.engine
        headers = {"Authorization": f"Bearer {engine.token}"}
        async with Screen(town, "?client=cabinet-moreau").reading() as screen, plain_client(timeout=25.0) as client:
            calling = asyncio.get_running_loop().create_task(town.calling(story.did, *story.script, caller=caller))
            url = f"{engine.web_url}/api/messages"
            taken = await client.post(url, json=message, headers=headers)
            assert taken.status_code == 201, taken.text
            await screen.until(lambda: bool(screen.all(MessageWritten)))
            await client.post(f"{url}/{message_id}/acknowledge", json={}, headers=headers)
            await screen.until(lambda: bool(screen.all(MessageAcknowledged)))
            await calling
            await screen.until(lambda: bool(_calls_of(screen, caller.number or "")))
            return screen

    screen = town.run(watch())
    [written], [acknowledged] = screen.all(MessageWritten), screen.all(MessageAcknowledged)
    [gave_up] = [one for one in screen.all(CallAbandoned) if one.call.caller.number == caller.number]
    ids = [event_id for event_id, _ in screen.seen if event_id and event_id.record is not None]

    assert (written.message_id, written.form, acknowledged.message_id) == (message_id, "correspondent", message_id)
    assert gave_up.call.call_id in _calls_of(screen, caller.number or "")
    assert ids == sorted(ids, key=lambda one: (one.number, one.record or 0))


def test_the_engine_is_killed_and_then_web(own_town: Town) -> None:
    """A screen hears that it is old, then how things stand; what it missed of web's absence is replayed, once."""
    town = own_town
    caller, later = town.somebody(), town.somebody()

    async def watch() -> tuple[Screen, Outcome, float]:
        await asyncio.sleep(STEADY_SECONDS)
        screen = Screen(town)
        async with screen.reading():
            calling = asyncio.get_running_loop().create_task(
                town.calling(stories.MOREAU, UntilSound(), Wait(8), HangUp(), caller=caller)
            )
            await screen.until(lambda: bool(screen.all(CallArrived)))
            killed = time.monotonic()
            town.stack.engine.part("engine").kill()
            await screen.until(lambda: bool(screen.all(EngineAway)), 5)
            away_seconds = time.monotonic() - killed
            await screen.until(lambda: len(screen.all(Snapshot)) == 2, RESTART_SECONDS)
            await calling
            await town.calling(stories.MOREAU, UntilSound(), Wait(1), HangUp(), caller=later)
            await screen.until(lambda: any(one.call.caller.number == later.number for one in screen.all(CallEnded)))
            town.stack.engine.part("web").kill()
            outcome = await town.calling(stories.MOREAU, UntilSound(), Wait(1), HangUp(), caller=later)
            opened = screen.opened
            await screen.until(lambda: screen.opened > opened, RESTART_SECONDS)
            await screen.until(lambda: len(_calls_of(screen, later.number)) == 2)
            return screen, outcome, away_seconds

    screen, _, away_seconds = town.run(watch())
    ids = [event_id for event_id, _ in screen.seen if event_id]
    first, second = screen.all(Snapshot)
    epochs = list(dict.fromkeys(one.epoch for one in ids))
    of_second = [one.number for one in ids if one.epoch == epochs[1]]

    assert away_seconds < 2
    assert (len(epochs), first.observing, second.observing) == (2, True, True)
    # Of the new life: the snapshot, and each event after it once, whoever was killed meanwhile.
    assert of_second == list(range(of_second[0], of_second[0] + len(of_second)))


def _calls_of(screen: Screen, number: str) -> set[str]:
    """Calls of theirs that are over."""
    return {one.call.call_id for one in screen.all(CallEnded) if one.call.caller.number == number}
