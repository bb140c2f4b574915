"""One row for each effect: the exact AGI commands, the variables before them and the lease after them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from callrouter.asterisk.asyncagi import parse_result
from callrouter.asterisk.line.recordings import Recorded
from callrouter.asterisk.line.translate import Kind, Places, order, result, state_command
from callrouter.core import effects, inputs
from callrouter.core.call import DialOutcome, QueueOutcome, RecordOutcome
from callrouter.core.effects import (
    Answer,
    CollectDigits,
    Comfort,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    HttpRequest,
    LookAtQueues,
    Lookup,
    Play,
    ReadAs,
    Reading,
    Record,
    Sound,
)
from callrouter.errors import EncodingError

LEASE_AGAIN = 'SET VARIABLE TIMEOUT(absolute) "10"'
PLACES = Places(recordings_dir="/var/spool/recordings")
PAUSING = Places(recordings_dir="/var/spool/recordings", pause=Sound(file="/prompts/pause", seconds=0.3))
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WELCOME = Sound(file="/prompts/welcome", seconds=4.0)
MENU = Sound(file="/prompts/menu", seconds=6.0)

ROWS: list[tuple[tuple[Effect, ...], list[str], list[tuple[str, str]], float]] = [
    ((Answer(),), ["ANSWER"], [], 11.0),
    (
        (Play(sounds=(WELCOME, MENU), interruptible=False),),
        ['EXEC Playback "/prompts/welcome&/prompts/menu"'],
        [],
        20.0,
    ),
    ((Play(sounds=(WELCOME,), interruptible=True),), ['EXEC Read "CR_KEYS_7,/prompts/welcome,1,,1,0.001"'], [], 14.0),
    (
        (Answer(), CollectDigits(sounds=(MENU,), max_digits=1, timeout_seconds=5.0)),
        ["ANSWER", 'EXEC Read "CR_KEYS_7,/prompts/menu,1,,1,5"'],
        [],
        # margin 5, answer 1, prompt 6, and 5 s of silence before the one key: nothing of the batch is cut
        22.0,
    ),
    (
        (CollectDigits(sounds=(), max_digits=4, timeout_seconds=2.5),),
        ['EXEC Read "CR_KEYS_7,,4,,1,2.5"'],
        [],
        20.0,
    ),
    (
        (EnterQueue(queue="medical", priority=10, max_wait_seconds=180.0, brief=(WELCOME,)),),
        ["GOSUB callrouter-queue s 1 7", LEASE_AGAIN, "GET VARIABLE CR_RESULT"],
        [
            ("CR_QUEUE", "medical"),
            ("CR_QUEUE_OPTIONS", "c"),
            ("CR_QUEUE_WAIT", "180"),
            ("CR_QUEUE_BRIEF", "/prompts/welcome"),
            ("QUEUE_PRIO", "10"),
        ],
        14400.0,
    ),
    (
        (EnterQueue(queue="medical", priority=0, max_wait_seconds=60.0, recording="1-2-3-c1", objection="#"),),
        ["GOSUB callrouter-queue s 1 7", LEASE_AGAIN, "GET VARIABLE CR_RESULT"],
        [
            ("CR_QUEUE", "medical"),
            ("CR_QUEUE_OPTIONS", "c"),
            ("CR_QUEUE_WAIT", "60"),
            ("CR_QUEUE_BRIEF", ""),
            ("QUEUE_PRIO", "0"),
            ("CR_RECORD", "/var/spool/recordings/1-2-3-c1.wav"),
            ("CR_OBJECTION", "pound"),
        ],
        14400.0,
    ),
    (
        (Dial(numbers=("+33639980001", "+33639980002"), ring_seconds=20.0, screen=(MENU,)),),
        ["GOSUB callrouter-dial s 1 7", LEASE_AGAIN, "GET VARIABLE CR_RESULT"],
        [
            ("CR_DIAL", "Local/0@callrouter-leg/n&Local/1@callrouter-leg/n"),
            ("__CR_LEG_0", "PJSIP/+33639980001@trunk-out"),
            ("__CR_LEG_1", "PJSIP/+33639980002@trunk-out"),
            ("__CR_RING", "20"),
            ("__CR_SCREEN", "/prompts/menu"),
        ],
        14400.0,
    ),
    (
        (Record(recording="1763-1-2-0", max_seconds=120.0, silence_seconds=5.0),),
        ["GOSUB callrouter-record s 1 7", LEASE_AGAIN, "GET VARIABLE CR_RESULT"],
        [
            ("CR_FILE", "/var/spool/recordings/1763-1-2-0.wav"),
            ("CR_MAX", "120"),
            ("CR_SILENCE", "5"),
            ("CR_RECORD_OPTIONS", ""),
        ],
        14400.0,
    ),
    (
        (
            Play(
                sounds=(WELCOME, Reading(read_as=ReadAs.NUMBER, value="71", language="fr", seconds=9)),
                interruptible=True,
            ),
        ),
        ['EXEC Read "CR_KEYS_7,/prompts/welcome&fr/digits/60&fr/digits/et&fr/digits/11,1,,1,0.001"'],
        [],
        # margin 5, prompt 4, and no more than 9 s for the number
        23.0,
    ),
    # Nothing runs on the channel while others are asked: it is only kept until they must have answered.
    ((LookAtQueues(queues=("medical",)),), [], [], 11.0),
    (
        (
            Lookup(
                request=HttpRequest(method="GET", url="https://crm.example/"),
                timeout_seconds=5.0,
                fields=(),
                music=True,
            ),
        ),
        [],
        [],
        15.0,
    ),
]


@pytest.mark.parametrize(("asked", "commands", "variables", "lease"), ROWS)
def test_effect_to_commands(
    asked: tuple[Effect, ...], commands: list[str], variables: list[tuple[str, str]], lease: float
) -> None:
    """What is written for each effect, state first, lease last; Read and routines are told their step."""
    made = order(asked, b"c3RhdGU=", PLACES, step=7)

    assert commands == [command.text.decode() for command in made.commands]
    assert made.state == b"c3RhdGU="
    assert variables == list(made.variables)
    assert lease == made.lease_seconds


def test_every_effect_has_a_row() -> None:
    """An effect nobody translated cannot be added unnoticed."""
    shown = {type(effect) for asked, *_ in ROWS for effect in asked} | {Hangup}

    assert set(get_args(effects.Effect)) == shown


@pytest.mark.parametrize(
    ("effect", "written"),
    [
        (Play(sounds=(WELCOME,), interruptible=False), 'EXEC Playback "/prompts/pause&/prompts/welcome"'),
        (
            CollectDigits(sounds=(MENU,), max_digits=1, timeout_seconds=5.0),
            'EXEC Read "CR_KEYS_7,/prompts/pause&/prompts/menu,1,,1,5"',
        ),
        (CollectDigits(sounds=(), max_digits=1, timeout_seconds=5.0), 'EXEC Read "CR_KEYS_7,/prompts/pause,1,,1,5"'),
    ],
)
def test_the_pause_goes_with_the_first_sound(effect: Play | CollectDigits, written: str) -> None:
    """No command of its own: the same commands as without, a lease that is longer by it, and only the first time."""
    effects = (Answer(), effect, Play(sounds=(WELCOME,), interruptible=False))
    plain = order(effects, b"state", PLACES, step=7)
    paused = order(effects, b"state", PAUSING, step=7, quiet=True)

    assert paused.commands[1].text.decode() == written
    assert (len(paused.commands), paused.commands[2]) == (len(plain.commands), plain.commands[2])
    assert paused.lease_seconds == pytest.approx(plain.lease_seconds + 0.3)
    assert order(effects, b"state", PAUSING, step=7) == plain
    assert order(effects, b"state", PLACES, step=7, quiet=True) == plain


def test_who_picks_up_hears_the_pause_too() -> None:
    """Whoever is asked to accept a call, and an agent who is told whose it is; nobody who is told nothing."""
    dial = Dial(numbers=("+33639980001",), ring_seconds=20.0, screen=(WELCOME,))
    queue = EnterQueue(queue="medical", max_wait_seconds=60.0, priority=0, brief=(MENU,))
    variables = dict([*order((dial,), b"", PAUSING).variables, *order((queue,), b"", PAUSING).variables])
    told_nothing = order((Dial(numbers=("+33639980001",), ring_seconds=20.0),), b"", PAUSING)

    assert variables["__CR_SCREEN"] == "/prompts/pause&/prompts/welcome"
    assert variables["CR_QUEUE_BRIEF"] == "/prompts/pause&/prompts/menu"
    assert dict(told_nothing.variables)["__CR_SCREEN"] == ""


def test_hold_music_ends_before_what_follows() -> None:
    """It was started while somebody else was asked."""
    made = order((Play(sounds=(WELCOME,), interruptible=False),), b"c3RhdGU=", PLACES, music=True)

    assert [one.text.decode() for one in made.commands] == ["SET MUSIC OFF", 'EXEC Playback "/prompts/welcome"']


def test_the_state_can_be_a_command_of_its_own() -> None:
    """Which is how long one takes there and back."""
    made = state_command(b"c3RhdGU=")

    assert made.text.decode() == 'SET VARIABLE CR_STATE "c3RhdGU="'
    assert Kind.STATE is made.kind


@pytest.mark.parametrize(
    "hostile",
    [
        EnterQueue(queue="medical,c", priority=0, max_wait_seconds=1.0),
        EnterQueue(queue="${SHELL(id)}", priority=0, max_wait_seconds=1.0),
        EnterQueue(queue="q", priority=0, max_wait_seconds=1.0, recording="../x", objection="9"),
        EnterQueue(queue="q", priority=0, max_wait_seconds=1.0, recording="1-c1", objection="9,h"),
        Dial(numbers=("+33&Local/x",), ring_seconds=1.0),
        Dial(numbers=("0033\r\nAction: x",), ring_seconds=1.0),
        Record(recording="../../etc/passwd", max_seconds=1.0, silence_seconds=1.0),
        Play(sounds=(Sound(file="a,b", seconds=1.0),), interruptible=False),
    ],
)
def test_hostile_values_are_refused_before_anything_is_written(hostile: Effect) -> None:
    """What cannot be written as data is not written at all."""
    with pytest.raises(EncodingError):
        order((hostile,), b"", PLACES)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.ANSWER, "200 result=0", inputs.CallAnswered(step=7, at=AT)),
        (Kind.PLAY, "200 result=0", inputs.PromptEnded(step=7, at=AT)),
        (Kind.COLLECT, "200 result=0", inputs.CollectEnded(step=7, at=AT)),
        (Kind.QUEUE, "200 result=1 (TIMEOUT)", inputs.QueueLeft(step=7, outcome=QueueOutcome.TIMEOUT, at=AT)),
        (Kind.QUEUE, "200 result=0", inputs.QueueLeft(step=7, outcome=QueueOutcome.FAILED, at=AT)),
        (Kind.DIAL, "200 result=1 (BUSY)", inputs.DialEnded(step=7, outcome=DialOutcome.BUSY, at=AT)),
        (
            Kind.RECORD,
            "200 result=1 (DTMF)",
            inputs.RecordingEnded(step=7, outcome=RecordOutcome.FINISHED, seconds=4.5, spoken_seconds=3.5, at=AT),
        ),
        (Kind.STATE, "200 result=1", None),
        (Kind.ROUTINE, "100 result=0 Trying...\n200 result=0 Gosub complete", None),
        # A hang-up and the end of a lease look alike here; the events tell which.
        (Kind.PLAY, "200 result=-1", None),
        (Kind.QUEUE, "511 Command Not Permitted on a dead channel or intercept routine", None),
    ],
)
def test_result_to_input(kind: Kind, text: str, expected: inputs.Input | None) -> None:
    """What a result tells the core."""
    assert expected == result(kind, parse_result(text), 7, AT, Recorded(seconds=4.5, heard=True, spoken_seconds=3.5))


def test_a_refused_command_is_told_with_asterisks_words() -> None:
    """510 and 520 are faults of ours that the call survives."""
    told = result(Kind.PLAY, parse_result("510 Invalid or unknown command"), 7, AT)

    assert isinstance(told, inputs.CommandFailed)
    assert "510" in told.reason


def test_a_caller_with_keys_and_a_place_who_is_spoken_to() -> None:
    """What holds for one visit is set for one visit; music is softer under what they hear."""
    comfort = Comfort(every_seconds=45.0, messages=((WELCOME,),))
    wanted = EnterQueue(queue="medical", priority=0, max_wait_seconds=60.0, keys=("1", "*"), comfort=comfort)
    variables = dict(order((wanted,), b"", PLACES, position=3).variables)

    assert variables["CR_QUEUE_OPTIONS"] == "cm(callrouter-soft)"
    assert (variables["CR_QUEUE_KEYS"], variables["CR_QUEUE_POSITION"]) == ("1*", "3")


@pytest.mark.parametrize("key", ["12", "A", "]", ""])
def test_what_is_no_key_never_reaches_a_pattern(key: str) -> None:
    """Of Asterisk's dialplan, where other characters mean something else."""
    wanted = EnterQueue(queue="medical", priority=0, max_wait_seconds=60.0, keys=(key,))

    with pytest.raises(EncodingError):
        order((wanted,), b"", PLACES)
