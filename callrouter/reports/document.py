"""What a printed report is made of: a head, a few figures at a glance, pictures, tables, and what it all means.

A client's period is a document of its own, with days, hours and weekdays; anything else is its table with a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from callrouter.reports.chart import drawn
from callrouter.reports.columns import PRINTED, broad
from callrouter.reports.flat import verdict, with_clients
from callrouter.reports.model import By, Report, Row
from callrouter.reports.notes import compared, gaps, kind, made, made_with, notes, when, whose
from callrouter.reports.words import OF, Language, change, label, said, term, value

_AT_A_GLANCE = ("offered", "pickup_rate", "service_level", "asa_seconds")
EXPLAINED = (
    *("received", "offered", "answered", "abandoned", "short_abandoned", "overflowed", "message_left", "called_back"),
    *("pickup_rate", "service_level", "abandon_rate", "asa_seconds", "waiting_p50_seconds", "waiting_p95_seconds"),
    *("waiting_max_seconds", "talk_mean_seconds", "aht_seconds"),
    *("messages", "messages_urgent", "accepted_p50_seconds", "acknowledged_p50_seconds"),
    *("callbacks", "callbacks_reached", "callback_p50_seconds", "gave_up_reached"),
)
"""What a client's period says, with what each means; docs/figures.md says it at length."""
_PICTURE_FONT = "Libertinus Serif"


@dataclass(frozen=True, slots=True)
class Card:
    """One figure in large type."""

    name: str
    value: str
    note: str
    good: bool | None
    """Whether a target was reached; None: there is none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing, and what is said of it."""

    name: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as people read them; what is not a name stands to the right."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str] = ()
    names: int = 1
    """How many columns from the left are names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All of it, in order."""

    language: Language
    kind: str
    title: str
    period: str
    made: str
    cards: Sequence[Card] = ()
    broad: Sequence[Picture] = ()
    """As broad as the page."""
    narrow: Sequence[Picture] = ()
    """Two beside each other."""
    tables: Sequence[Table] = ()
    terms: Sequence[tuple[str, str, str, str]] = ()
    """Figures with their value, the change and the meaning."""
    heads: Sequence[str] = ()
    """Of the terms."""
    notes: Sequence[str] = ()
    words: dict[str, str] = field(default_factory=dict)
    """Those of the page itself."""


def of_report(report: Report, language: Language) -> Document:
    """Any report: its picture and its table."""
    return Document(
        language=language,
        kind=kind(report, language),
        title=whose(report, language),
        period=_capital(when(report.spans, language)),
        made=made(report, language),
        broad=[Picture("", drawn(report, language, font=_PICTURE_FONT))] if report.rows else [],
        tables=[_table(report, language, "")],
        notes=notes(report, language),
        words=_words(language),
    )


def of_client(reports: Sequence[Report], language: Language) -> Document:
    """One client's period: the client's own report, of one row, and those by day, hour and weekday."""
    whole, by_day, by_hour, by_weekday = reports
    row = whole.rows[0]
    return Document(
        language=language,
        kind=said("monthly", language),
        title=whose(whole, language),
        period=_capital(when(whole.spans, language)),
        made=made(whole, language),
        cards=[_card(whole, row, name, language) for name in _AT_A_GLANCE],
        broad=[Picture(said("by_day", language), drawn(by_day, language, font=_PICTURE_FONT, height=210))],
        narrow=[
            Picture(said("by_hour", language), drawn(by_hour, language, font=_PICTURE_FONT, width=400, height=210)),
            Picture(
                said("by_weekday", language), drawn(by_weekday, language, font=_PICTURE_FONT, width=400, height=210)
            ),
        ],
        terms=[
            (
                term(name, language).name,
                _shown(whole, row, name, language),
                _change(whole, row, name, language),
                term(name, language).means,
            )
            for name in EXPLAINED
            if whole.cell(row, name) is not None
        ],
        heads=("", "", said("change", language) if whole.comparison else "", said("means", language)),
        tables=[
            *([_parts(whole, row, language)] if row.parts else []),
            _table(by_day, language, said("by_day", language)),
        ],
        notes=[
            *made_with(whole, language),
            *compared(whole, language),
            *(gaps(whole, language, why=False) or [said("gapless", language)]),
        ],
        words=_words(language),
    )


def _words(language: Language) -> dict[str, str]:
    return {name: said(name, language) for name in ("page", "of_pages", "key")} | {
        "made_with": said("made_with", language)
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _card(report: Report, row: Row, name: str, language: Language) -> Card:
    target = report.cell(row, "target")
    remark = _change(report, row, name, language)
    good = None
    if name == "service_level" and row.reached is not None and target is not None:
        place = report.place("target")
        assert place is not None
        shown = value(target, report.columns[place].unit, language)
        good, remark = row.reached, f"{said('with_target', language, target=shown)} : {verdict(row, language)}"
        remark = remark if language is Language.FRENCH else remark.replace(" :", ":")
    return Card(term(name, language).name, _shown(report, row, name, language), remark, good)


def _shown(report: Report, row: Row, name: str, language: Language) -> str:
    place = report.place(name)
    assert place is not None
    return value(row.cells[place], report.columns[place].unit, language)


def _change(report: Report, row: Row, name: str, language: Language) -> str:
    place = report.place(name)
    if place is None or row.before is None:
        return ""
    return change(row.cells[place], row.before[place], report.columns[place].unit, language)


def _parts(report: Report, row: Row, language: Language) -> Table:
    """The client's figures under each promise."""
    places = broad(report.columns, PRINTED)
    return Table(
        name=said("by_promise", language),
        heads=[said("promised", language), *(term(report.columns[place].name, language).short for place in places)],
        rows=[[str(part.basis), *_cells(report, part, places, language)] for part in row.parts],
    )


def _table(report: Report, language: Language, name: str) -> Table:
    places = broad(report.columns, PRINTED)
    clients = with_clients(report)
    heads = [OF[language][report.by], *([OF[language][By.CLIENT]] if clients else [])]
    several = len(report.bases) > 1

    def cells(row: Row, named: str) -> list[str]:
        found = [named, *([row.client or ""] if clients else []), *_cells(report, row, places, language)]
        return [*found, *(["" if row.basis is None else str(row.basis)] if several else [])]

    rows = [cells(row, "" if row.key is None else label(report.by, row.key, language)) for row in report.rows]
    if report.others is not None:
        rows.append(cells(report.others, said("others", language, n=report.others.folded)))
    return Table(
        name=name,
        heads=[
            *heads,
            *(term(report.columns[place].name, language).short for place in places),
            *([said("promised", language)] if several else []),
        ],
        rows=rows,
        total=cells(report.total, said("total", language)) if report.total is not None and len(rows) > 1 else (),
        names=len(heads),
    )


_SIGN = {True: " ✓", False: " ✗", None: ""}


def _cells(report: Report, row: Row, places: Sequence[int], language: Language) -> list[str]:
    """Beside a service level stands whether its target was reached."""
    return [
        value(row.cells[place], report.columns[place].unit, language)
        + (_SIGN[row.reached] if report.columns[place].name == "service_level" else "")
        for place in places
    ]
