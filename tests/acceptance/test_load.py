"""Twenty callers at once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from deploy.demo import stories
from deploy.demo.caller import HangUp, Press, UntilSound, Wait

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town


def test_twenty_callers_at_once(town: Town) -> None:
    callers = [town.somebody() for _ in range(20)]
    calls = [
        town.calling(stories.BRIGHTON, UntilSound(), Wait(1), Press("1"), caller=caller)
        if place % 2
        else town.calling(stories.LENOIR, UntilSound(), Wait(4), HangUp(), caller=caller)
        for place, caller in enumerate(callers)
    ]
    outcomes = town.together(calls)
    assert [outcome.trouble or outcome.complaints for outcome in outcomes if not outcome.went_well] == []
    rows = [row for caller in callers for row in town.rows_of(caller)]
    assert Counter(row["disposition"] for row in rows) == {"self_served": 10, "left_early": 10}
    answered = [outcome.answered - outcome.dialled for outcome in outcomes if outcome.answered is not None]
    assert len(answered) == 20
    # SIPp itself takes most of it to start, twenty times on two cores.
    assert max(answered) < 5.0
