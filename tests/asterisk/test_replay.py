"""Recorded reality through the whole edge: from every event on, as an engine that connects in the middle sees it.

The bytes go through the session as from a socket, and what the engine writes is read as Asterisk would: the results of
the recording answer the engine's own commands, in their order, so that its calls go on as far as the recorded one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callrouter.asterisk import codec
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiAddress, AmiLink
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.core.call import Call, Disposition
from callrouter.core.effects import Sound
from callrouter.core.facts import CallEnded, Fact
from callrouter.core.nodes import DialNode, HangupNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.core.rota import Contact
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from tests.asterisk.engine_room import NobodyAnswers, OnePlan, plan_of

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.ami"))
END = b"\r\n\r\n"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
HELLO = PlayNode(name="hello", sounds=(Sound(file="beep", seconds=0.5),), exits={"next": "serve"})
BYE = HangupNode(name="bye")
QUEUE = plan_of(HELLO, QueueNode(name="serve", queue="medical", max_wait_seconds=60.0, exits={"overflow": "bye"}), BYE)
DIAL = plan_of(
    HELLO,
    DialNode(
        name="serve",
        contacts=(Contact(name="one", number="+33639980001"),),
        ring_seconds=9.0,
        exits={"no_answer": "bye"},
    ),
    BYE,
)
PLANS = {"caller_connected_by_dial": DIAL}
ENDS = {
    "caller_abandons_queue": Disposition.ABANDONED,
    "caller_answered_by_agent": Disposition.ANSWERED,
    "caller_connected_by_dial": Disposition.REDIRECTED,
    "caller_hangs_up_in_prompt": Disposition.LEFT_EARLY,
    "caller_served_by_ivr": Disposition.ABANDONED,
}


class Socket(asyncio.Transport):
    """The other end of the session: knows which AGI commands it was sent, by channel."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: defaultdict[bytes, deque[tuple[bytes, bytes]]] = defaultdict(deque)
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As a socket that is never full."""
        for block in bytes(data).split(END):
            if block.startswith(b"Action: AGI\r\n"):
                fields = [codec.field(block, name) for name in (b"\r\nCommand: ", b"\r\nCommandID: ")]
                self.commands[codec.field(block, b"\r\nChannel: ")].append((fields[0], fields[1]))

    def is_closing(self) -> bool:
        """Never."""
        return False

    def abort(self) -> None:
        """As a socket."""
        self.aborted = True

    def answer(self, block: bytes) -> bytes:
        """A recorded result, as that of the engine's own oldest command on its channel, if it can be one of such."""
        waiting = self.commands[codec.field(block, b"\r\nChannel: ")]
        if not block.startswith(b"Event: AsyncAGIExec\r\n") or not waiting:
            return block
        of_a_routine = b"Gosub" in codec.field(block, b"\r\nResult: ")
        if waiting[0][0].startswith(b"GOSUB") != of_a_routine:
            return block  # the engine is in a routine, and the recording not yet, or the other way round
        recorded, own = codec.field(block, b"\r\nCommandId: "), waiting.popleft()[1]
        return block.replace(b"\r\nCommandId: " + recorded, b"\r\nCommandId: " + own)


@dataclass
class Listener:
    """An Observer and a Meter that keep the calls that ended."""

    interests = frozenset({CallEnded})
    ended: list[Call] = field(default_factory=list)

    def observe(self, told: Sequence[Fact]) -> None:
        self.ended += [fact.call for fact in told if isinstance(fact, CallEnded)]

    def observe_decision(self, seconds: float) -> None:
        """Nothing is measured here."""

    def observe_round_trip(self, seconds: float) -> None:
        """Nothing is measured here."""


def replay(blocks: Sequence[bytes], plan: Plan) -> tuple[list[Call], list[Call]]:
    """Feed blocks through session, switch and driver; the calls that ended, and those that live."""
    listener, clock, calls = Listener(), SystemClock(), LiveCalls()
    link = AmiLink(AmiAddress(host="test", port=1, username="", secret=""))
    places = Places(recordings_dir="/nowhere")
    switch = AsteriskSwitch(link, clock=clock, meter=listener, places=places, region="FR")
    plans, listeners = OnePlan(plan), Listeners([listener])
    Driver(switch, NobodyAnswers(), plans=plans, clock=clock, listeners=listeners, meter=listener, calls=calls)
    session, socket = link._idle_session(), Socket()
    link._session = session
    session.connection_made(socket)
    with capture_logs() as logged:
        session.data_received(GREETING)
        for block in blocks:
            whole = socket.answer(block) + END
            for piece in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
                session.data_received(piece)
    # What fails in a handler is logged and passed over, so that one bad call does not deafen all others.
    assert [line for line in logged if line["log_level"] == "error"] == []
    assert not socket.aborted
    live = [one.call for one in calls]
    session.connection_lost(None)
    for call in live:
        switch.release(call.call_id)
    return listener.ended, live


def blocks_of(recording: Path) -> list[bytes]:
    """What stands between empty lines; the greeting, which every replay begins with, left out."""
    data = recording.read_bytes()
    return [block for block in data.partition(b"\r\n")[2].split(END) if block]


def starts(blocks: Sequence[bytes]) -> int:
    return sum(block.startswith(b"Event: AsyncAGIStart\r\n") for block in blocks)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_a_call_goes_on_as_far_as_the_recorded_one(recording: Path) -> None:
    """Past its first waits, on the results of the recording, to its end."""
    ended, live = replay(blocks_of(recording), PLANS.get(recording.stem, QUEUE))

    (call,) = ended
    assert live == []
    assert call.clocks.answered_at is not None
    assert call.disposition is ENDS[recording.stem]
    assert bool(call.queue_visits or call.dials) == (recording.stem != "caller_hangs_up_in_prompt")


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_every_suffix_is_tolerated(recording: Path) -> None:
    """Unknown channels are passed over; a call is known only if its beginning was seen, and then ends once."""
    blocks, plan = blocks_of(recording), PLANS.get(recording.stem, QUEUE)
    for start in range(len(blocks)):
        ended, live = replay(blocks[start:], plan)

        assert len(ended) + len(live) == starts(blocks[start:])
        assert len({call.call_id for call in ended}) == len(ended)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_every_prefix_is_tolerated(recording: Path) -> None:
    """The link may be cut after any event: what has not ended is still live."""
    blocks, plan = blocks_of(recording), PLANS.get(recording.stem, QUEUE)
    for end in range(0, len(blocks), 3):
        ended, live = replay(blocks[:end], plan)

        assert len(ended) + len(live) == starts(blocks[:end])


@pytest.mark.parametrize("size", [1, 2, 7, 1460])
async def test_bytes_may_be_cut_anywhere(size: int) -> None:
    """Whatever the sizes they are read in, the same events are told."""
    data = RECORDINGS[0].read_bytes()

    assert told_in_pieces(data, size) == told_in_pieces(data, len(data)) != []


def told_in_pieces(data: bytes, size: int) -> list[tuple[str, str]]:
    """What a session tells of a stream that is read in pieces of a size."""
    told: list[tuple[str, str]] = []

    def on_event(message: codec.AmiMessage) -> None:
        told.append((message["Event"], message["Uniqueid"]))

    events = dict.fromkeys((b"AsyncAGIStart", b"AsyncAGIEnd", b"Hangup"), on_event)
    handlers = Handlers(events=events, on_post_error=lambda *_: None)
    session = AmiSession(handlers, LinkCounters())
    session.connection_made(Socket())
    for start in range(0, len(data), size):
        session.data_received(data[start : start + size])
    return told
