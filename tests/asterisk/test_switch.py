"""Call control on a real Asterisk: every node's effects, and every trap of AsyncAGI."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from callrouter.asterisk import commands
from callrouter.asterisk.line.line import Line
from callrouter.asterisk.line.state import LineState
from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS, LEASE_MARGIN_SECONDS
from callrouter.asterisk.switch import EVENTS
from callrouter.core import facts, state
from callrouter.core.call import CallState, DialOutcome, Disposition, QueueOutcome
from callrouter.core.effects import Answer, Sound
from callrouter.core.nodes import (
    AnswerNode,
    CollectDigitsNode,
    DialNode,
    HangupNode,
    MenuNode,
    MessageNode,
    Node,
    PlayNode,
    QueueNode,
    RedirectNode,
    RejectNode,
)
from callrouter.core.rota import Contact
from callrouter.errors import ActionFailed
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import (
    DID,
    EXTENSIONS,
    QUEUES,
    EngineRoom,
    cut,
    deafness,
    engine_room,
    killed,
    plan_of,
    until,
)
from tests.asterisk.misbehaviour import message, raw, wake

ONE_SECOND = (Sound(file="silence/1", seconds=1.0),)
TEN_SECONDS = (Sound(file="silence/10", seconds=10.0),)
BYE = HangupNode(name="bye")
DOCTOR = Contact(name="doctor", number="+33639980001")
VOICEMAIL = Contact(name="voicemail", number="+33639980002")
BUSY = Contact(name="busy", number="+33639980003")
SILENT = Contact(name="silent", number="+33639980004")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers, phones and queues of its own."""
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    with Pbx.start(tmp_path_factory.mktemp("switch") / "pbx", lease_seconds=2, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def menu(**changes: object) -> MenuNode:
    """Ten seconds of prompt, two known keys."""
    fields = {
        "name": "menu",
        "sounds": TEN_SECONDS,
        "keys": ("1", "2"),
        "timeout_seconds": 1.0,
        "no_input_retries": 0,
        "no_match_retries": 0,
        "exits": {"key:1": "bye", "key:2": "two", "no_input": "silent", "no_match": "wrong"},
    }
    return MenuNode(**(fields | changes))  # type: ignore[arg-type]


MENU_ENDS = (BYE, HangupNode(name="two"), HangupNode(name="silent"), HangupNode(name="wrong"))


def path(room: EngineRoom) -> list[tuple[str, str]]:
    """Node and exit of every visit of the one call that is over."""
    return [(visit.node, visit.exit) for visit in room.ended[0].visits]


# Every effect


async def test_answer_play_hang_up(pbx: Pbx) -> None:
    """The tree ends by itself: self-served, and the clocks are in order."""
    answer = AnswerNode(name="answer", exits={"next": "play"})
    play = PlayNode(name="play", sounds=ONE_SECOND, exits={"next": "again"})
    again = PlayNode(name="again", sounds=ONE_SECOND, exits={"next": "bye"})
    async with engine_room(pbx, plan_of(answer, play, again, BYE)) as room:
        await room.call()
        call = await room.the_end()

    assert Disposition.SELF_SERVED is call.disposition
    assert call.clocks.answered_at is not None
    assert call.clocks.ended_at is not None
    assert 2.0 <= (call.clocks.ended_at - call.clocks.answered_at).total_seconds() < 5
    assert room.round_trips


@pytest.mark.parametrize(("keys", "leads_to"), [("2", "two"), ("9", "wrong"), ("1", "bye")])
async def test_a_key_cuts_the_prompt_short(pbx: Pbx, keys: str, leads_to: str) -> None:
    """Barge-in: ten seconds of prompt are not waited for, whether the key is known or not."""
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await room.call(f"key-{keys}")
        call = await room.the_end(seconds=6)

    assert leads_to == call.visits[-1].node
    assert Disposition.SELF_SERVED is call.disposition


async def test_silence_leaves_the_menu(pbx: Pbx) -> None:
    """Nothing keyed within the time-out after the prompt: no_input."""
    async with engine_room(pbx, plan_of(menu(sounds=ONE_SECOND), *MENU_ENDS)) as room:
        await room.call()
        call = await room.the_end()

    assert call.visits[-1].node == "silent"


async def test_keys_pressed_ahead_are_used_by_the_menus_behind(pbx: Pbx) -> None:
    """Three keys during the first prompt: it is cut short, one menu takes each of the first two."""
    second = menu(name="second", exits={"key:1": "bye", "key:2": "two", "no_input": "silent", "no_match": "wrong"})
    first = menu(exits={"key:1": "second", "key:2": "second", "no_input": "silent", "no_match": "wrong"})
    greeting = PlayNode(name="greeting", sounds=TEN_SECONDS, exits={"next": "menu"})
    async with engine_room(pbx, plan_of(greeting, first, second, *MENU_ENDS)) as room:
        await room.call("key-12")
        call = await room.the_end(seconds=6)

    assert path(room) == [("greeting", "next"), ("menu", "key:1"), ("second", "key:2"), ("two", "end")]
    assert call.digits == ""


async def test_a_prompt_that_may_not_be_cut_keeps_the_key_for_later(pbx: Pbx) -> None:
    """Digits keyed during Playback are lost to Asterisk's next command, and not to us."""
    notice = PlayNode(name="notice", sounds=ONE_SECOND * 2, interruptible=False, exits={"next": "menu"})
    async with engine_room(pbx, plan_of(notice, menu(), *MENU_ENDS)) as room:
        await room.call("key-2")
        call = await room.the_end(seconds=8)

    assert call.visits[-1].node == "two"


@pytest.mark.parametrize(("keys", "expected"), [("75011", "75011"), ("12#", "12")])
async def test_digits_are_collected(pbx: Pbx, keys: str, expected: str) -> None:
    """Up to the longest, or up to `#`."""
    collect = CollectDigitsNode(
        name="collect",
        sounds=TEN_SECONDS,
        variable="code",
        min_digits=2,
        max_digits=5,
        timeout_seconds=3.0,
        exits={"next": "bye", "no_input": "bye", "no_match": "bye"},
    )
    async with engine_room(pbx, plan_of(collect, BYE)) as room:
        await room.call(f"key-{keys}")
        call = await room.the_end(seconds=9)

    assert {"code": expected} == call.variables


REDIRECT = RedirectNode(name="redirect", number="+33639980001", exits={"failed": "bye"})
QUEUE = QueueNode(name="queue", queue="test", max_wait_seconds=20.0, exits={"overflow": "bye"})


async def test_an_agent_answers_and_hangs_up_first(pbx: Pbx) -> None:
    """The conversation outlives the lease (2 s) it was entered with; each of the five clocks is set."""
    async with engine_room(pbx, plan_of(QUEUE, BYE)) as room:
        await room.call(talk_seconds=4)
        call = await room.the_end()

    clocks = call.clocks
    assert Disposition.ANSWERED is call.disposition
    assert call.agent == "agent-test"
    assert clocks.answered_at is not None
    assert clocks.entered_service_at is not None
    assert clocks.offered_at is not None
    assert clocks.bridged_at is not None
    assert clocks.ringing_at <= clocks.answered_at <= clocks.offered_at <= clocks.bridged_at
    assert clocks.entered_service_at <= clocks.offered_at
    assert call.talk_seconds() > 3
    assert QueueOutcome.ANSWERED is call.queue_visits[0].outcome


async def test_the_caller_hangs_up_during_the_conversation(pbx: Pbx) -> None:
    """Answered, once."""
    async with engine_room(pbx, plan_of(QUEUE, BYE)) as room:
        await room.call("leave-2", talk_seconds=30)
        call = await room.the_end()
        await asyncio.sleep(0.5)

    assert Disposition.ANSWERED is call.disposition
    assert len(room.ended) == 1


@pytest.mark.parametrize("node", [QUEUE, REDIRECT], ids=["queue", "redirect"])
async def test_a_conversation_that_ends_after_the_engines_death_is_the_last(
    pbx: Pbx, tmp_path: Path, node: Node
) -> None:
    """Whoever was talked to hangs up first: Asterisk ends the call by itself, and rings nobody a second time."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:test")
    with ExitStack() as stack:
        stack.callback(pbx.cli, f"database del callrouter/fallback {DID}")
        pbx.cli("dialplan set global TALK 3")
        async with engine_room(pbx, plan_of(node, BYE)) as room:
            stack.enter_context(Callers(pbx, tmp_path)).call("talk", DID, hold_ms=60_000)
            await room.reached(lambda call: call.state is CallState.CONNECTED)
            await killed(room.link)
            idle = "0 active channels"
            await until(lambda: idle in pbx.cli("core show channels count"), 3 + AFTER_ROUTINE_LEASE_SECONDS + 2)


async def test_nobody_logged_in_overflows(pbx: Pbx) -> None:
    """An empty queue hands the caller back at once."""
    empty = QueueNode(name="queue", queue="empty", max_wait_seconds=20.0, exits={"overflow": "bye"})
    async with engine_room(pbx, plan_of(empty, BYE)) as room:
        await room.call()
        call = await room.the_end(seconds=5)

    assert path(room)[0] == ("queue", "overflow")
    assert QueueOutcome.EMPTY is call.queue_visits[0].outcome


def dial(*contacts: Contact, **changes: object) -> DialNode:
    """Ring these with screening."""
    fields = {"name": "dial", "contacts": contacts, "ring_seconds": 4.0, "screen": ONE_SECOND}
    return DialNode(**(fields | {"exits": {"no_answer": "bye"}} | changes))  # type: ignore[arg-type]


async def test_in_turn_until_somebody_accepts(pbx: Pbx) -> None:
    """Busy, then a voicemail that presses nothing, then the doctor who accepts."""
    async with engine_room(pbx, plan_of(dial(BUSY, VOICEMAIL, DOCTOR), BYE)) as room:
        await room.call(talk_seconds=2)
        call = await room.the_end(seconds=30)

    outcomes = [attempt.outcome for attempt in call.dials]
    assert Disposition.REDIRECTED is call.disposition
    assert len(outcomes) == 3
    assert outcomes[0] == "busy"
    # MASTER_CHANNEL is the channel that began it all: here that is our test's, not the caller's (acceptance: refused).
    assert outcomes[1] in ("refused", "no_answer")
    assert outcomes[2] == "answered"


async def test_at_once_the_first_to_accept_wins(pbx: Pbx) -> None:
    """A voicemail that answers first does not silence the doctor's telephone."""
    async with engine_room(pbx, plan_of(dial(VOICEMAIL, DOCTOR, at_once=True), BYE)) as room:
        await room.call(talk_seconds=2)
        call = await room.the_end(seconds=20)

    assert Disposition.REDIRECTED is call.disposition
    (attempt,) = call.dials
    assert (attempt.target, attempt.answered_by) == ("voicemail + doctor", "doctor")


async def test_at_once_one_who_hangs_up_at_the_question_leaves_the_others_ringing(pbx: Pbx) -> None:
    """A voicemail that gives up during screening must not end the doctor's ringing."""
    hasty = Contact(name="hasty", number="+33639980005")
    slow = Contact(name="slow", number="+33639980006")
    async with engine_room(pbx, plan_of(dial(hasty, slow, at_once=True, ring_seconds=8.0), BYE)) as room:
        await room.call(talk_seconds=2)
        call = await room.the_end(seconds=20)

    assert call.disposition is Disposition.REDIRECTED
    assert call.dials[0].answered_by == "slow"
    assert call.talk_seconds() > 1


async def test_who_picks_up_at_the_last_moment_is_let_decide(pbx: Pbx) -> None:
    """`ring` bounds the ringing, not the question after it: who is still being asked is not cut off."""
    late = Contact(name="late", number="+33639980007")
    async with engine_room(pbx, plan_of(dial(late, ring_seconds=3.0), BYE)) as room:
        await room.call(talk_seconds=2)
        call = await room.the_end(seconds=20)

    assert call.disposition is Disposition.REDIRECTED
    assert call.talk_seconds() > 1


async def test_nobody_answers(pbx: Pbx) -> None:
    """After `ring`, the way on."""
    async with engine_room(pbx, plan_of(dial(SILENT, ring_seconds=1.0), BYE)) as room:
        await room.call()
        call = await room.the_end()

    assert path(room)[0] == ("dial", "no_answer")
    assert Disposition.ABANDONED is call.disposition
    assert [attempt.outcome for attempt in call.dials] == [DialOutcome.NO_ANSWER]
    assert call.dials[0].ended_at is not None
    assert (call.dials[0].ended_at - call.dials[0].started_at).total_seconds() < 3


async def test_redirect_needs_no_screening(pbx: Pbx) -> None:
    """Whoever answers has the call."""
    redirect = RedirectNode(name="redirect", number="+33639980001", ring_seconds=5.0, exits={"failed": "bye"})
    async with engine_room(pbx, plan_of(redirect, BYE)) as room:
        await room.call(talk_seconds=1)
        call = await room.the_end()

    assert Disposition.REDIRECTED is call.disposition


MESSAGE = MessageNode(name="message", sounds=ONE_SECOND, min_seconds=0.5, silence_seconds=0.0, exits={"done": "bye"})


async def test_a_message_ended_by_a_key(pbx: Pbx) -> None:
    """The file is there, and as long as the record says."""
    async with engine_room(pbx, plan_of(MESSAGE, BYE)) as room:
        await room.call("speak")
        call = await room.the_end(seconds=12)

    (message,) = call.messages
    path_on_disk = pbx.recordings_dir / f"{message.recording}.wav"
    assert Disposition.MESSAGE_LEFT is call.disposition
    assert path_on_disk.stat().st_size > 44
    assert abs(message.seconds - (path_on_disk.stat().st_size - 44) / 16_000) < 0.1


async def test_a_message_ended_by_hanging_up_is_kept(pbx: Pbx) -> None:
    """The commonest way to end a message."""
    async with engine_room(pbx, plan_of(MESSAGE, BYE)) as room:
        await room.call("speak-and-go")
        call = await room.the_end(seconds=10)

    (message,) = call.messages
    assert Disposition.MESSAGE_LEFT is call.disposition
    file = pbx.recordings_dir / f"{message.recording}.wav"
    assert message.seconds == (file.stat().st_size - 44) / 16_000 > 1.5


@pytest.fixture
def full_disk(pbx: Pbx) -> Iterator[None]:
    """Two seconds of sound, and the disk of the recordings is full."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=36k", "tmpfs", pbx.recordings_dir], check=True)
    yield
    subprocess.run(["umount", pbx.recordings_dir], check=True)


@pytest.mark.usefixtures("full_disk")
async def test_a_message_that_fills_the_disk_is_kept_as_far_as_it_goes(pbx: Pbx) -> None:
    """What was spoken until then is worth hearing, and that there is no more is worth knowing."""
    async with engine_room(pbx, plan_of(MESSAGE, BYE)) as room:
        await room.call("speak-long")
        call = await room.the_end(seconds=12)

    (message,) = call.messages
    assert call.disposition is Disposition.MESSAGE_LEFT
    assert 1 < message.seconds < 2.5
    assert any(isinstance(fact, facts.TroubleMet) for fact in room.seen)


async def test_a_refusal_never_answers(pbx: Pbx) -> None:
    """Without a prompt the call stays unanswered and unbilled."""
    async with engine_room(pbx, plan_of(RejectNode(name="refuse", cause=21))) as room:
        await room.call()
        call = await room.the_end()

    assert Disposition.REJECTED is call.disposition
    assert call.clocks.answered_at is None
    assert call.hangup_cause == 21


# The traps


@pytest.mark.parametrize("after_seconds", [0.0, 0.05, 0.3, 0.9, 1.1, 1.6])
async def test_hanging_up_at_any_instant_ends_the_call_once(pbx: Pbx, after_seconds: float) -> None:
    """During the greeting, between two commands, in the menu: one end, one disposition, nothing left behind."""
    greeting = PlayNode(name="greeting", sounds=ONE_SECOND, exits={"next": "menu"})
    async with engine_room(pbx, plan_of(greeting, menu(), *MENU_ENDS)) as room:
        await room.call(f"leave-{after_seconds}")
        call = await room.the_end()
        await asyncio.sleep(0.3)

        assert Disposition.LEFT_EARLY is call.disposition
        assert len(room.ended) == 1
        assert len(room.calls) == 0
        assert room.link.awaited_results == 0


@pytest.mark.parametrize(
    ("node", "state", "ends_as"),
    [("menu", CallState.COLLECTING, Disposition.LEFT_EARLY), ("queue", CallState.QUEUED, Disposition.ABANDONED)],
)
async def test_a_hang_up_from_the_console_is_a_hang_up(
    pbx: Pbx, node: str, state: CallState, ends_as: Disposition
) -> None:
    """No HangupRequest says so: the end of the channel follows that of AsyncAGI, and control was not lost."""
    waiting = menu() if node == "menu" else SLOW
    async with engine_room(pbx, plan_of(waiting, *MENU_ENDS)) as room:
        await room.call()
        await room.reached(lambda call: call.state is state)
        await asyncio.to_thread(pbx.cli, "channel request hangup all")
        call = await room.the_end(seconds=3)

    assert ends_as is call.disposition
    assert not any(isinstance(fact, facts.TroubleMet) for fact in room.seen)


async def test_a_lease_that_runs_out_is_lost_control_and_not_a_hang_up(pbx: Pbx) -> None:
    """Asterisk goes to its fallback, the record says failed, and nothing more is sent."""
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        await wake(room, call.call_id, 0.3)
        await room.reached(lambda call: call.state is CallState.ADRIFT)
        line = room.switch.lines[call.call_id]
        sent = room.link.awaited_results
        room.switch.perform(room.live[0], b"", (Answer(),))
        assert line.state is LineState.LOST
        assert sent == room.link.awaited_results
        ended = await room.the_end()

    assert Disposition.FAILED is ended.disposition
    assert any(isinstance(fact, facts.TroubleMet) for fact in room.seen)


async def test_who_dies_behind_a_measured_command_leaves_the_caller_to_the_fallback(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to follow it is a queue, whose own lease of hours would leave the caller in silence."""
    greeting = PlayNode(name="greeting", sounds=ONE_SECOND, exits={"next": "queue"})
    async with engine_room(pbx, plan_of(greeting, SLOW, BYE)) as room:
        monkeypatch.setattr(Line, "_on_measured", lambda *_: None)
        await room.call()
        await room.reached(lambda call: call.state is CallState.QUEUED)
        await room.reached(lambda call: call.state is CallState.ADRIFT, seconds=LEASE_MARGIN_SECONDS + 3)


async def test_the_last_lease_wins_so_ours_covers_the_whole_batch(pbx: Pbx) -> None:
    """Two leases, the later shorter: cut by the shorter. A batch of ours outlasts its own prompts."""
    long_greeting = PlayNode(name="greeting", sounds=ONE_SECOND * 5, interruptible=False, exits={"next": "bye"})
    async with engine_room(pbx, plan_of(long_greeting, BYE)) as room:
        await room.call()
        ended = await room.the_end()
        assert Disposition.SELF_SERVED is ended.disposition

        room.seen.clear()
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.PLAYING)
        await wake(room, call.call_id, 60.0)
        await wake(room, call.call_id, 0.3)
        cut = await room.the_end()

    assert Disposition.FAILED is cut.disposition


async def test_a_wake_cuts_a_conversation_and_we_never_send_one(pbx: Pbx) -> None:
    """Keys pressed and a link that came back during a conversation leave it alone; a raw wake would end it."""
    async with engine_room(pbx, plan_of(QUEUE, BYE)) as room:
        await room.call("key-123#", talk_seconds=5)
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        await room.switch.resync(room.calls.call_of)
        ended = await room.the_end()
        assert Disposition.ANSWERED is ended.disposition
        assert ended.talk_seconds() > 4

        room.seen.clear()
        await room.call(talk_seconds=30)
        call = await room.reached(lambda call: call.state is CallState.CONNECTED)
        await wake(room, call.call_id, 0.5)
        cut = await room.the_end(seconds=5)

    assert Disposition.ANSWERED is cut.disposition  # the record is right even so
    assert cut.talk_seconds() < 3


async def test_failing_commands_end_asyncagi_and_ours_do_not(pbx: Pbx) -> None:
    """STREAM FILE on a missing file gives the call away; our Playback and Read of it go on."""
    missing = (Sound(file="no-such-sound", seconds=1.0),)
    spoken = PlayNode(name="spoken", sounds=missing, interruptible=False, exits={"next": "asked"})
    asked = menu(name="asked", sounds=missing)
    async with engine_room(pbx, plan_of(spoken, asked, *MENU_ENDS)) as room:
        await room.call()
        call = await room.the_end()
        assert [visit.node for visit in call.visits] == ["spoken", "asked", "silent"]

    async with engine_room(pbx, plan_of(menu(no_match_retries=3), *MENU_ENDS)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        await raw(room, call.call_id, commands.command("STREAM", "FILE", "no-such-sound", '""'), nudge=True)
        await room.reached(lambda call: call.state is CallState.ADRIFT)


async def test_a_key_that_read_did_not_see_still_ends_the_wait(pbx: Pbx) -> None:
    """A digit in the instant between two commands comes by DTMFEnd only: the menu does not wait for its time-out."""
    async with engine_room(pbx, plan_of(menu(timeout_seconds=20.0), *MENU_ENDS)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        line = room.switch.lines[call.call_id]
        # What the switch would see of such a key: its event, and a Read that goes on.
        EVENTS["DTMFEnd"](room.switch, message(Uniqueid=line.uniqueid, Direction="Received", Digit="2"))
        ended = await room.the_end(seconds=5)

    assert ended.visits[-1].node == "two"
    assert ended.digits == ""


async def test_the_link_comes_back_during_a_call(pbx: Pbx) -> None:
    """Calls survive a lost connection: results that were missed are asked for again."""
    slow = PlayNode(name="slow", sounds=ONE_SECOND * 3, interruptible=False, exits={"next": "menu"})
    async with engine_room(pbx, plan_of(slow, menu(sounds=ONE_SECOND), *MENU_ENDS)) as room:
        await room.call()
        await room.reached(lambda call: call.state is CallState.PLAYING)
        connections = room.link.counters.connections
        await cut(room.link)
        await until(lambda: room.link.counters.connections > connections, 8)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end()

    assert Disposition.SELF_SERVED is call.disposition
    assert [visit.node for visit in call.visits] == ["slow", "menu", "silent"]


async def test_a_call_that_ended_while_the_link_was_away_is_closed(pbx: Pbx) -> None:
    """Its hang-up was never heard; the snapshot tells."""
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await room.call()
        await room.reached(lambda call: call.state is CallState.COLLECTING)
        connections = room.link.counters.connections
        await cut(room.link)
        await asyncio.to_thread(pbx.cli, "channel request hangup all")
        await until(lambda: room.link.counters.connections > connections, 8)
        await asyncio.sleep(0.3)
        await room.switch.resync(room.calls.call_of)
        await room.the_end(seconds=5)

    assert len(room.ended) == 1


SLOW = QueueNode(name="queue", queue="slow", max_wait_seconds=20.0, exits={"overflow": "bye"})


async def test_an_agent_who_answered_and_a_caller_who_left_while_the_link_was_away(pbx: Pbx) -> None:
    """Asterisk's journal knows who answered, when, and when it was over: not the instant at which the link went."""
    async with engine_room(pbx, plan_of(SLOW, BYE)) as room:
        await room.call("leave-5", talk_seconds=30)
        await room.reached(lambda call: call.state is CallState.QUEUED)
        async with deafness(room):
            await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 10)
            await asyncio.sleep(1)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end(seconds=5)

    assert call.disposition is Disposition.ANSWERED
    assert call.agent == "agent-slow"
    assert call.clocks.ended_at is not None
    assert 0.5 <= call.waiting_seconds(call.clocks.ended_at) <= 4
    assert 0.9 <= call.talk_seconds() <= 5


async def test_an_agent_who_answered_while_the_link_was_away_is_heard_of(pbx: Pbx) -> None:
    """The conversation goes on: the agent's name, and when they answered, stand on the channel."""
    async with engine_room(pbx, plan_of(SLOW, BYE)) as room:
        await room.call(talk_seconds=8)
        await room.reached(lambda call: call.state is CallState.QUEUED)
        async with deafness(room):
            await asyncio.sleep(4)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end()

    assert call.disposition is Disposition.ANSWERED
    assert call.agent == "agent-slow"
    assert call.clocks.bridged_at is not None
    assert 0.5 <= call.waiting_seconds(call.clocks.bridged_at) <= 4


async def test_an_agent_of_the_fallback_who_answered_while_the_link_was_away(pbx: Pbx) -> None:
    """Asterisk took the caller from their menu to the fallback's queue; they were served, and the record says so."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:slow")
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await room.call(talk_seconds=8)
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        await wake(room, call.call_id, 0.3)
        async with deafness(room):
            await asyncio.sleep(4)
        await room.switch.resync(room.calls.call_of)
        ended = await room.the_end()
    pbx.cli("database deltree callrouter/fallback")

    assert ended.disposition is Disposition.ANSWERED
    assert ended.agent == "agent-slow"
    assert ended.visits[-1].exit == "control lost"
    assert ended.clocks.bridged_at is not None
    assert 0.5 <= ended.waiting_seconds(ended.clocks.bridged_at) <= 4
    assert ended.talk_seconds() > 3


@pytest.mark.parametrize("then", ["bye", "menu"])
async def test_an_engine_that_was_held_up_leaves_alone_whom_the_fallback_has(pbx: Pbx, then: str) -> None:
    """What it decides from old results must reach nobody: a hang-up, or a wake-up, would cut a conversation."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:slow")
    begin = PlayNode(name="begin", sounds=ONE_SECOND, interruptible=False, exits={"next": then})
    async with engine_room(pbx, plan_of(begin, menu(sounds=ONE_SECOND), *MENU_ENDS)) as room:
        await room.call(talk_seconds=30)
        await room.reached(lambda call: call.state is CallState.PLAYING)
        # The whole process: the lease runs out, and an agent of the fallback's queue answers.
        time.sleep(LEASE_MARGIN_SECONDS + 4)  # noqa: ASYNC251
        await asyncio.sleep(8)
        assert "callrouter-fallback" in pbx.cli("core show channels concise")
        pbx.cli("channel request hangup all")
        call = await room.the_end()
    pbx.cli("database deltree callrouter/fallback")

    assert call.disposition is Disposition.ANSWERED
    assert call.talk_seconds() > 8


@pytest.mark.parametrize(("seconds", "taken"), [(9.0, False), (1.5, True)])
async def test_a_call_that_came_while_the_engine_was_held_up(pbx: Pbx, seconds: float, taken: bool) -> None:
    """It is taken if it is still there; whom the fallback has is left alone."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:slow")
    pbx.cli("dialplan set global TALK 30")
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        pbx.cli(f"channel originate Local/{DID}@callrouter-entry/n extension listen@test-caller")
        time.sleep(seconds)  # noqa: ASYNC251  # the whole process
        await asyncio.sleep(1)
        assert len(room.live) == taken
        assert len(room.switch._by_uniqueid) == taken
        if not taken:
            agents = agents_of(pbx)
            await asyncio.sleep(7)
            assert agents_of(pbx) == agents != set()
    pbx.cli("database deltree callrouter/fallback")


def agents_of(pbx: Pbx) -> set[str]:
    """The agents' telephones that are in use."""
    return {line.split("!")[0] for line in pbx.cli("core show channels concise").splitlines() if "slow-agent@" in line}


async def test_a_wake_that_comes_too_late_does_not_end_the_fallback(pbx: Pbx) -> None:
    """Written an instant before the engine read that Asterisk has the caller: they stay in the line."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:quiet")
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        await wake(room, call.call_id, 0.3)
        await until(lambda: "!Queue!" in pbx.cli("core show channels concise"), 5)
        await wake(room, call.call_id, 0.3)
        await asyncio.sleep(1.5)
        assert "!Queue!" in pbx.cli("core show channels concise")
        pbx.cli("channel request hangup all")
        await room.the_end()
    pbx.cli("database deltree callrouter/fallback")


async def test_a_caller_transferred_to_nobody_has_the_fallback(pbx: Pbx) -> None:
    """An agent's blind transfer to a colleague whose telephone is away: the caller is not dropped."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:slow")
    queue = QueueNode(name="queue", queue="test", max_wait_seconds=20.0, exits={"overflow": "bye"})
    async with engine_room(pbx, plan_of(queue, BYE)) as room:
        await room.call(talk_seconds=8)
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        channels = (line.split("!") for line in pbx.cli("core show channels concise").splitlines())
        agent = next(fields[0] for fields in channels if fields[0].startswith("Local/agent@") and "AppQueue" in fields)
        where_to = {"Channel": agent, "Context": "callrouter-phones", "Exten": "agent-1"}
        await until_bridged(room, where_to)
        await until(lambda: "callrouter-fallback!s" in pbx.cli("core show channels concise"), 5)
        await asyncio.sleep(4)
        assert "Local/slow-agent@" in pbx.cli("core show channels concise")
        pbx.cli("channel request hangup all")
        call = await room.the_end()
    pbx.cli("database deltree callrouter/fallback")

    assert call.disposition is Disposition.ANSWERED
    assert len(room.ended) == 1


async def until_bridged(room: EngineRoom, where_to: dict[str, str]) -> None:
    """Transfer, as soon as there is a conversation: the event that tells of it comes an instant before."""
    async with asyncio.timeout(5):
        while True:
            try:
                await room.link.send("BlindTransfer", where_to)
            except ActionFailed:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_new_call_is_given_back_at_once_while_stopping(pbx: Pbx) -> None:
    """Its caller does not hear it ring until the admission lease has run out (5 s)."""
    async with engine_room(pbx, plan_of(BYE)) as room:
        room.switch.drain()
        await room.call()
        await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), 2)

        assert not room.live
        assert room.link.awaited_results <= 1


async def test_the_state_is_on_the_channel_before_its_command(pbx: Pbx) -> None:
    """Another process can read where the call stands."""
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        line = room.switch.lines[call.call_id]
        shown = await room.link.send("Getvar", {"Channel": line.channel.channel, "Variable": "CR_STATE"})

        written = state.decode(plan_of(menu(), *MENU_ENDS), shown["Value"].encode())
        assert call.node == written.node
        assert call.step == written.step


async def test_twenty_callers_at_once(pbx: Pbx) -> None:
    """Each has their own call, and each ends once."""
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await asyncio.gather(*(room.call("key-2", f"+331990000{n:02d}") for n in range(20)))
        await until(lambda: len(room.ended) >= 20, 20)
        await asyncio.sleep(0.3)

    assert 20 == len({call.call_id for call in room.ended}) == len(room.ended)
    assert {"two"} == {call.visits[-1].node for call in room.ended}


@pytest.mark.parametrize(("keys", "leads_to"), [("2", "two"), ("#", "hash")])
async def test_a_key_pressed_while_the_link_was_away_chooses(pbx: Pbx, keys: str, leads_to: str) -> None:
    """Nobody heard it, and Read has ended by it: it stands on the channel."""
    asks = menu(keys=("1", "2", "#"), no_input_retries=0, exits={**menu().exits, "key:#": "hash"})
    async with engine_room(pbx, plan_of(asks, *MENU_ENDS, HangupNode(name="hash"))) as room:
        await room.call(f"key-{keys}")
        await room.reached(lambda call: call.state is CallState.COLLECTING)
        async with deafness(room):
            await asyncio.sleep(1.5)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end()

    assert call.visits[-1].node == leads_to


async def test_digits_pressed_before_and_while_the_link_was_away_are_one_number(pbx: Pbx) -> None:
    """Those that were heard are not taken twice."""
    collect = CollectDigitsNode(
        name="collect",
        sounds=(),
        variable="code",
        min_digits=6,
        max_digits=6,
        timeout_seconds=4.0,
        exits={"next": "bye", "no_input": "bye", "no_match": "bye"},
    )
    async with engine_room(pbx, plan_of(collect, BYE)) as room:
        await room.call("key-112112")
        await room.reached(lambda call: len(call.digits) == 2)
        async with deafness(room):
            await asyncio.sleep(0.5)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end()

    assert call.variables == {"code": "112112"}
