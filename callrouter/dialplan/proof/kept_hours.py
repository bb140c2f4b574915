"""Hours a client keeps, for what is looked at in them: which days their texts stand for, and where findings go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Struct

from callrouter.core.schedule import Span
from callrouter.dialplan.documents.calendar import CalendarBlock, HoursBlock
from callrouter.dialplan.issues import Severity, shown
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.dialplan.shared.hours import almanac_of

DAYS_AHEAD = 731
"""Two years, with a leap day."""


class KeptHours(Struct, frozen=True, kw_only=True):
    """Hours a client keeps, and where they are written: in its own document, or in a calendar that all share."""

    block: HoursBlock | CalendarBlock
    path: tuple[str, ...]
    """In the client's document; of a calendar, the place that names it."""
    almanac: Almanac
    calendar: str = ""

    def spans(self, written: str) -> tuple[Span, ...]:
        """The days of a text; none of one that is wrong, as is said elsewhere."""
        try:
            return self.almanac.spans(written)
        except ValueError:
            return ()

    def holds(self, written: str, day: date) -> bool:
        """Whether a text stands for a day."""
        return any(first <= day <= last for first, last in self.spans(written))

    def say(self, scope: NameScope, message: str, *path: str | int, name: str = "") -> None:
        """Note what may surprise; with a name, warn of it, as a file may accept."""
        here = (*self.path, *path) if not self.calendar else self.path
        what = f"hours: calendar {shown(self.calendar)}" if self.calendar else f"hours.{path[0]}"
        scope.fail(f"{what}: {message}", *here, severity=Severity.NOTE, name=name)

    def warn(self, scope: NameScope, message: str, *path: str | int) -> None:
        """Note what is unwise; nobody's calendar is blamed for the zone of one client."""
        if self.calendar:
            scope.fail(f"hours: calendar {shown(self.calendar)}: {message}", *self.path, severity=Severity.WARNING)
        else:
            scope.fail(f"hours.{path[0]}: {message}", *self.path, *path, severity=Severity.WARNING)


def each_kept(
    scope: NameScope, blocks: Mapping[str, HoursBlock], today: date
) -> Iterator[tuple[str, tuple[KeptHours, ...]]]:
    """Every set of hours of a client, as it is written: by the name it stands under its own part, and the calendar's
    it begins from.
    """
    for written, block in blocks.items():
        shared = scope.shared.calendars.get(block.calendar) if block.calendar else None
        own = KeptHours(block=block, path=("hours", written), almanac=almanac_of(block, shared, scope.country, today))
        if shared is None or block.calendar is None:
            yield written, (own,)
            continue
        almanac = almanac_of(shared, None, scope.country, today)
        path = ("hours", written, "calendar")
        yield written, (own, KeptHours(block=shared, path=path, almanac=almanac, calendar=block.calendar))
