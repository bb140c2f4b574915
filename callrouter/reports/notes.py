"""What stands above and below the figures of every report: what it is of, and what its figures were made with."""

from __future__ import annotations

from collections.abc import Sequence

from callrouter.reports.model import By, Report, Span
from callrouter.reports.words import OF, Language, basis, comparison, gap, instant, period, said

_NAMED = 3
"""More zones than that are not named one by one."""


def title(report: Report, language: Language) -> str:
    """What it is of, whose, and when."""
    return " · ".join([kind(report, language), whose(report, language), when(report.spans, language)])


def kind(report: Report, language: Language) -> str:
    """What it is of."""
    if report.by in (By.QUEUE, By.AGENT):
        return said(f"title_{report.by}", language)
    by = OF[language][report.by]
    return said("title", language, by=by[0].lower() + by[1:])


def whose(report: Report, language: Language) -> str:
    """The clients, by name where there are few."""
    if report.clients is None:
        return said("all", language)
    names = report.names or report.clients
    return ", ".join(names) if len(names) <= _NAMED else said("clients", language, n=len(names))


def when(spans: Sequence[Span], language: Language) -> str:
    """The period as the clocks of every zone show it; once, where all show the same."""
    shown = dict.fromkeys(period(span, language) for span in spans)
    if len(spans) == 1 or len(shown) > 1:
        each = [f"{period(span, language)} ({span.zone})" for span in spans]
        return ", ".join(each[:_NAMED]) + (" …" if len(each) > _NAMED else "")
    zones = [span.zone for span in spans]
    return f"{next(iter(shown))}, {said('zones', language)} ({', '.join(zones[:_NAMED])}{' …' * (len(zones) > _NAMED)})"


def notes(report: Report, language: Language) -> list[str]:
    """What the figures were made with, compared with, and what is missing; one paragraph each."""
    return [*made_with(report, language), *compared(report, language), *gaps(report, language)]


def made_with(report: Report, language: Language) -> list[str]:
    """Each formula with threshold, limit, clock and target; with its number where there are several."""
    several = len(report.bases) > 1
    return [
        (f"{said('promise', language, n=number)}: " if several else "") + " ".join(basis(one, language))
        for number, one in enumerate(report.bases, start=1)
    ]


def compared(report: Report, language: Language) -> list[str]:
    """With which period it is compared."""
    if report.comparison is None:
        return []
    shown = dict.fromkeys(period(span, language) for span in report.compared)
    against = f"{comparison(report.comparison, language)}, {', '.join(list(shown)[:_NAMED])}"
    return [said("compared", language, period=against) + "."]


def gaps(report: Report, language: Language, *, why: bool = True) -> list[str]:
    """Times in which calls may be missing, each as declared; why, in the record's own words, is for the operator."""
    span = report.spans[0]
    return [gap(one, span, language) + (f" {one.pbx}: {one.reason}" if why else "") for one in report.missing]


def made(report: Report, language: Language) -> str:
    """When it was made."""
    return said("made", language, at=instant(report.made_at.astimezone(report.spans[0].from_at.tzinfo), language))
