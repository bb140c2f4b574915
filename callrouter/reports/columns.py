"""The figures that a report has of journeys, in the order in which they stand: `words` says how each is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    Column("talk_mean_seconds", Unit.SECONDS, lambda line: line.figures.aht_seconds),
)
"""Of whole journeys, judged by what was promised."""


def _told(name: str, unit: Unit = Unit.COUNT) -> Column:
    """A figure that stands beside the calls."""
    return Column(name, unit, lambda line: line.beside.get(name))


def _ratio(part: str, *whole: str) -> Callable[[Line], Value]:
    def of(line: Line) -> Value:
        over = sum(line.beside.get(name) or 0 for name in whole)
        return (line.beside.get(part) or 0) / over if over else None

    return of


_HANDLED: Final = (
    Column("aht_seconds", Unit.SECONDS, _ratio("handle_seconds", "conversations")),
    _told("talk_seconds", Unit.SECONDS),
    _told("hold_seconds", Unit.SECONDS),
    _told("wrap_up_seconds", Unit.SECONDS),
)

BESIDE: Final = (
    _told("conversations"),
    *_HANDLED,
    _told("messages"),
    _told("messages_urgent"),
    _told("messages_unacknowledged"),
    _told("accepted_p50_seconds", Unit.SECONDS),
    _told("delivered_p50_seconds", Unit.SECONDS),
    _told("acknowledged_p50_seconds", Unit.SECONDS),
    _told("callbacks"),
    _told("callbacks_open"),
    _told("callbacks_reached"),
    _told("callback_p50_seconds", Unit.SECONDS),
    Column("gave_up_reached", Unit.SHARE, _ratio("gave_up_reached", "gave_up")),
)
"""What a client's report says beside the calls: what agents did for them, messages, callbacks, and who gave up."""

OF_AGENTS: Final = (
    _told("conversations"),
    *_HANDLED,
    _told("offers"),
    _told("missed"),
    _told("logged_in_seconds", Unit.SECONDS),
    _told("available_seconds", Unit.SECONDS),
    _told("paused_seconds", Unit.SECONDS),
    Column("occupancy", Unit.SHARE, _ratio("busy_seconds", "busy_seconds", "available_seconds")),
)
"""Of what agents did in a period, and where their time went."""

OF_ENDS: Final = (_RECEIVED, *(_disposition(one) for one in Disposition))
"""Of where journeys ended: how, without a promise."""

SHORT: Final = (
    *("received", "offered", "answered", "abandoned", "short_abandoned", "overflowed", "pickup_rate", "service_level"),
    *(
        "target",
        "asa_seconds",
        "waiting_p50_seconds",
        "waiting_p95_seconds",
        "waiting_max_seconds",
        "talk_mean_seconds",
    ),
)
"""What a screen or a page has the breadth for."""

PRINTED: Final = (
    *("offered", "answered", "abandoned", "overflowed", "pickup_rate", "service_level", "asa_seconds"),
    *("waiting_p95_seconds", "talk_mean_seconds"),
)


OF_VISITS: Final = (
    _told("entered"),
    _told("visits_answered"),
    _told("visits_abandoned"),
    _told("visits_overflowed"),
    _told("visits_exited"),
    Column("visits_answered_share", Unit.SHARE, _ratio("visits_answered", "entered")),
    Column("visits_within_share", Unit.SHARE, _ratio("visits_within", "entered")),
    Column("visit_mean_seconds", Unit.SECONDS, _ratio("visits_waited_seconds", "visits_answered")),
    _told("visit_p50_seconds", Unit.SECONDS),
    _told("visit_p95_seconds", Unit.SECONDS),
    _told("visit_max_seconds", Unit.SECONDS),
)
"""Of visits to queues: a call that passes three has three of them."""


def columns_of(by: By) -> tuple[Column, ...]:
    """The columns of a report that has a row for each of these."""
    match by:
        case By.NODE:
            return OF_ENDS
        case By.AGENT:
            return OF_AGENTS
        case By.QUEUE:
            return OF_VISITS
        case By.CLIENT:
            return OF_JOURNEYS + BESIDE
        case _:
            return OF_JOURNEYS


def broad(columns: Sequence[Column], wanted: Sequence[str]) -> list[int]:
    """The places of those columns that are wanted; all of a report that is of something else than service."""
    names = [column.name for column in columns]
    return [place for place, name in enumerate(names) if name in wanted or "offered" not in names]
