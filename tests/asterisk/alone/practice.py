"""A client whose tree goes by hours and dates, for tests of a PBX alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from callrouter.core.call import replace
from callrouter.core.conditions import DateWithin
from callrouter.core.effects import Sound
from callrouter.core.nodes import BranchNode, HangupNode, MessageNode, OpeningHoursNode, QueueNode, RedirectNode
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule, TimeRange
from tests.asterisk.engine_room import plan_of

SECOND: Final = (Sound(file="silence/1", seconds=1.0),)
OFFICE: Final = (TimeRange(start=time(9), end=time(17)),)
STRIKE, OUTING = date(2026, 6, 3), date(2026, 6, 4)
"""Days on which the practice has somebody else answer, and on which nobody does."""
PRACTICE: Final[Plan] = replace(
    plan_of(
        BranchNode(
            name="days",
            when=(DateWithin(spans=((STRIKE, STRIKE),)), DateWithin(spans=((OUTING, OUTING),))),
            exits={"when:0": "elsewhere", "when:1": "outing", "otherwise": "hours"},
        ),
        OpeningHoursNode(name="hours", hours="open", exits={"open": "queue", "closed": "night"}),
        QueueNode(name="queue", queue="medical", max_wait_seconds=60, exits={"overflow": "bye"}),
        MessageNode(name="night", sounds=SECOND, min_seconds=0.5, silence_seconds=0.0, exits={"done": "bye"}),
        RedirectNode(name="elsewhere", number="+33199000099", exits={"failed": "bye"}),
        HangupNode(name="outing", sounds=(Sound(file="vm-goodbye", seconds=1.0),)),
        HangupNode(name="bye"),
        QueueNode(name="declared", queue="reception", max_wait_seconds=60, exits={"overflow": "bye"}),
        fallback="declared",
    ),
    schedules={"open": Schedule(name="open", timezone="Europe/Paris", week=(OFFICE,) * 5 + ((), ()))},
)


def at(written: str) -> datetime:
    """An instant in UTC: `2026-06-01 10:00`."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC)
