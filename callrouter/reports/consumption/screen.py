"""A statement on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.table import Table

from callrouter.consumption.statement import Statement
from callrouter.reports.consumption.table import heads, not_billed, row
from callrouter.reports.consumption.words import money, percent, said
from callrouter.reports.words import Language, instant, month


def shown(statement: Statement, language: Language, made_at: datetime) -> Iterator[str | Table]:
    """What is printed, part by part."""
    at = (statement.issued_at or made_at).astimezone(ZoneInfo(statement.zone))
    made = (
        said("number", language, number=statement.number, at=instant(at, language))
        if statement.number
        else said("draft", language, at=instant(at, language))
    )
    title = said("title", language)
    yield f"{title} · {statement.name} · {month(statement.month, language)} ({statement.zone}) · {made}"
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for place, head in enumerate(heads(language)):
        table.add_column(head, justify="right" if place else "left")
    for place, line in enumerate(statement.lines, start=1):
        table.add_row(str(place), *row(statement, line, language))
    yield table if statement.lines else said("nothing", language)
    currency = statement.currency
    sums = [f"{said('net', language)} {money(statement.net, currency, language)}"]
    for one in statement.vat:
        rate, net = percent(one.rate, language), money(one.net, currency, language)
        sums.append(f"{said('vat_of', language, rate=rate, net=net)} {money(one.vat, currency, language)}")
    yield " · ".join([*sums, f"{said('gross', language)} {money(statement.gross, currency, language)}"])
    if free := not_billed(statement, language):
        yield said("none", language, all=free)
