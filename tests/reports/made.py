"""Reports of figures that are made up, for what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from callrouter.core.call import Disposition
from callrouter.core.service_level import (
    Formula,
    Promise,
    ServiceCounts,
    abandon_rate,
    pickup_rate,
    service_level,
)
from callrouter.periods import Comparison
from callrouter.reports.lines import Line, together
from callrouter.reports.making import Measured, Order, Subject, make
from callrouter.reports.model import By, Missing, Report, Span
from callrouter.store.figures.model import NO_WAITS, Figures, PromiseStats, Waits

PARIS = ZoneInfo("Europe/Paris")
MADE_AT = datetime(2026, 11, 1, 6, tzinfo=UTC)
OCTOBER = Span(
    zone="Europe/Paris", from_at=datetime(2026, 10, 1, tzinfo=PARIS), to_at=datetime(2026, 11, 1, tzinfo=PARIS)
)
SEPTEMBER = Span(
    zone="Europe/Paris", from_at=datetime(2026, 9, 1, tzinfo=PARIS), to_at=datetime(2026, 10, 1, tzinfo=PARIS)
)
USUAL = Promise(timezone="Europe/Paris")
STRICT = Promise(within_seconds=30, formula=Formula.STRICT, target=0.9, timezone="Europe/Paris")
GAP = Missing(
    from_at=datetime(2026, 10, 14, 12, 3, tzinfo=UTC),
    until_at=datetime(2026, 10, 14, 12, 9, tzinfo=UTC),
    reason="the link to Asterisk was down",
    pbx="pbx-1",
)


def figures(
    answered: int,
    *,
    within: int | None = None,
    abandoned: int = 0,
    short: int = 0,
    overflowed: int = 0,
    early: int = 0,
    called_back: int = 0,
) -> Figures:
    """Of so many journeys; those who were answered waited 12 s each."""
    counts = ServiceCounts(
        answered=answered,
        abandoned=abandoned,
        answered_within=answered if within is None else within,
        abandoned_within=short,
        short_abandoned=short,
        overflowed=overflowed,
    )
    told = dict.fromkeys(Disposition, 0) | {
        Disposition.ANSWERED: answered,
        Disposition.ABANDONED: abandoned,
        Disposition.MESSAGE_LEFT: overflowed,
        Disposition.LEFT_EARLY: early,
    }
    waits = Waits(mean_seconds=12.0, p50_seconds=9.5, p90_seconds=25.0, p95_seconds=41.25, max_seconds=145.0)
    return Figures(
        received=counts.offered + early,
        by_disposition=told,
        counts=counts,
        service_levels={formula: service_level(counts, formula) for formula in Formula},
        pickup_rate=pickup_rate(counts),
        abandon_rate=abandon_rate(counts),
        waiting=waits if answered else NO_WAITS,
        abandoned_waiting=waits if abandoned else NO_WAITS,
        aht_seconds=132.5 if answered else None,
        called_back=called_back,
        called_back_after=waits if called_back else NO_WAITS,
    )


def line(answered: int, promise: Promise | None = USUAL, **counts: int) -> Line:
    """Under one promise."""
    found = figures(answered, **counts)
    return Line(figures=found, promises=[PromiseStats(promise=promise, figures=found)])


def report(
    by: By,
    lines: Mapping[Subject, Line],
    before: Mapping[Subject, Line] | None = None,
    *,
    order: Order | None = None,
    comparison: Comparison = Comparison.BEFORE,
    clients: tuple[str, ...] | None = ("cabinet-moreau",),
    missing: tuple[Missing, ...] = (),
) -> Report:
    """Of October 2026, compared with September."""
    earlier = None
    if before is not None:
        earlier = Measured(lines=before, total=together(list(before.values())), spans=[SEPTEMBER])
    return make(
        by,
        Measured(lines=lines, total=together(list(lines.values())), spans=[OCTOBER]),
        clients=clients,
        names=["Cabinet du Dr Moreau"] if clients else [],
        made_at=MADE_AT,
        before=earlier,
        comparison=comparison,
        order=order,
        missing=missing,
    )


def by_day() -> Report:
    """Every day of the month, with what September had on the same day of it, and a gap."""
    days = {Subject(date(2026, 10, 1) + timedelta(days=n)): line(60 + n % 7, abandoned=3, short=1) for n in range(31)}
    were = {Subject(date(2026, 9, 1) + timedelta(days=n)): line(50, abandoned=2) for n in range(30)}
    return report(By.DAY, days, were, missing=(GAP,))


def by_hour() -> Report:
    """Office hours."""
    return report(By.HOUR, {Subject(hour): line(10 * hour, overflowed=2) for hour in range(8, 19)})


def by_weekday() -> Report:
    """Seven of them."""
    return report(By.WEEKDAY, {Subject(day): line(100 - day, abandoned=day) for day in range(1, 8)})


def of_client() -> Report:
    """The client's own."""
    now, was = line(1850, abandoned=111, short=36, overflowed=53, called_back=17), line(1900, abandoned=100)
    return report(By.CLIENT, {Subject("cabinet-moreau"): now}, {Subject("cabinet-moreau"): was}, missing=(GAP,))


def of_everybody(clients: int = 800) -> Report:
    """A row a client, under two promises."""
    lines = {Subject(f"client-{n:03d}"): line(n + 1, STRICT if n % 5 else USUAL) for n in range(clients)}
    return report(By.CLIENT, lines, clients=None, order=Order(top=20))
