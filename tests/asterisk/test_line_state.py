"""The table of a line: each state with each thing that can be sent or heard, and what may never be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from callrouter.asterisk import codec
from callrouter.asterisk.line import commanded
from callrouter.asterisk.line import line as lines
from callrouter.asterisk.line import state as states
from callrouter.asterisk.line.commanded import LEASE_GUARD_SECONDS, TOO_LATE_REASON, LinePorts
from callrouter.asterisk.line.line import (
    HANGUP_GRACE_SECONDS,
    IS_HUNG_UP,
    NESTED_REASON,
    TAKEN_BACK_REASON,
    TRANSFERRED_REASON,
    Line,
)
from callrouter.asterisk.line.read_keys import KEY_GRACE_SECONDS, SHORTEST_KEY_SECONDS
from callrouter.asterisk.line.round_trips import MEASURED_STEP, RoundTrips
from callrouter.asterisk.line.state import MAY_SEND, MEANS, Heard, LineState, Sent
from callrouter.asterisk.line.translate import LEASE_MARGIN_SECONDS, Places
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.waiting.waits import Waits
from callrouter.core import inputs
from callrouter.core.call import Call, CallerId, CallState, Clocks
from callrouter.core.effects import CollectDigits, Effect, EnterQueue, Hangup, Play, Sound
from tests.asterisk.engine_room import until

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PLAY = Play(sounds=(Sound(file="beep", seconds=1.0),), interruptible=False)
QUEUE = EnterQueue(queue="team", max_wait_seconds=60.0, brief=(), priority=0)
READ = CollectDigits(sounds=(), max_digits=1, timeout_seconds=5.0)
END = b"\r\n\r\n"
STATE = b"c3RhdGU="

# What is sent and told when something happens to a line in a state, and the state afterwards; `.`: nothing changes.
# Sent: C commands with a wake-up, Q a question without one, S the call's state, B a break, H a hang-up.
# Told: r a result, k a key, l control lost, e the caller's end.
TABLE = """
                    commanded       in_routine      left        lost        ending      gone
play                commanded:C     .               .           .           .           .
queue               in_routine:C    .               .           .           .           .
hang_up             ending:H        ending:H        .           .           ending:H    .
keep                commanded:S     in_routine:S    left:S      lost:S      ending:S    .
resume              commanded:C     in_routine:Q    .           .           ending:H    .
results             commanded:r     commanded:r     .           .           .           .
out_of_step         lost:Bl         lost:Bl         .           .           .           .
key                 commanded:k     in_routine:k    lost:lk     lost:k      ending:k    .
agi_ended           left            left            .           .           .           .
agi_entered_again   lost:l          lost:l          lost:l      .           lost:l      .
taken_back          lost:l          lost:l          lost:l      .           lost:l      .
hangup_requested    commanded:e     in_routine:e    left:e      lost:e      .           .
channel_ended       gone:e          gone:e          gone:e      gone:e      gone:e      .
call_ended          gone            gone            gone        gone        gone        .
"""


class Bench:
    """A line on a link whose other end is this; what it sends and tells is written down, by the letters of TABLE."""

    def __init__(self) -> None:
        self.link = AmiLink(AmiAddress(host="test", port=1, username="", secret=""))
        self.socket = Socket()
        self.measured: list[float] = []
        self.told: list[inputs.Input] = []
        round_trips = RoundTrips(self)
        round_trips.take(float("inf"))  # none is due in these tests
        self.ports = LinePorts(
            link=self.link,
            tell=lambda _, told: self.told.append(told),
            now=lambda: AT,
            places=Places(recordings_dir="/nowhere"),
            round_trips=round_trips,
            waits=Waits(self.link),
        )
        self.line = Line("1-2-3", "1.0", "PJSIP/trunk-1", self.ports)
        self.connect()

    def connect(self) -> None:
        """The link is up."""
        session = self.link._idle_session()
        self.link._session = session
        session.connection_made(self.socket)
        session.data_received(b"Asterisk Call Manager/11.0.0\r\n")

    def observe_decision(self, seconds: float) -> None:
        """As a Meter."""

    def observe_round_trip(self, seconds: float) -> None:
        """As a Meter."""
        self.measured.append(seconds)

    def perform(self, *effects: Effect, step: int = 1) -> None:
        """As the driver."""
        self.line.perform(call_at(step), STATE, effects)

    def results(self, result: bytes = b"200%20result%3D0%0A") -> None:
        """Each command that Asterisk has been sent is answered so, in order."""
        for command_id in list(self.socket.commands):
            self.socket.commands.remove(command_id)
            event = b"Event: AsyncAGIExec\r\nResult: %b\r\nCommandId: %b" % (result, command_id)
            self.link._session.data_received(event + END)

    def says_of_hangup(self, answer: bytes) -> None:
        """Asterisk's answer to the one question whether the channel is being hung up."""
        [question] = self.socket.questions
        self.socket.questions.clear()
        assert codec.field(question, b"\r\nVariable: ") == IS_HUNG_UP.encode()
        action_id = codec.field(question, b"\r\nActionID: ")
        self.link._session.data_received(b"Response: %b\r\nActionID: %b" % (answer, action_id) + END)

    def seen(self) -> str:
        """What was sent and told since the last time."""
        sent = "".join(letter(actions) for actions in self.socket.writes)
        told = "".join(TOLD[type(one)] for one in self.told)
        self.socket.writes.clear()
        self.told.clear()
        return sent + told


class Socket(asyncio.Transport):
    """Keeps what is written, the ids of the AGI commands in it, and the questions after variables."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[list[bytes]] = []
        self.commands: list[bytes] = []
        self.questions: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        actions = [block for block in bytes(data).split(END) if block]
        self.writes.append(actions)
        self.questions += [block for block in actions if is_a(block, b"Getvar")]
        self.commands += [codec.field(block, b"\r\nCommandID: ") for block in actions if is_a(block, b"AGI")]

    def is_closing(self) -> bool:
        return False


TOLD = {
    inputs.PromptEnded: "r",
    inputs.QueueLeft: "r",
    inputs.DigitPressed: "k",
    inputs.ControlLost: "l",
    inputs.CallerHungUp: "e",
}


def is_a(block: bytes, action: bytes) -> bool:
    return block.startswith(b"Action: " + action + b"\r\n")


def letter(actions: Sequence[bytes]) -> str:
    """One write, by the letters of TABLE; a wake-up stands at its end or nowhere."""
    assert not any(is_a(block, b"AbsoluteTimeout") for block in actions[:-1])
    if any(is_a(block, b"Hangup") for block in actions):
        return "H"
    if any(b"ASYNCAGI BREAK" in block for block in actions):
        return "B"
    if any(is_a(block, b"AGI") for block in actions):
        return "C" if is_a(actions[-1], b"AbsoluteTimeout") else "Q"
    return "S" if all(is_a(block, b"Setvar") for block in actions) else "?"


def call_at(step: int) -> Call:
    return Call(
        call_id="1-2-3",
        client="test",
        plan_version="0123456789ab",
        did="+33199000010",
        caller=CallerId(),
        state=CallState.PLAYING,
        clocks=Clocks(ringing_at=AT),
        step=step,
    )


HAPPENS: dict[str, Callable[[Bench], None]] = {
    "play": lambda bench: bench.perform(PLAY),
    "queue": lambda bench: bench.perform(QUEUE),
    "hang_up": lambda bench: bench.perform(Hangup(cause=16)),
    "keep": lambda bench: bench.line.keep(b"c3RhdGU="),
    "resume": lambda bench: bench.line.resume(),
    "results": lambda bench: bench.results(),
    "out_of_step": lambda bench: bench.results(b"xxxx"),
    "key": lambda bench: bench.line.key_pressed("5"),
    "agi_ended": lambda bench: bench.line.agi_ended(),
    "agi_entered_again": lambda bench: bench.line.agi_entered_again(),
    "taken_back": lambda bench: bench.line.lose("taken back"),
    "hangup_requested": lambda bench: bench.line.hangup_requested(16),
    "channel_ended": lambda bench: bench.line.channel_ended(16),
    "call_ended": lambda bench: bench.line.call_ended(),
}
INTO: dict[LineState, tuple[str, ...]] = {
    LineState.COMMANDED: ("play",),
    LineState.IN_ROUTINE: ("queue",),
    LineState.LEFT: ("play", "agi_ended"),
    LineState.LOST: ("play", "taken_back"),
    LineState.ENDING: ("play", "hang_up"),
    LineState.GONE: ("play", "call_ended"),
}


def cells() -> Iterator[tuple[LineState, str, str]]:
    """State, what happens, what is expected."""
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    assert head == [state.value for state in LineState]
    assert [row[0] for row in rows] == list(HAPPENS)
    for happens, *row in rows:
        for state, expected in zip(LineState, row, strict=True):
            yield state, happens, expected


@pytest.mark.parametrize(("state", "happens", "expected"), list(cells()))
async def test_every_state_with_everything_that_can_happen(state: LineState, happens: str, expected: str) -> None:
    """It moves, sends and tells as the table says; what the table does not hold changes nothing."""
    bench = Bench()
    for step in INTO[state]:
        HAPPENS[step](bench)
    assert bench.line.state is state
    bench.seen()

    HAPPENS[happens](bench)

    after, _, seen = expected.partition(":")
    assert (bench.line.state, bench.seen()) == (state if expected == "." else LineState(after), seen)
    bench.line.call_ended()


def test_nothing_is_sent_where_asterisk_does_not_read_it() -> None:
    """After the end of AsyncAGI only what acts past the channel's loop; a routine is never woken."""
    past_the_loop = {Sent.STATE, Sent.HANGUP}

    assert set(MAY_SEND[LineState.COMMANDED]) == set(Sent)
    assert set(MAY_SEND[LineState.IN_ROUTINE]) == set(Sent) - {Sent.COMMANDS, Sent.ROUTINE}
    for state in (LineState.LEFT, LineState.LOST, LineState.ENDING):
        assert set(MAY_SEND[state]) <= past_the_loop
    assert not MAY_SEND[LineState.GONE]


def test_what_is_lost_is_not_taken_again() -> None:
    """From LOST, and from GONE, there is no way back to a state in which anything is commanded."""
    for state, ways in (
        (LineState.LOST, {LineState.LOST, LineState.GONE}),
        (LineState.ENDING, {LineState.ENDING, LineState.LOST, LineState.GONE}),
        (LineState.GONE, set[LineState]()),
    ):
        assert {*MAY_SEND[state].values(), *MEANS[state].values()} <= ways


def test_the_tables_hold_every_state_and_every_word() -> None:
    """No state without its rows, every one of them can be reached and left, and each is explained above the table."""
    assert set(MAY_SEND) == set(MEANS) == set(LineState)
    assert {sent for row in MAY_SEND.values() for sent in row} == set(Sent)
    assert {heard for row in MEANS.values() for heard in row} == set(Heard)
    after = {state: {*MAY_SEND[state].values(), *MEANS[state].values()} for state in LineState}
    assert {LineState.COMMANDED}.union(*after.values()) == set(LineState)
    for state in set(LineState) - {LineState.GONE}:
        assert {Heard.CHANNEL_ENDED, Heard.CALL_ENDED} <= MEANS[state].keys()
        assert LineState.GONE in after[state]
    for state in LineState:
        assert f"    {state.name} " in (states.__doc__ or "")


async def test_a_channel_that_goes_on_without_asyncagi_is_lost() -> None:
    """Asterisk says that it is not being hung up; in a queue somebody has transferred the call, elsewhere Asterisk has
    taken it."""
    for effect, reason in ((PLAY, TAKEN_BACK_REASON), (QUEUE, TRANSFERRED_REASON)):
        bench = Bench()
        bench.perform(effect)
        bench.line.agi_ended()
        assert bench.told == []
        await asyncio.sleep(HANGUP_GRACE_SECONDS * 1.5)
        assert bench.told == []
        bench.says_of_hangup(b"Success\r\nValue: 0")
        await asyncio.sleep(0)

        assert bench.told == [inputs.ControlLost(reason=reason, at=AT)]
        bench.line.call_ended()


async def test_a_channel_that_is_hung_up_slowly_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes, and though the event of its end comes after the answer that it is no more."""
    monkeypatch.setattr(lines, "HANGUP_GRACE_SECONDS", 0.01)
    bench = Bench()
    bench.perform(PLAY)
    bench.line.agi_ended()
    for answer in (b"Success\r\nValue: 1", b"Success\r\nValue: 1", b"Error\r\nMessage: No such channel"):
        await until(lambda: bool(bench.socket.questions), 2)
        bench.says_of_hangup(answer)
    await asyncio.sleep(0.01)
    bench.line.channel_ended(16)

    assert bench.told == [inputs.CallerHungUp(at=AT, cause=16, by_caller=False)]
    bench.line.call_ended()


async def test_nothing_is_concluded_of_a_channel_while_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked after when the link is back."""
    monkeypatch.setattr(lines, "HANGUP_GRACE_SECONDS", 0.01)
    bench = Bench()
    bench.perform(PLAY)
    bench.line.agi_ended()
    bench.link._session.connection_lost(None)
    await asyncio.sleep(0.05)
    assert bench.told == []
    bench.connect()
    await until(lambda: bool(bench.socket.questions), 2)
    bench.says_of_hangup(b"Success\r\nValue: 0")
    await asyncio.sleep(0)

    assert bench.told == [inputs.ControlLost(reason=TAKEN_BACK_REASON, at=AT)]
    bench.line.call_ended()


async def test_a_channel_that_ends_with_asyncagi_was_hung_up() -> None:
    """Control was not lost. Nobody asked for it before (HangupRequest), so it was not the caller."""
    bench = Bench()
    bench.perform(PLAY)
    bench.line.agi_ended()
    bench.line.channel_ended(16)
    bench.line.call_ended()
    await asyncio.sleep(HANGUP_GRACE_SECONDS * 1.5)

    assert bench.told == [inputs.CallerHungUp(at=AT, cause=16, by_caller=False)]


async def test_control_is_lost_once() -> None:
    """Whatever else says so afterwards."""
    bench = Bench()
    bench.perform(PLAY)
    bench.line.agi_entered_again()
    bench.line.agi_ended()
    bench.line.agi_ended()
    bench.line.lose("found in the fallback")
    bench.results()

    assert bench.told == [inputs.ControlLost(reason=NESTED_REASON, at=AT)]


@pytest.mark.parametrize("effect", [PLAY, Hangup(cause=16)], ids=["command", "hang-up"])
async def test_what_is_decided_after_the_lease_reaches_nobody(monkeypatch: pytest.MonkeyPatch, effect: Effect) -> None:
    """A process that was held up; a little before the end of the lease is too late as well."""
    bench, now = Bench(), [100.0]
    monkeypatch.setattr(commanded, "perf_counter", lambda: now[0])
    bench.perform(PLAY)
    now[0] += LEASE_MARGIN_SECONDS + 1.0 - LEASE_GUARD_SECONDS + 0.01
    bench.seen()
    bench.line.perform(call_at(2), b"c3RhdGU=", (effect,))

    assert bench.socket.writes == []
    assert bench.told == [inputs.ControlLost(reason=TOO_LATE_REASON, at=AT)]


async def test_a_routine_has_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """It switches it off by itself: what follows it is in time, an hour later."""
    bench, now = Bench(), [100.0]
    for module in (commanded, lines):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])
    bench.perform(QUEUE)
    now[0] += 3600.0
    bench.results()
    bench.perform(PLAY, step=3)

    assert bench.seen() == "CCr"


async def test_what_is_decided_while_the_link_is_away_is_done_when_it_is_back() -> None:
    """A routine too: until then the channel is not taken for one that is in it."""
    bench = Bench()
    bench.perform(PLAY)
    bench.results()
    bench.link._session.connection_lost(None)
    bench.seen()
    bench.perform(QUEUE, step=3)
    assert (bench.line.state, bench.seen()) == (LineState.COMMANDED, "")

    bench.connect()
    bench.line.resume()
    assert (bench.line.state, bench.seen()) == (LineState.IN_ROUTINE, "C")


@pytest.mark.parametrize(("effect", "sent"), [(PLAY, "C"), (Hangup(cause=16), "H")], ids=["command", "hang-up"])
async def test_a_lease_is_not_judged_while_the_link_is_away(
    monkeypatch: pytest.MonkeyPatch, effect: Effect, sent: str
) -> None:
    """Asterisk may have been killed, and the call with it: who has the caller is seen when the link is back."""
    bench, now = Bench(), [100.0]
    monkeypatch.setattr(commanded, "perf_counter", lambda: now[0])
    bench.perform(PLAY)
    bench.results()
    bench.link._session.connection_lost(None)
    bench.seen()
    now[0] += LEASE_MARGIN_SECONDS + 60.0
    bench.perform(effect, step=3)
    assert bench.seen() == ""

    bench.connect()
    bench.line.resume()
    assert bench.seen() == sent


async def test_an_end_that_may_have_been_lost_with_the_link_is_asked_for_again() -> None:
    """With the cause it was decided with, and what the call had come to before it."""
    bench = Bench()
    bench.perform(PLAY)
    bench.link._session.connection_lost(None)
    bench.perform(Hangup(cause=21))
    bench.socket.writes.clear()
    bench.connect()
    bench.line.resume()

    ((noted, action),) = bench.socket.writes
    assert codec.field(noted, b"\r\nVariable: ") == b"CR_STATE"
    assert codec.field(noted, b"\r\nValue: ") == STATE
    assert is_a(action, b"Hangup")
    assert codec.field(action, b"\r\nCause: ") == b"21"


async def test_a_measured_command_goes_first_and_alone() -> None:
    """All else follows its result, and the state is not written twice; keys may come meanwhile."""
    bench = Bench()
    bench.ports.round_trips._due_at = 0.0
    bench.perform(QUEUE, step=MEASURED_STEP)
    assert [len(actions) for actions in bench.socket.writes] == [2]
    assert bench.line.state is LineState.COMMANDED

    bench.results()
    assert len(bench.measured) == 1
    assert MAY_SEND[bench.line.state] == MAY_SEND[LineState.IN_ROUTINE]
    assert not any(b"CR_STATE" in block for block in bench.socket.writes[1])


@pytest.mark.parametrize("ends", [True, False])
async def test_a_key_that_read_did_not_see_ends_it(ends: bool) -> None:
    """Not if Read ends by itself meanwhile; the event of the key that was put in is nobody's."""
    bench = Bench()
    bench.perform(READ)
    bench.line.key_pressed("2")
    if ends:
        bench.results()
    bench.socket.writes.clear()
    await asyncio.sleep(SHORTEST_KEY_SECONDS + KEY_GRACE_SECONDS * 1.5)
    injected = [is_a(block, b"PlayDTMF") for actions in bench.socket.writes for block in actions]
    bench.line.key_pressed("#")

    assert injected == ([] if ends else [True])
    keys = [told.digit for told in bench.told if isinstance(told, inputs.DigitPressed)]
    assert keys == (["2", "#"] if ends else ["2"])


async def test_a_key_let_go_as_read_started_reaches_it_in_its_own_time() -> None:
    """Asterisk plays it to Read as long as it lasted: a `#` before that is over would answer the next question."""
    bench = Bench()
    bench.perform(READ)
    bench.line.key_pressed("2", 0.3)
    bench.socket.writes.clear()
    await asyncio.sleep(0.3)
    early = len(bench.socket.writes)
    await asyncio.sleep(KEY_GRACE_SECONDS * 1.5)

    assert (early, len(bench.socket.writes)) == (0, 1)
    bench.line.call_ended()


async def test_results_that_will_not_come_are_forgotten() -> None:
    """Asterisk says nothing of what was queued on a channel that ended."""
    bench = Bench()
    bench.perform(PLAY)
    assert bench.link.awaited_results == 1
    bench.line.call_ended()

    assert bench.link.awaited_results == 0


async def test_a_read_that_never_arrived_is_ordered_again() -> None:
    """Its variable is not set: nothing was asked of the caller, who is silent for that reason."""
    bench = Bench()
    bench.perform(READ)
    bench.socket.commands.clear()  # lost with the link
    bench.seen()
    bench.line.resume()
    bench.results()

    assert bench.told == []
    assert [len(write) for write in bench.socket.writes[-2:]] == [
        3,
        3,
    ]  # two questions; state, Read; each with its wake-up
    bench.results()
    assert [type(told) for told in bench.told] == [inputs.CollectEnded]
    bench.line.call_ended()


@pytest.mark.parametrize(("cause", "by_caller"), [(16, True), (None, True), (18, False)])
async def test_a_line_that_fails_is_no_hang_up_of_the_callers(cause: int | None, by_caller: bool) -> None:
    """Asterisk requests a hang-up also where a telephone answers no more (SIP 408 is Q.850's 18)."""
    bench = Bench()
    bench.line.hangup_requested(cause)

    assert [told.by_caller for told in bench.told if isinstance(told, inputs.CallerHungUp)] == [by_caller]
    bench.line.call_ended()
