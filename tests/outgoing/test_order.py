"""What is made of what the switch has written down of an outgoing call; and what may stand in an order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callrouter.asterisk.pbx.outgoing import OutgoingCalls, order_row
from callrouter.core.call import DialOutcome
from callrouter.errors import EncodingError
from callrouter.outgoing.order import NOTHING_YET, Order, Outcome, Progress, Purpose, outcome_of

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ORDER = Order(
    outgoing_id="1795427775-ab12",
    purpose=Purpose.CALLBACK,
    client="cabinet-moreau",
    number="+33612340001",
    shown="+33199000010",
    did="+33199000010",
    queue="medical",
    priority=2,
    position=3,
    wait_seconds=59.2,
    ring_seconds=0.0,
    said=("/prompts/ab.cd", "beep"),
)
LEFT = Progress(waits_since=None, left_at=AT)


@pytest.mark.parametrize(
    ("progress", "withdrawn", "outcome"),
    [
        (NOTHING_YET, False, Outcome.LOST),
        (Progress(waits_since=AT), False, Outcome.LOST),
        (Progress(waits_since=AT, rung_at=AT), False, Outcome.LOST),
        (NOTHING_YET, True, Outcome.WITHDRAWN),
        (LEFT, False, Outcome.NOBODY_FREE),
        (LEFT, True, Outcome.WITHDRAWN),
        (replace(LEFT, rung_at=AT, over_at=AT, dialled=DialOutcome.BUSY), False, Outcome.BUSY),
        (replace(LEFT, rung_at=AT, over_at=AT, dialled=DialOutcome.NO_ANSWER), False, Outcome.NO_ANSWER),
        (replace(LEFT, rung_at=AT, over_at=AT, dialled=DialOutcome.ABANDONED), False, Outcome.CANCELLED),
        (replace(LEFT, rung_at=AT, over_at=AT, dialled=DialOutcome.UNAVAILABLE), False, Outcome.UNAVAILABLE),
        (replace(LEFT, rung_at=AT, over_at=AT, dialled=DialOutcome.FAILED), False, Outcome.UNAVAILABLE),
        (replace(LEFT, rung_at=AT, over_at=AT, dialled=DialOutcome.BUSY), True, Outcome.WITHDRAWN),
        # Whoever has talked was reached, whatever happened then.
        (Progress(rung_at=AT, answered_at=AT), False, Outcome.ANSWERED),
        (Progress(rung_at=AT, answered_at=AT), True, Outcome.ANSWERED),
    ],
)
def test_what_became_of_it(progress: Progress, withdrawn: bool, outcome: Outcome) -> None:
    assert outcome_of(progress, withdrawn=withdrawn) is outcome


def test_it_is_complete_when_both_halves_are_over() -> None:
    assert not Progress(waits_since=AT).complete
    assert not replace(LEFT, rung_at=AT).complete
    assert not Progress(rung_at=AT, over_at=AT).complete
    assert LEFT.complete
    assert replace(LEFT, rung_at=AT, over_at=AT).complete


def test_an_order_as_the_dialplan_reads_it() -> None:
    row = order_row(ORDER, "PJSIP/{number}@trunk-out")

    assert row == (
        "v1|callback|medical|2|3|60|1|+33199000010|+33612340001|cabinet-moreau|/prompts/ab.cd&beep|+33199000010|"
        "PJSIP/+33612340001@trunk-out"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "+33612|340001"},
        {"number": "1 2"},
        {"number": "١٢"},
        {"shown": "anonymous"},
        {"did": "+33|1"},
        {"did": "a b"},
        {"queue": "medical,t"},
        {"queue": ""},
        {"client": "a|b"},
        {"said": ("one|two",)},
        {"said": ("${CHANNEL}",)},
        {"said": ("a,b",)},
    ],
    ids=str,
)
def test_what_cannot_stand_in_an_order(changed: dict[str, Any]) -> None:
    """What separates values, or means something to Asterisk's dialplan."""
    with pytest.raises(EncodingError):
        order_row(replace(ORDER, **changed), "PJSIP/{number}@trunk-out")


@given(st.dictionaries(st.sampled_from(["near", "far", "order", "x"]), st.lists(st.text(max_size=20), max_size=8)))
def test_whatever_stands_there_is_read(rows: dict[str, list[str]]) -> None:
    """A row of another release, or one that was cut, is as far as it can be read."""
    link: Any = None
    progress = OutgoingCalls(link, dial_pattern="")._read(rows)

    assert outcome_of(progress, withdrawn=False) in Outcome
    assert progress.ended_at is None or progress.complete
