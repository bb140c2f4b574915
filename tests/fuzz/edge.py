"""The edge towards Asterisk without Asterisk: bytes in, and everything that it writes looked at by the law of acts.

The law: whatever is heard, nothing is written but well-formed actions out of a short list, on channels that Asterisk
has announced; nothing that is raised reaches the top; no call is concluded twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from structlog.testing import capture_logs

from callrouter.asterisk import codec
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.switch import MAX_ASKED_EARLY, MAX_OVER, AsteriskSwitch
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from tests.asterisk.engine_room import NobodyAnswers, OnePlan
from tests.asterisk.replaying import END, GREETING, Listener, Socket

ACTIONS: Final = frozenset({"AGI", "AbsoluteTimeout", "Setvar", "Hangup", "PlayDTMF", "QueueSummary"})
"""All that a switch without queues of its own, agents and callbacks ever asks for."""
COMMANDS: Final = re.compile(
    r"(?:ANSWER|NOOP|ASYNCAGI BREAK|GET VARIABLE CR_\w+|SET VARIABLE (?:__)?[A-Z_0-9()a-z]+ \".*\""
    r"|EXEC (?:Playback|Read|Set|StartMusicOnHold|StopMusicOnHold|MusicOnHold)\b.*"
    r"|GOSUB callrouter-[a-z]+ s 1(?: [A-Za-z0-9_.-]+)?"
    r"|SET MUSIC (?:on|off).*)",
    re.DOTALL,
)
VARIABLES: Final = re.compile(r"(?:__)?CR_[A-Z0-9_]+|QUEUE_PRIO|TIMEOUT\(absolute\)")


class Watched(Socket):
    """A socket that reads what is written as Asterisk would, and judges it."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: set[bytes] = set()
        self.written: list[codec.AmiMessage] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it, once it is found to be ours."""
        blocks = bytes(data).split(END)
        assert blocks.pop() == b"", "an action without its end"
        for block in blocks:
            self._judge(block)
        super().write(data)

    def _judge(self, block: bytes) -> None:
        lines = block.split(b"\r\n")
        assert len(lines) <= codec.MAX_HEADERS
        for line in lines:
            assert len(line) + 2 <= codec.MAX_LINE_BYTES
            assert b": " in line or line.endswith(b":"), line
            assert not set(line) & {0, 10, 13}, line
        keys = [line.partition(b":")[0] for line in lines]
        assert len(set(keys)) == len(keys), f"a repeated header: {block!r}"
        action = codec.parse(block)
        assert action["Action"] in ACTIONS, block
        if action["Action"] == "AGI":
            assert COMMANDS.fullmatch(action["Command"]), block
        if action["Action"] == "Setvar":
            assert VARIABLES.fullmatch(action["Variable"]), block
        if "Channel" in action:
            assert action["Channel"].encode() in self.announced, f"an act on a channel of nobody's: {block!r}"
        self.written.append(action)

    def announce(self, data: bytes) -> None:
        """Channels that Asterisk names in an AsyncAGIStart, or as a new name of one."""
        self.announced.update(re.findall(rb"(?:Channel|Newname): ?([^\r\n]*)", data))
        for env in re.findall(rb"Env: ?([^\r\n]*)", data):
            self.announced.update(re.findall(rb"agi_channel: ([^\n]*)", unquote_to_bytes(env)))


class Edge:
    """Session, switch and driver for one plan, as an engine has them."""

    def __init__(self, plan: Plan) -> None:
        self.listener, self.calls, clock = Listener(), LiveCalls(), SystemClock()
        self.link = AmiLink(AmiAddress(host="test", port=1, username="", secret=""))
        places = Places(recordings_dir="/nowhere")
        self.switch = AsteriskSwitch(self.link, clock=clock, meter=self.listener, places=places, region="FR")
        plans, listeners = OnePlan(plan), Listeners([self.listener])
        self.driver = Driver(
            self.switch,
            NobodyAnswers(),
            plans=plans,
            clock=clock,
            listeners=listeners,
            meter=self.listener,
            calls=self.calls,
        )
        self.socket = Watched()
        self.session: Any = self.link._idle_session()
        self.link._session = self.session
        self.session.connection_made(self.socket)

    def hear(self, blocks: Iterable[bytes], *, answers: bool = True) -> None:
        """Blocks, in halves; `answers`: recorded results answer the engine's own commands."""
        self.read(GREETING)
        for block in blocks:
            whole = (self.socket.answer(block) if answers else block) + END
            self.read(whole[: len(whole) // 2])
            self.read(whole[len(whole) // 2 :], of=whole)

    def read(self, data: bytes, *, of: bytes = b"") -> None:
        """As from a socket, which is read no more once the session has ended; `of`: the block that ends with it."""
        self.socket.announce(of or data)
        if not self.socket.aborted:
            self.session.data_received(data)

    def end(self) -> None:
        """Every line ends, and the link: each call is concluded, once."""
        begun = {fact.call.call_id for fact in self.listener.facts if type(fact).__name__ == "CallStarted"}
        for line in list(self.switch.lines.values()):
            line.channel_ended(None)
        self.session.connection_lost(None)
        ended = [call.call_id for call in self.listener.ended]
        assert sorted(ended) == sorted(begun), "each call ends, and once"
        assert not list(self.calls)
        assert not self.switch.lines

    def is_bounded(self) -> None:
        """What strangers' events may leave behind."""
        assert len(self.switch._asked_early) <= MAX_ASKED_EARLY
        assert len(self.switch._over) <= MAX_OVER


@contextmanager
def nothing_fails() -> Iterator[None]:
    """What fails in a handler is logged as an error, and passed over: here it is a finding."""
    with capture_logs(processors=[structlog.processors.format_exc_info]) as logged:
        yield
    failed = [line for line in logged if line["log_level"] in ("error", "critical")]
    assert not failed, "\n".join(f"{line}\n{line.get('exception', '')}" for line in failed)
