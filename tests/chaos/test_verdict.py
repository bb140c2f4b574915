"""The verdict, on notes and rows made up: what is right is not complained of, and each kind of wrong is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.heard import longest_silence
from tests.chaos.notes import Asked, Caller, Fault, Notes, Press, Ring, Stretch
from tests.chaos.verdict import Row, Verdict, judge

FAULT = 1_000_000.0
NUMBER = "+33612000001"
CALL = "999999990-1-123456"


def iso(at: float) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat() if at else None


def notes(caller: Caller, *rings: Ring, asked: tuple[Asked, ...] = ()) -> Notes:
    fault = Fault(name="engine-killed", at=FAULT, healed_at=FAULT + 2, in_control_at=FAULT + 2)
    return Notes(seed="", callers=[caller], rings=list(rings), asked=list(asked), faults=[fault])


def row(disposition: str, *, ended: float, bridged: float = 0.0, talked: float = 0.0, agent: str | None = None) -> Row:
    found: dict[str, Any] = {
        "call_id": CALL,
        "disposition": disposition,
        "caller": {"number": NUMBER},
        "clocks": {"ended_at": iso(ended), "bridged_at": iso(bridged)},
        "agent": agent,
        "talk_seconds": talked,
        "legs": [{"purpose": "agent", "talk_seconds": talked}] if agent else [],
        "path": ["choose", "one"],
    }
    return found


def in_menu(
    *heard: Stretch, hung_up: bool = False, ended: float = FAULT + 10.1, presses: tuple[Press, ...] = ()
) -> Caller:
    """Somebody who was asked, and answered with a 1."""
    return Caller(
        kind="menu",
        number=NUMBER,
        did="",
        dialled_at=FAULT - 10.3,
        reached=True,
        status=200,
        answered_at=FAULT - 10,
        ended_at=ended,
        hung_up=hung_up,
        heard=list(heard),
        pressed=list(presses),
    )


def heard(name: str, since: float, until: float) -> Stretch:
    return Stretch(name=name, since=FAULT + since, until=FAULT + until)


RIGHT = in_menu(
    *(heard("ask", -10, -4), heard("ask", -3, 3), heard("ask", 4, 7), heard("one", 7.4, 9), heard("bye", 9, 10)),
    presses=(Press(key="1", at=FAULT + 6.9, taken=True),),
)
RIGHT_ROW = row("self_served", ended=FAULT + 10)


def talker(ended: float) -> tuple[Caller, Ring]:
    """Somebody who talked to an agent until the agent hung up."""
    caller = replace(
        RIGHT,
        kind="line",
        heard=[heard("other", -9.5, -5), heard("agent", -5, ended - FAULT)],
        ended_at=ended,
        pressed=[],
    )
    ring = Ring(
        phone="agent-1",
        kind="agent",
        call=CALL,
        number=NUMBER,
        began_at=FAULT - 6,
        answered_at=FAULT - 5,
        ended_at=ended,
        hung_up=True,
        status=200,
    )
    return caller, ring


def nothing_is_wrong(found: Verdict) -> bool:
    counts = (found.dropped, found.missing, found.doubled, found.wrong, found.lost_keys, found.twice)
    return counts == (0,) * 6 and not found.complaints


def test_what_is_right_is_not_complained_of() -> None:
    found = judge(notes(RIGHT), [RIGHT_ROW])

    assert nothing_is_wrong(found)
    assert found.live == 1
    assert found.silence_seconds == pytest.approx(1.0)
    assert found.control_seconds == 2.0


def test_a_conversation_that_is_right() -> None:
    caller, ring = talker(FAULT + 5)

    assert nothing_is_wrong(
        judge(
            notes(caller, ring),
            [row("answered", ended=FAULT + 5, bridged=FAULT - 5, talked=10.0, agent="agent-1")],
        )
    )


def test_rows_that_are_missing_or_doubled() -> None:
    assert judge(notes(RIGHT), []).missing == 1
    assert judge(notes(RIGHT), [RIGHT_ROW, RIGHT_ROW]).doubled == 1


def test_nobody_who_never_reached_the_pbx_has_a_row() -> None:
    assert judge(notes(replace(RIGHT, reached=False, answered_at=0.0)), []).missing == 0


@pytest.mark.parametrize(
    "wrong",
    [
        row("abandoned", ended=FAULT + 10),
        row("self_served", ended=FAULT + 14),
        {**RIGHT_ROW, "path": ["choose", "two"]},
    ],
    ids=["disposition", "end", "path"],
)
def test_rows_that_say_something_else_than_the_telephone(wrong: Row) -> None:
    found = judge(notes(RIGHT), [wrong])

    assert found.wrong == 1
    assert found.complaints


@pytest.mark.parametrize(
    "changed", [{"agent": "agent-2"}, {"talked": 14.0}, {"bridged": FAULT - 8}], ids=["agent", "talk", "wait"]
)
def test_conversations_that_our_row_has_otherwise(changed: dict[str, Any]) -> None:
    caller, ring = talker(FAULT + 5)
    said: dict[str, Any] = {"ended": FAULT + 5, "bridged": FAULT - 5, "talked": 10.0, "agent": "agent-1"} | changed

    assert judge(notes(caller, ring), [row("answered", **said)]).wrong == 1


def test_the_closing_prompt_is_a_drop() -> None:
    sent = in_menu(heard("ask", -10, -4), heard("ask", -3, 3), heard("closing", 7.6, 10))

    found = judge(notes(sent), [row("failed", ended=FAULT + 10)])

    assert found.dropped == 1
    assert "closing prompt" in found.complaints[0]
    assert NUMBER in found.complaints[0]


def test_a_call_that_ends_late_after_its_goodbye_is_no_drop() -> None:
    late = in_menu(heard("ask", -10, -4), heard("one", -2, -1), heard("bye", -1, 0.5))

    found = judge(notes(late), [RIGHT_ROW])

    assert found.dropped == 0
    assert found.silence_seconds == pytest.approx(9.6)


def test_who_keys_digits_is_not_in_silence_by_that() -> None:
    presses = tuple(Press(key="1", at=FAULT + at, taken=True) for at in (1.0, 1.5, 2.0, 2.5))
    keys = replace(in_menu(heard("ask", -3, 1), heard("bye", 3.5, 10), presses=presses), kind="digits")

    assert judge(notes(keys), [RIGHT_ROW]).silence_seconds == pytest.approx(0.4)


def test_whoever_called_later_was_not_dropped_but_sent_to_the_fallback() -> None:
    later = replace(in_menu(heard("closing", 7, 10)), dialled_at=FAULT + 0.5, answered_at=FAULT + 6)

    found = judge(notes(later), [row("failed", ended=FAULT + 10)])

    assert (found.dropped, found.to_fallback, found.live) == (0, 1, 0)


def test_whom_the_pbx_served_alone_may_have_failed() -> None:
    later = replace(in_menu(heard("other", 7, 10), hung_up=True), kind="line", dialled_at=FAULT + 0.5)

    assert judge(notes(later), [row("failed", ended=FAULT + 10)]).wrong == 0
    assert judge(notes(replace(later, dialled_at=FAULT + 3)), [row("failed", ended=FAULT + 10)]).wrong == 1


def test_a_silence_is_measured_from_the_fault_on() -> None:
    waits = in_menu(heard("ask", -10, -4), heard("ask", -0.5, 0.5), heard("bye", 9, 10))

    assert judge(notes(waits), [RIGHT_ROW]).silence_seconds == pytest.approx(8.5)


@pytest.mark.parametrize(("last_heard", "silence"), [(-1.7, 0.3), (-9.0, 0.3), (0.1, 0.2)])
def test_a_silence_that_began_before_the_fault_counts_from_the_fault(last_heard: float, silence: float) -> None:
    waits = in_menu(heard("ask", -10, last_heard), heard("bye", 0.3, 10))

    assert judge(notes(waits), [RIGHT_ROW]).silence_seconds == pytest.approx(silence)


@pytest.mark.parametrize(
    ("asked_at", "done_at", "silence"),
    [
        (-1.0, 3.0, 2.0),
        (2.5, 5.0, 2.5),
        (-1.0, 0.0, 5.0),
        (5.0, 6.0, 5.0),
    ],
    ids=["answered late", "asked again", "the asker was killed", "after the silence"],
)
def test_what_the_web_service_takes_to_answer_is_no_silence_of_ours(
    asked_at: float, done_at: float, silence: float
) -> None:
    waits = replace(in_menu(heard("found", 5, 7), heard("bye", 7, 10)), kind="lookup")
    request = Asked(at=FAULT + asked_at, path="/lookup/1", call=CALL, key="k", done_at=FAULT + done_at)

    assert judge(notes(waits, asked=(request,)), [RIGHT_ROW]).silence_seconds == pytest.approx(silence)


def test_what_the_web_service_takes_for_somebody_else_is_silence() -> None:
    waits = replace(in_menu(heard("found", 5, 7), heard("bye", 7, 10)), kind="lookup")
    request = Asked(at=FAULT, path="/lookup/1", call="999999990-1-9", key="k", done_at=FAULT + 5)

    assert judge(notes(waits, asked=(request,)), [RIGHT_ROW]).silence_seconds == pytest.approx(5.0)


def test_a_message_is_left_in_silence() -> None:
    speaks = replace(
        in_menu(heard("beep", -5, -4.7), heard("thanks", 8, 9), heard("bye", 9, 10)),
        kind="message",
        spoke_at=FAULT - 4.5,
        spoke_until=FAULT + 5,
    )

    found = judge(notes(speaks), [row("message_left", ended=FAULT + 10)])

    assert nothing_is_wrong(found)
    assert found.silence_seconds <= 1.0


@pytest.mark.parametrize(("spoken", "right"), [(1.7, "self_served"), (2.3, "message_left")])
def test_a_message_is_as_long_as_its_speech(spoken: float, right: str) -> None:
    """Two seconds are the shortest, whatever silence the recording keeps; to a fifth of a second."""
    speaks = replace(
        in_menu(heard("beep", -5, -4.7), heard("thanks", 8, 9), heard("bye", 9, 10)),
        kind="message",
        spoke_at=FAULT - 4.5,
        spoke_until=FAULT - 4.5 + spoken,
    )
    for said in ("self_served", "message_left"):
        found = judge(notes(speaks), [row(said, ended=FAULT + 10)])
        assert found.wrong == (said != right)


def test_a_key_that_ended_the_question_and_was_not_taken_is_lost() -> None:
    stopped = in_menu(
        *(heard("ask", -3, 1.1), heard("ask", 3, 6), heard("one", 6.4, 8), heard("bye", 8, 10)),
        presses=(Press(key="1", at=FAULT + 0.9), Press(key="1", at=FAULT + 5.9, taken=True)),
    )

    found = judge(notes(stopped), [RIGHT_ROW])

    assert (found.lost_keys, found.later_keys) == (1, 0)


def test_a_key_that_is_pressed_when_the_pbx_is_dead_is_not_lost() -> None:
    killed = Fault(name="asterisk-killed", at=FAULT, healed_at=FAULT + 2, in_control_at=FAULT + 3)
    caller = in_menu(heard("ask", -3, 0.0), hung_up=True, presses=(Press(key="1", at=FAULT + 0.5),))
    of_them = Notes(seed="", callers=[caller], rings=[], asked=[], faults=[killed])

    found = judge(of_them, [row("left_early", ended=FAULT)])

    assert (found.lost_keys, found.later_keys, found.wrong) == (0, 0, 0)


def test_a_key_that_was_taken_late_is_not_lost() -> None:
    waits = in_menu(
        *(heard("ask", -3, 1.1), heard("one", 6.4, 8), heard("bye", 8, 10)), presses=(Press(key="1", at=FAULT + 0.9),)
    )

    found = judge(notes(waits), [RIGHT_ROW])

    assert (found.lost_keys, found.later_keys) == (0, 0)


def test_a_key_that_ended_nothing_is_keyed_again() -> None:
    went_on = in_menu(
        *(heard("ask", -3, 3), heard("ask", 4, 7), heard("one", 7.4, 8), heard("bye", 8, 10)),
        presses=(Press(key="1", at=FAULT + 0.9), Press(key="1", at=FAULT + 6.9, taken=True)),
    )

    found = judge(notes(went_on), [RIGHT_ROW])

    assert (found.lost_keys, found.later_keys) == (0, 1)


def asked(path: str, *keys: str) -> tuple[Asked, ...]:
    return tuple(Asked(at=FAULT, path=path, call=CALL, key=key) for key in keys)


@pytest.mark.parametrize(
    ("requests", "twice"),
    [
        (asked("/notify", "a"), 0),
        (asked("/notify", "a", "a"), 0),
        (asked("/notify", "a", "b"), 1),
        (asked("/lookup/1", ""), 0),
        (asked("/lookup/1", "", ""), 1),
        (asked("/lookup/1", "k", "k"), 0),
        (asked("/lookup/1", "k", "l"), 1),
    ],
)
def test_what_a_web_service_is_asked_again_has_the_same_key(requests: tuple[Asked, ...], twice: int) -> None:
    assert judge(notes(RIGHT, asked=requests), [RIGHT_ROW]).twice == twice


def test_nobody_is_called_back_twice() -> None:
    _, ring = talker(FAULT + 5)
    wish = replace(RIGHT, kind="callback")
    back = replace(ring, kind="callback", phone=NUMBER, call="")

    assert judge(notes(wish, back), [row("message_left", ended=FAULT + 10)]).twice == 0
    assert judge(notes(wish, back, back), [row("message_left", ended=FAULT + 10)]).twice == 1


def test_nobody_has_two_agents_at_once() -> None:
    caller, ring = talker(FAULT + 5)

    found = judge(notes(caller, ring, replace(ring, phone="agent-2", answered_at=FAULT - 2)), [])

    assert found.twice == 1


def test_what_is_quiet_counts_as_sound() -> None:
    assert longest_silence([], [], 0.0, 10.0) == 10.0
    assert longest_silence([Stretch(name="ask", since=2.0, until=4.0)], [], 0.0, 10.0) == 6.0
    assert longest_silence([Stretch(name="ask", since=2.0, until=4.0)], [(3.0, 9.0)], 0.0, 10.0) == 2.0
    assert longest_silence([Stretch(name="ask", since=-5.0, until=-1.0)], [], 0.0, 3.0) == 3.0
