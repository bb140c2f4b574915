"""The figures that a report has of journeys, in the order in which they stand: `words` says how each is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from callrouter.core.call import Disposition
from callrouter.reports.lines import Line
from callrouter.reports.model import By, Column, Unit, Value


def _disposition(disposition: Disposition) -> Column:
    def count(line: Line) -> Value:
        return line.figures.by_disposition[disposition]

    return Column(disposition.value, Unit.COUNT, count)


def _of_calls(line: Line) -> Value:
    return line.figures.received


_RECEIVED: Final = Column("received", Unit.COUNT, _of_calls)

OF_JOURNEYS: Final = (
    _RECEIVED,
    Column("offered", Unit.COUNT, lambda line: line.figures.counts.offered),
    Column("answered", Unit.COUNT, lambda line: line.figures.counts.answered),
    Column("answered_within", Unit.COUNT, lambda line: line.figures.counts.answered_within),
    Column("abandoned", Unit.COUNT, lambda line: line.figures.counts.abandoned),
    Column("short_abandoned", Unit.COUNT, lambda line: line.figures.counts.short_abandoned),
    Column("overflowed", Unit.COUNT, lambda line: line.figures.counts.overflowed),
    _disposition(Disposition.MESSAGE_LEFT),
    _disposition(Disposition.REJECTED),
    Column("called_back", Unit.COUNT, lambda line: line.figures.called_back),
    Column("pickup_rate", Unit.SHARE, lambda line: line.figures.pickup_rate),
    Column("service_level", Unit.SHARE, lambda line: line.service_level),
    Column("target", Unit.SHARE, lambda line: line.target),
    Column("abandon_rate", Unit.SHARE, lambda line: line.figures.abandon_rate),
    Column("asa_seconds", Unit.SECONDS, lambda line: line.figures.waiting.mean_seconds),
    Column("waiting_p50_seconds", Unit.SECONDS, lambda line: line.figures.waiting.p50_seconds),
    Column("waiting_p90_seconds", Unit.SECONDS, lambda line: line.figures.waiting.p90_seconds),
    Column("waiting_p95_seconds", Unit.SECONDS, lambda line: line.figures.waiting.p95_seconds),
    Column("waiting_max_seconds", Unit.SECONDS, lambda line: line.figures.waiting.max_seconds),
    Column("abandoned_waiting_mean_seconds", Unit.SECONDS, lambda line: line.figures.abandoned_waiting.mean_seconds),
    Column("aht_seconds", Unit.SECONDS, lambda line: line.figures.aht_seconds),
)
"""Of whole journeys, judged by what was promised."""

OF_ENDS: Final = (_RECEIVED, *(_disposition(one) for one in Disposition))
"""Of where journeys ended: how, without a promise."""

SHORT: Final = (
    *("received", "offered", "answered", "abandoned", "short_abandoned", "overflowed", "pickup_rate", "service_level"),
    *("target", "asa_seconds", "waiting_p50_seconds", "waiting_p95_seconds", "waiting_max_seconds", "aht_seconds"),
)
"""What a screen or a page has the breadth for."""

PRINTED: Final = (
    *("offered", "answered", "abandoned", "overflowed", "pickup_rate", "service_level", "asa_seconds"),
    *("waiting_p95_seconds", "aht_seconds"),
)


def columns_of(by: By) -> tuple[Column, ...]:
    """The columns of a report that has a row for each of these."""
    return OF_ENDS if by is By.NODE else OF_JOURNEYS


def broad(columns: Sequence[Column], wanted: Sequence[str]) -> list[int]:
    """The places of those columns that are wanted; all of a report that has none of them but one."""
    found = [place for place, column in enumerate(columns) if column.name in wanted]
    return found if len(found) > 1 else list(range(len(columns)))
