"""What stands on channels and in rows today reads back, and is written again as it stands, byte for byte."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callrouter.core import state
from callrouter.core.call import (
    Call,
    Callback,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    FormValue,
    Message,
    QueueOutcome,
    QueueVisit,
    Revision,
    Visit,
    replace,
)
from callrouter.core.nodes import HangupNode
from callrouter.core.parts import PartsReader
from callrouter.core.plan import Plan
from callrouter.store.trace import call_from_fields, call_json, trace_json
from callrouter.testing import plan_of

RANG_AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return RANG_AT + timedelta(seconds=seconds)


def plan() -> Plan:
    return plan_of(*(HangupNode(name=name, sounds=()) for name in ("hours", "team", "note", "bye")))


def call(of: Plan) -> Call:
    """A call with one of each part, none of whose places is empty."""
    return Call(
        call_id="1795427775-42-518203",
        revision=Revision(0, 1),
        client=of.client,
        plan_version=of.version,
        did="+33199000010",
        caller=CallerId(number="+33612340001", name="Zoé"),
        state=CallState.ENDED,
        step=5,
        node="bye",
        clocks=Clocks(ringing_at=RANG_AT, answered_at=after(0.01), entered_service_at=after(1), ended_at=after(95)),
        visits=(
            Visit(node="hours", exit="open", because="Tue 10:00", at=after(0.01)),
            Visit(node="lost", exit="next", because="", at=after(0.01)),
        ),
        queue_visits=(
            QueueVisit(
                queue="medical",
                entered_at=after(1),
                offers=2,
                offered_at=after(1.5),
                agent="anne",
                answered_at=after(9),
                left_at=after(30),
                outcome=QueueOutcome.ANSWERED,
            ),
        ),
        dials=(
            DialAttempt(
                target="doctor",
                started_at=after(31),
                answered_at=after(35.000001),
                ended_at=after(36),
                outcome=DialOutcome.REFUSED,
            ),
        ),
        messages=(Message(recording="r-1", node="note", deliver="post", started_at=after(40), seconds=14.0),),
        callbacks=(Callback(number="+33612340001", node="team", asked_at=after(60)),),
        disposition=Disposition.ANSWERED,
        hangup_cause=16,
    )


ON_A_CHANNEL = (
    "WzIsImFjbWUiLCIwMTIzNDU2Nzg5YWIiLCIxNzk1NDI3Nzc1LTQyLTUxODIwMyIsIiszMzE5OTAwMDAxMCIsWyIrMzM2MTIzNDAwMDEiLCJab8"
    "OpIiwiYWxsb3dlZCJdLG51bGwsImVuZGVkIiw1LDMse30sIiIse30sMTc5NTUxMDgwMDAwMDAwMCxbMTAwMDAsMTAwMDAwMCxudWxsLG51bGws"
    "OTUwMDAwMDBdLFtbMCwib3BlbiIsIlR1ZSAxMDowMCIsMTAwMDBdLFsibG9zdCIsIm5leHQiLCIiLDEwMDAwXV0sMCxbWyJtZWRpY2FsIiwxMD"
    "AwMDAwLDIsMTUwMDAwMCwiYW5uZSIsOTAwMDAwMCwzMDAwMDAwMCwiYW5zd2VyZWQiXV0sW1siZG9jdG9yIiwzMTAwMDAwMCwzNTAwMDAwMSwz"
    "NjAwMDAwMCwicmVmdXNlZCJdXSxbWyJyLTEiLDIsInBvc3QiLDQwMDAwMDAwLDE0LjBdXSxudWxsLG51bGwsImFuc3dlcmVkIiwxNiwwLFtbIi"
    "szMzYxMjM0MDAwMSIsMSw2MDAwMDAwMF1dXQ=="
)
IN_A_ROW = (
    '{"visits":[["hours","open","Tue 10:00",10000],["lost","next","",10000]],"queues":[["medical",1000000,2,1500000'
    ',"anne",9000000,30000000,"answered"]],"dials":[["doctor",31000000,35000001,36000000,"refused"]],"messages":[["'
    'r-1","note","post",40000000,14.0]],"callbacks":[["+33612340001","team",60000000]],"step":5,"node":"bye"}'
)


def test_a_state_of_the_release_before() -> None:
    """Written by 0.1.0's development at 52487f2."""
    of = plan()

    assert state.decode(of, ON_A_CHANNEL.encode()) == call(of)
    before, now = (json.loads(base64.b64decode(text)) for text in (ON_A_CHANNEL, state.encode(of, call(of))))
    assert now == [state.FORMAT, *before[1:], *now[len(before) :]]
    assert before[0] == state.FORMAT - 1


def test_a_row_of_the_release_before() -> None:
    """Its trace, as JSON and as PostgreSQL gives it back."""
    ended = call(plan())

    assert trace_json(ended) == IN_A_ROW
    fields: dict[str, Any] = json.loads(call_json(ended)) | {"trace": json.loads(IN_A_ROW)}
    for name in ("ringing_at", "answered_at", "entered_service_at", "offered_at", "bridged_at", "ended_at"):
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    assert call_from_fields(fields) == ended


def test_a_form_is_written_where_there_is_one() -> None:
    """Spoken messages are written as before, so that the release before reads them."""
    of = plan()
    ended = call(of)
    (spoken,) = ended.messages
    values = (FormValue(name="file", value="n° 1", label="File", type="text"),)
    form = replace(spoken, recording="", seconds=0.0, form="order", values=values)
    both = replace(ended, messages=(spoken, form))

    assert state.decode(of, state.encode(of, both)) == both
    assert json.loads(trace_json(both))["messages"] == [
        ["r-1", "note", "post", 40000000, 14.0],
        ["", "note", "post", 40000000, 0.0, "order", [["file", "n° 1", "File", "text"]]],
    ]


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("visit", [4, "open", "", 0]),
        ("visit", [-1, "open", "", 0]),
        ("visit", [0, "open", "", 0.5]),
        ("visit", [True, "open", "", 0]),
        ("visit", ["hours", None, "", 0]),
        ("visit", ["hours", "open", ""]),
        ("queue_visit", ["medical", 0, 1, None, None, None, None, "gone"]),
        ("queue_visit", ["medical", None, 1, None, None, None, None, None]),
        ("dial", ["doctor", 0, None, None, 7]),
        ("dial", ["doctor", 0, None, None, None, "1"]),
        ("dial", ["doctor", 0, None, None, None, 1, 1]),
        ("message", ["r", "note", "post", 0, float("inf")]),
        ("message", ["", "note", "post", 0, 0.0, "order"]),
        ("message", ["", "note", "post", 0, 0.0, "", [], 1]),
        ("message", ["", "note", "post", 0, 0.0, "order", [["file"]]]),
        ("message", ["", "note", "post", 0, 0.0, "order", [["file", 1, "File", "text"]]]),
        ("callback", [33612340001, "team", 0]),
    ],
)
def test_what_does_not_read_is_refused(kind: str, written: list[Any]) -> None:
    """A wrong type, a place too few, a position or a value that there is not."""
    with pytest.raises((TypeError, ValueError)):
        getattr(PartsReader(RANG_AT, ("hours", "team", "note", "bye")), kind)(written)
