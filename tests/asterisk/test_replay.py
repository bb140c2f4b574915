"""Recorded reality through the whole edge: from every event on, as an engine that connects in the middle sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from engine_room import OnePlan, plan_of

from callrouter.asterisk.codec import Message, decode_stream
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.translate import Places
from callrouter.core.call import Call
from callrouter.core.facts import CallEnded, Fact
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.ami"))
PLAN = plan_of(
    QueueNode(name="queue", queue="test", max_wait_seconds=60.0, exits={"overflow": "bye"}), HangupNode(name="bye")
)


class Listener:
    """An Observer and a Meter that keep the calls that ended."""

    def __init__(self) -> None:
        self.ended: list[Call] = []

    def observe(self, told: Sequence[Fact]) -> None:
        self.ended += [fact.call for fact in told if isinstance(fact, CallEnded)]

    def observe_decision(self, seconds: float) -> None:
        """Nothing is measured here."""

    def observe_round_trip(self, seconds: float) -> None:
        """Nothing is measured here."""


def replay(events: Sequence[Message]) -> tuple[list[Call], LiveCalls]:
    """The events through switch and driver; what is commanded goes nowhere, as nothing is connected."""
    listener, clock, calls = Listener(), SystemClock(), LiveCalls()
    driver = Driver(plans=OnePlan(PLAN), clock=clock, observers=[listener], meter=listener, calls=calls)
    places = Places(recordings_dir="/nowhere")
    switch = AsteriskSwitch(inbox=driver, clock=clock, meter=listener, places=places, region="FR")
    driver.switch = switch
    for event in events:
        switch.on_event(event)
    return listener.ended, calls


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_every_suffix_is_tolerated(recording: Path) -> None:
    """Unknown channels are passed over; a call is known only if its beginning was seen, and then ends once."""
    events = list(decode_stream(recording.read_bytes()))
    for start in range(len(events)):
        suffix = events[start:]
        ended, calls = replay(suffix)

        begun = {event["Uniqueid"] for event in suffix if event.event == "AsyncAGIStart"}
        assert len(ended) + len(calls) == len(begun)
        assert len({call.call_id for call in ended}) == len(ended)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_every_prefix_is_tolerated(recording: Path) -> None:
    """The link may be cut after any event: what has not ended is still live."""
    events = list(decode_stream(recording.read_bytes()))
    for end in range(0, len(events), 3):
        ended, calls = replay(events[:end])

        assert len(ended) + len(calls) == sum(event.event == "AsyncAGIStart" for event in events[:end])
