"""A report as a picture (SVG): bars of the calls offered, by what became of them; for paper and for a screen alike.

Upright where rows follow each other in time, else lying, the name beside each. The colours differ in brightness as
well: a page that was printed in grey can be read. There is no script in it, and nothing that it would load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from math import ceil, floor, log10
from typing import Final

from callrouter.reports.model import By, Report, Row
from callrouter.reports.notes import title
from callrouter.reports.words import Language, label, said, short_label, term, value

COLOURS: Final = {
    "answered": "#1f4e79",
    "overflowed": "#e0a83c",
    "abandoned": "#b5473c",
    **dict.fromkeys(("received", "conversations", "entered"), "#1f4e79"),
}
INK: Final = "#222222"
PALE: Final = "#d9dde2"
MOST_LYING: Final = 25
"""So many rows are drawn where they lie; the rest is in the table."""
NARROW: Final = 500
"""Such a picture has room for short names."""
FONT: Final = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row's: its name, and the length of each of its pieces."""

    name: str
    pieces: Sequence[tuple[str, float]]
    before: float | None
    faint: bool = False
    """Of a day on which most do not work."""

    @property
    def length(self) -> float:
        return sum(length for _, length in self.pieces)


def drawn(report: Report, language: Language, *, font: str = FONT, width: int = 760, height: int = 250) -> str:
    """The whole picture; what is too long for it is left out."""
    series = ["answered", "overflowed", "abandoned"]
    if report.place("offered") is None:
        found = [name for name in ("received", "conversations", "entered") if report.place(name) is not None]
        series = found[:1]
    rows = report.rows if report.by.is_time else report.rows[:MOST_LYING]
    bars = [_bar(report, row, series, language) for row in rows if row.key is not None]
    if report.by.is_time:
        return _upright(report, bars, series, language, font, width, height)
    return _lying(report, bars, series, language, font, width)


def _bar(report: Report, row: Row, series: Sequence[str], language: Language) -> _Bar:
    assert row.key is not None
    pieces = [(name, float(report.cell(row, name) or 0)) for name in series]
    place = report.place("offered" if len(series) > 1 else series[0])
    before = None if row.before is None or place is None else row.before[place]
    name = (short_label if report.by.is_time else label)(report.by, row.key, language)
    faint = report.by is By.DAY and isinstance(row.key, date) and row.key.isoweekday() > 5
    return _Bar(name, pieces, None if before is None else float(before), faint)


def _upright(  # noqa: PLR0913, RUF100  # measures of one picture
    report: Report,
    bars: Sequence[_Bar],
    series: Sequence[str],
    language: Language,
    font: str,
    width: int,
    height: int,
) -> str:
    left, right, top, bottom = 44.0, 8.0, 30.0, 24.0
    ticks = _ticks(max([max(bar.length, bar.before or 0) for bar in bars], default=0))
    scale = (height - top - bottom) / ticks[-1]
    foot = height - bottom
    parts = _legend(report, series, language, left, width)
    for tick in ticks:
        at = foot - tick * scale
        parts.append(f'<line x1="{left:g}" x2="{width - right:g}" y1="{at:.1f}" y2="{at:.1f}" stroke="{PALE}"/>')
        shown = value(tick, report.columns[0].unit, language)
        parts.append(_text(left - 6, at + 3.5, shown, anchor="end"))
    step = (width - left - right) / max(len(bars), 1)
    thick = min(step * 0.72, 46)
    every = ceil(len(bars) * 20 / (width - left - right)) or 1
    for number, bar in enumerate(bars):
        middle = left + step * (number + 0.5)
        at = foot
        for name, length in bar.pieces:
            tall = length * scale
            at -= tall
            parts.append(_rect(middle - thick / 2, at, thick, tall, COLOURS[name]))
        if bar.before is not None:
            was = foot - bar.before * scale
            ends = f'x1="{middle - step * 0.46:.1f}" x2="{middle + step * 0.46:.1f}"'
            parts.append(f'<line {ends} y1="{was:.1f}" y2="{was:.1f}" stroke="{INK}" stroke-width="1.6"/>')
        if number % every == 0:
            parts.append(_text(middle, foot + 15, bar.name, anchor="middle", fill="#8a9099" if bar.faint else INK))
    parts.append(f'<line x1="{left:g}" x2="{width - right:g}" y1="{foot:g}" y2="{foot:g}" stroke="{INK}"/>')
    return _svg(parts, font, width, height, report, language)


def _lying(  # noqa: PLR0913, RUF100  # measures of one picture
    report: Report, bars: Sequence[_Bar], series: Sequence[str], language: Language, font: str, width: int
) -> str:
    names = [bar.name if len(bar.name) <= 34 else bar.name[:33] + "…" for bar in bars]
    left = min(max([len(name) for name in names], default=0) * 6.4 + 14, width * 0.4)
    right, top, step = 52.0, 34.0, 20.0
    height = int(top + step * len(bars) + 8)
    # Each bar has its number at its end: there is nothing to read off a grid.
    scale = (width - left - right) / (max([max(bar.length, bar.before or 0) for bar in bars], default=0) or 1)
    parts = _legend(report, series, language, left, width)
    for number, (bar, name) in enumerate(zip(bars, names, strict=True)):
        middle = top + step * (number + 0.5)
        at = left
        for piece, length in bar.pieces:
            parts.append(_rect(at, middle - 7, length * scale, 14, COLOURS[piece]))
            at += length * scale
        if bar.before is not None:
            was = left + bar.before * scale
            ends = f'y1="{middle - 9:.1f}" y2="{middle + 9:.1f}"'
            parts.append(f'<line x1="{was:.1f}" x2="{was:.1f}" {ends} stroke="{INK}" stroke-width="1.6"/>')
        parts.append(_text(left - 8, middle + 3.5, name, anchor="end"))
        parts.append(_text(max(at, left) + 5, middle + 3.5, value(bar.length, report.columns[0].unit, language)))
    return _svg(parts, font, width, height, report, language)


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to no less than the longest bar: five or so, whole ones."""
    if most <= 0:
        return [0, 1]
    rough = max(most / 5, 1)
    power = 10 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough and power * factor % 1 == 0)
    return [step * number for number in range(ceil(most / step) + 1)]


def _legend(report: Report, series: Sequence[str], language: Language, left: float, width: int) -> list[str]:
    parts, at = [], left
    for name in series:
        words = term(name, language)
        shown = words.name if width > NARROW else words.short
        parts += [_rect(at, 7, 10, 10, COLOURS[name]), _text(at + 15, 16, shown)]
        at += len(shown) * 6.2 + 38
    if report.comparison is not None:
        shown = said("before", language)
        parts.append(f'<line x1="{at:.1f}" x2="{at + 12:.1f}" y1="12" y2="12" stroke="{INK}" stroke-width="1.6"/>')
        parts.append(_text(at + 17, 16, shown))
    return parts


def _rect(left: float, top: float, broad: float, tall: float, fill: str) -> str:
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{broad:.1f}" height="{tall:.1f}" fill="{fill}"/>'


def _text(left: float, foot: float, text: str, *, anchor: str = "start", fill: str = INK) -> str:
    return f'<text x="{left:.1f}" y="{foot:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _svg(parts: Sequence[str], font: str, width: int, height: int, report: Report, language: Language) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{escape(font)}" font-size="11" role="img"><title>{escape(title(report, language))}</title>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )
