"""Transcripts of `opening_hours`."""

from datetime import UTC, date, datetime, time

from callrouter.core.call import Disposition
from callrouter.core.nodes import HangupNode, OpeningHoursNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.testing import Playbook, plan_of

WORKING_DAY = (TimeRange(start=time(8), end=time(12, 30)), TimeRange(start=time(13, 30), end=time(19)))
HOURS = Schedule(
    name="open",
    timezone="Europe/Paris",
    week=(*(WORKING_DAY,) * 5, (), ()),
    holidays={date(2026, 1, 1): "Jour de l'an"},
)
EXITS = {"open": "day", "closed": "night", "holiday": "feast"}


def _call(at: datetime, exits: dict[str, str], *visits: str) -> Playbook:
    plan = plan_of(
        OpeningHoursNode(name="hours", hours="open", exits=exits),
        *(HangupNode(name=name) for name in ("day", "night", "feast")),
        schedules={"open": HOURS},
    )
    call = Playbook(plan, at=at).offer().expects("hang up 16").passes(*visits)
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_open() -> Playbook:
    """A Tuesday at ten, and why."""
    call = _call(datetime(2026, 1, 6, 9, 0, tzinfo=UTC), EXITS, "hours:open", "day:end")
    assert call.call.visits[0].because == "Tue 10:00"
    return call


def case_closed_at_lunch() -> Playbook:
    """The end of a range does not belong to it."""
    return _call(datetime(2026, 1, 6, 11, 30, tzinfo=UTC), EXITS, "hours:closed", "night:end")


def case_holiday() -> Playbook:
    """With an exit of its own."""
    call = _call(datetime(2026, 1, 1, 9, 0, tzinfo=UTC), EXITS, "hours:holiday", "feast:end")
    assert call.call.visits[0].because == "Thu 10:00, Jour de l'an"
    return call


def case_holiday_without_an_exit_is_closed() -> Playbook:
    """As the docstring says."""
    exits = {"open": "day", "closed": "night"}
    return _call(datetime(2026, 1, 1, 9, 0, tzinfo=UTC), exits, "hours:closed", "night:end")


ABOUT = (
    (
        OpeningHoursNode(name="hours", hours="open", exits=EXITS),
        About(
            family=Family.DECIDES,
            left_by={"open": LeftBy.NOTHING, "closed": LeftBy.NOTHING, "holiday": LeftBy.NOTHING},
            does=(),
            reads=Reads(hours="open", holidays=True),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
)
"""Nodes, and what each says of itself."""
