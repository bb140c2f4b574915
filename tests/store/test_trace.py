"""A call becomes JSON and is the same call again; what PostgreSQL cannot hold is replaced, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Earlier,
    FormValue,
    Message,
    Presentation,
    QueueOutcome,
    QueueVisit,
    Visit,
    replace,
)
from callrouter.store.trace import call_from_json, call_json, cleaned, trace_json
from callrouter.store.writing.rows import CALL_COLUMNS, POSTGRES_EPOCH, QUEUE_VISIT_COLUMNS, Rows

# Everything a caller can send, and what one should not be able to: surrogates, NUL, controls.
hostile = st.text(alphabet=st.characters(codec=None), max_size=12)
maybe_hostile = st.none() | hostile
instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
maybe_instants = st.none() | instants
seconds = st.floats(min_value=0, max_value=1e6)


def _tuples(what: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(what, max_size=3).map(tuple)


calls = st.builds(
    Call,
    call_id=hostile,
    client=hostile,
    plan_version=hostile,
    did=hostile,
    caller=st.builds(CallerId, number=maybe_hostile, name=hostile, presentation=st.sampled_from(Presentation)),
    diverted_from=maybe_hostile,
    state=st.sampled_from(CallState),
    step=st.integers(0, 99),
    node=hostile,
    memory=st.dictionaries(hostile, st.integers(-9, 9), max_size=2),
    digits=hostile,
    variables=st.dictionaries(hostile, hostile, max_size=3),
    clocks=st.builds(
        Clocks,
        ringing_at=instants,
        answered_at=maybe_instants,
        entered_service_at=maybe_instants,
        offered_at=maybe_instants,
        bridged_at=maybe_instants,
        ended_at=maybe_instants,
    ),
    visits=_tuples(st.builds(Visit, node=hostile, exit=hostile, because=hostile, at=instants)),
    visits_dropped=st.integers(0, 9),
    queue_visits=_tuples(
        st.builds(
            QueueVisit,
            queue=hostile,
            entered_at=instants,
            offers=st.integers(0, 9),
            offered_at=maybe_instants,
            agent=maybe_hostile,
            answered_at=maybe_instants,
            left_at=maybe_instants,
            outcome=st.none() | st.sampled_from(QueueOutcome),
        )
    ),
    dials=_tuples(
        st.builds(
            DialAttempt,
            target=hostile,
            started_at=instants,
            answered_at=maybe_instants,
            ended_at=maybe_instants,
            outcome=st.none() | st.sampled_from(DialOutcome),
        )
    ),
    earlier=st.builds(
        Earlier,
        attempts=st.integers(0, 9),
        waiting_seconds=seconds,
        talk_seconds=seconds,
        agent=maybe_hostile,
        redirected=st.booleans(),
    ),
    messages=_tuples(
        st.builds(Message, recording=hostile, node=hostile, deliver=hostile, started_at=instants, seconds=seconds)
        | st.builds(
            Message,
            recording=st.just(""),
            node=hostile,
            deliver=hostile,
            started_at=instants,
            seconds=st.just(0.0),
            form=hostile.filter(bool),
            values=_tuples(st.builds(FormValue, name=hostile, value=hostile, label=hostile, type=hostile)),
        )
    ),
    recording_at=maybe_instants,
    verdict=st.none() | st.sampled_from(Disposition),
    disposition=st.none() | st.sampled_from(Disposition),
    hangup_cause=st.none() | st.integers(0, 127),
)


@given(calls)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_a_call_reads_back_from_its_line_exactly(call: Call) -> None:
    """Every field, to the microsecond, on one line."""
    line = call_json(call)

    assert "\n" not in line
    assert call == call_from_json(line)


@given(calls)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_what_is_cleaned_can_be_stored_and_what_was_clean_is_left(call: Call) -> None:
    """No NUL and no lone surrogate is left; cleaning twice changes nothing more."""
    clean = cleaned(call)
    line = call_json(clean)

    line.encode()  # raises on a lone surrogate
    assert "\\u0000" not in line.replace("\\\\", "")
    assert clean == cleaned(clean)
    assert clean.clocks == call.clocks


def test_the_trace_is_readable_json(make_call: Any) -> None:
    """An operator who reads the column finds the values in their places, and microseconds after the call rang."""
    trace = json.loads(trace_json(make_call()))

    assert trace["visits"][1] == ["welcome", "key:2", "key 2", 10_500_000]
    assert trace["queues"] == [["medical", 10_500_000, 1, 10_600_000, "anne", 18_250_000, 78_250_000, "answered"]]
    assert trace["dials"] == [["on_call", 5_000_000, None, 10_000_000, "no_answer"]]
    assert trace["messages"] == [["rec-1", "note", "email_doctor", 70_500_000, 7.5]]
    assert "rest" not in trace


def test_a_paired_surrogate_is_a_character() -> None:
    """JSON escapes emoji as two surrogates; together they are one character and stay."""
    call = Call(
        call_id="a",
        client="b",
        plan_version="c",
        did="d",
        caller=CallerId(name="\U0001f600 \ud83d"),
        clocks=Clocks(ringing_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)),
    )

    assert cleaned(call).caller.name == "\U0001f600 \ufffd"


@given(calls, instants)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_a_row_tells_the_figures_of_its_call(call: Call, ended_at: datetime) -> None:
    """Rows are made in one pass, for speed: waiting, talk and agent are those of the core all the same."""
    ended = replace(
        call, clocks=replace(call.clocks, ended_at=ended_at), disposition=call.disposition or Disposition.FAILED
    )
    rows = Rows()

    row = dict(zip(CALL_COLUMNS, rows.take(ended), strict=True))

    assert row["waiting_seconds"] == pytest.approx(ended.waiting_seconds(ended_at), abs=1e-6)
    assert row["talk_seconds"] == pytest.approx(ended.talk_seconds(), abs=1e-6)
    assert row["agent"] == ended.agent
    assert POSTGRES_EPOCH + timedelta(microseconds=row["ringing_at"]) == ended.clocks.ringing_at
    # A form has nothing to be heard.
    assert len(rows.messages) == len(ended.messages)
    assert [row[0] for row in rows.message_recordings] == [one.recording for one in ended.messages if one.recording]
    visits = [dict(zip(QUEUE_VISIT_COLUMNS, visit, strict=True)) for visit in rows.queue_visits]
    assert [visit["position"] for visit in visits] == list(range(1, len(ended.queue_visits) + 1))
    assert [visit["waiting_seconds"] for visit in visits] == [v.waiting_seconds(ended_at) for v in ended.queue_visits]
