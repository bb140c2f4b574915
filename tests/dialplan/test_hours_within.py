"""One set of hours within another: nights go on after midnight, and after days that a holiday or a date decides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core.schedule import Schedule
from callrouter.dialplan.documents.calendar import HoursBlock
from callrouter.dialplan.proof.weeks import lies_within
from callrouter.dialplan.shared import hours

TODAY = date(2026, 11, 24)


def kept(**written: Any) -> Schedule:
    """Hours as a document writes them."""
    block = HoursBlock.model_validate(written)
    return hours.schedule("kept", block, "Europe/Paris", "fr", TODAY, country="FR", wrong=[])


EVENING = kept(open={"daily": "22:00-24:00"})
NIGHT = kept(open={"daily": "22:00-06:00"})
NIGHT_WITHOUT_HOLIDAYS = kept(open={"daily": "22:00-06:00"}, holidays=["FR"])
EARLY = kept(open={"daily": "05:00-06:00"})
EARLY_WITHOUT_CHRISTMAS = kept(open={"daily": "05:00-06:00"}, closed=["12-25"])
WORKING_NIGHTS = kept(open={"mon-fri": "22:00-06:00"})
SATURDAY_MORNING = kept(open={"sat": "02:00-04:00"})


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        (EVENING, NIGHT, True),
        (NIGHT, EVENING, False),
        (EARLY, NIGHT, True),
        (NIGHT_WITHOUT_HOLIDAYS, NIGHT, True),
        (NIGHT, NIGHT_WITHOUT_HOLIDAYS, False),
        # The night of Christmas is off, and with it the morning of the 26th.
        (EARLY_WITHOUT_CHRISTMAS, kept(open={"daily": "22:00-06:00"}, closed=["12-25"]), False),
        (EARLY_WITHOUT_CHRISTMAS, kept(open={"daily": "22:00-06:00"}, closed=["12-24"]), True),
        (SATURDAY_MORNING, WORKING_NIGHTS, True),
        (kept(open={"mon": "02:00-04:00"}), WORKING_NIGHTS, False),
    ],
)
def test_nights_beside_each_other(inner: Schedule, outer: Schedule, within: bool) -> None:
    """The day of a night is the one on which it begins."""
    assert lies_within(inner, outer) is within


clocks = st.sampled_from(["00:00", "02:00", "06:00", "12:00", "22:00"])
ranges = st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]).map("-".join)
week = st.dictionaries(st.sampled_from(["mon-fri", "sat", "sun"]), ranges, min_size=1)
days = st.sampled_from(["12-24", "2026-12-25", "2026-12-23..2026-12-27"])
sets = st.builds(
    kept,
    open=week,
    exceptions=st.dictionaries(days, ranges, max_size=1),
    closed=st.lists(days, max_size=1),
    holidays=st.sampled_from([[], ["FR"]]),
)


@settings(max_examples=200, deadline=None)
@given(sets, sets)
def test_what_lies_within_is_never_open_alone(inner: Schedule, outer: Schedule) -> None:
    """Whenever the inner one is open by the clock, the outer one is."""
    start = datetime(2026, 12, 14, tzinfo=UTC)
    instants = [start + timedelta(hours=step) for step in range(15 * 24)]
    alone = [at for at in instants if inner.at(at).open and not outer.at(at).open]

    assert not (alone and lies_within(inner, outer)), alone[:3]
