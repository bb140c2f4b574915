"""Recorded streams through the whole edge: the bytes go through the session as from a socket, and what the engine
writes is read as Asterisk would: the results of the recording answer the engine's own commands, in their order, so that
its calls go on as far as the recorded one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from structlog.testing import capture_logs

from callrouter.asterisk import codec
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.log_in import AmiAddress
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
from tests.asterisk.engine_room import EVERY_KIND, NobodyAnswers, OnePlan, plan_of

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
    "caller_given_to_colleague": Disposition.ANSWERED,
    "caller_hangs_up_in_prompt": Disposition.LEFT_EARLY,
    "caller_refused_then_answered": Disposition.ANSWERED,
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
    """An Observer and a Meter that keep what was concluded."""

    interests = EVERY_KIND
    facts: list[Fact] = field(default_factory=list)

    def observe(self, told: Sequence[Fact]) -> None:
        """As an Observer."""
        self.facts += told

    @property
    def ended(self) -> list[Call]:
        """The calls that are over, each as often as it was concluded."""
        return [fact.call for fact in self.facts if isinstance(fact, CallEnded)]

    def observe_decision(self, seconds: float) -> None:
        """Nothing is measured here."""

    def observe_round_trip(self, seconds: float) -> None:
        """Nothing is measured here."""


def replay(blocks: Sequence[bytes], plan: Plan) -> tuple[list[Call], list[Call]]:
    """Feed blocks through session, switch and driver; the calls that ended, and those that live."""
    heard, live = replayed(blocks, plan)
    return heard.ended, live


def replayed(blocks: Sequence[bytes], plan: Plan, *, conclude: bool = False) -> tuple[Listener, list[Call]]:
    """The same, with all that was concluded. `conclude`: the lines that are left are ended then, as when Asterisk's
    journal has a row of a call that lives here.
    """
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
    for line in list(switch.lines.values()) if conclude else ():
        line.channel_ended(None)
    session.connection_lost(None)
    for call in live:
        switch.release(call.call_id)
    assert not conclude or not list(calls)
    return listener, live


def blocks_of(recording: Path) -> list[bytes]:
    """What stands between empty lines; the greeting, which every replay begins with, left out."""
    data = recording.read_bytes()
    return [block for block in data.partition(b"\r\n")[2].split(END) if block]


def starts(blocks: Sequence[bytes]) -> int:
    return sum(block.startswith(b"Event: AsyncAGIStart\r\n") for block in blocks)
