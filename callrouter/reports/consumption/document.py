"""A statement of consumption as it is printed: in the look of the monthly report."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from callrouter.consumption.statement import Statement
from callrouter.reports.consumption.table import heads, not_billed, ours, row
from callrouter.reports.consumption.words import last_day, money, number, percent, said
from callrouter.reports.document import Card, Document, Table
from callrouter.reports.words import Language, day, instant, month


def of_statement(statement: Statement, language: Language, made_at: datetime) -> Document:
    """What a client is sent; `made_at` is the present instant, of one that is not issued."""
    whole, corrections = ours(statement)
    tables = [
        Table(
            name=said("lines", language),
            heads=heads(language),
            rows=[row(statement, one, language) for one in whole] or [[said("nothing", language), "", "", ""]],
        )
    ]
    if corrections:
        tables.append(
            Table(
                name=said("corrections", language),
                heads=heads(language),
                rows=[row(statement, one, language, with_month=False) for one in corrections],
            )
        )
    return Document(
        language=language,
        kind=said("title", language),
        title=statement.name,
        period=_capital(f"{month(statement.month, language)} ({statement.zone})"),
        made=_made(statement, language, made_at),
        cards=_cards(statement, language),
        tables=[*tables, _totals(statement, language)],
        notes=_notes(statement, language),
        words={name: said(name, language) for name in ("page", "of_pages", "made_with")} | {"key": ""},
    )


def _made(statement: Statement, language: Language, made_at: datetime) -> str:
    zone = ZoneInfo(statement.zone)
    if statement.number is None or statement.issued_at is None:
        return said("draft", language, at=instant(made_at.astimezone(zone), language))
    at = day(statement.issued_at.astimezone(zone).date(), language)
    return said("number", language, number=statement.number, at=at)


def _cards(statement: Statement, language: Language) -> list[Card]:
    vat = statement.gross - statement.net
    free = sum(statement.not_billed.values())
    found = [
        Card(said(name, language), money(amount, statement.currency, language), "", good=None)
        for name, amount in (("net", statement.net), ("vat", vat), ("gross", statement.gross))
    ]
    remark = said("not_billed", language, n=number(free, language)) if free else ""
    return [
        *found,
        Card(said("calls", language), number(statement.counted.get("call", 0), language), remark, good=None),
    ]


def _totals(statement: Statement, language: Language) -> Table:
    currency = statement.currency
    rows = [[said("net", language), money(statement.net, currency, language)]]
    for one in statement.vat:
        rate, net = percent(one.rate, language), money(one.net, currency, language)
        rows.append([said("vat_of", language, rate=rate, net=net), money(one.vat, currency, language)])
    return Table(
        name=said("totals", language),
        heads=["", said("amount", language).removesuffix(" HT")],
        rows=rows,
        total=[said("gross", language), money(statement.gross, currency, language)],
    )


def _notes(statement: Statement, language: Language) -> list[str]:
    found = [
        said(
            "terms",
            language,
            tariff=one.tariff,
            version=one.version,
            since=day(one.since, language),
            until=last_day(one.until, language),
        )
        for one in statement.terms
    ]
    found.append(said("how", language, zone=statement.zone))
    if free := not_billed(statement, language):
        found.append(said("none", language, all=free))
    return [*found, said("late", language), said("annex", language)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
