"""The cells of a statement, as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from callrouter.consumption.rating import Charge, Line
from callrouter.consumption.statement import Statement
from callrouter.reports.consumption.words import WHY, charge, money, number, quantity, said, what
from callrouter.reports.words import Language, month


def heads(language: Language) -> list[str]:
    """Of the columns."""
    return [said(name, language) for name in ("line", "quantity", "unit", "amount")]


def row(statement: Statement, line: Line, language: Language, *, with_month: bool = True) -> list[str]:
    """A line; `with_month`: the month of a correction stands in words in it."""
    named = what(line, language) if with_month else f"{month(line.month, language)} · {charge(line, language)}"
    if line.charge is Charge.MINIMUM:  # it is an amount, and no number of anything
        return [named, "", "", money(line.amount, statement.currency, language)]
    return [
        named,
        number(quantity(line), language),
        money(line.price, statement.currency, language) if line.price else "",
        money(line.amount, statement.currency, language),
    ]


def not_billed(statement: Statement, language: Language) -> str:
    """Which calls of the month cost nothing, and how many of each; empty: none."""
    words = WHY[language]
    parts = [
        f"{number(count, language)} {words.get(why, why)}"
        for why, count in sorted(statement.not_billed.items(), key=lambda one: -one[1])
    ]
    return ", ".join(parts)


def ours(statement: Statement) -> tuple[Sequence[Line], Sequence[Line]]:
    """The lines of the month, and those that correct others."""
    lines = statement.lines
    return [one for one in lines if not one.correction], [one for one in lines if one.correction]
