"""Lines of statements, and items of one, as CSV (RFC 4180): for accounts, and for whoever asks what was billed.

Amounts and prices have a point and all their digits; texts begin no formula (`reports.comma_separated`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from callrouter.consumption.statement import Statement
from callrouter.reports.comma_separated import harmless
from callrouter.reports.consumption.words import what
from callrouter.reports.words import Language
from callrouter.store.consumption.invoices import BilledItem

LINES: Final = (
    *("number", "client", "name", "month", "line", "of_month", "charge", "tier", "surcharge", "what"),
    *("quantity", "per", "price", "amount", "currency", "vat_rate", "correction"),
)
ITEMS: Final = (
    *("number", "month", "kind", "id", "at", "outcome", "why_not", "talk_seconds", "put_through_seconds"),
    *("hold_seconds", "wrap_up_seconds", "billed_seconds", "surcharge", "lines"),
)


def lines(statements: Iterable[Statement], language: Language) -> str:
    """A row for each line of each; the month is its first day."""
    return _written(
        LINES,
        (
            (
                *(one.number or "", one.client, one.name, one.month.isoformat(), str(place), line.month.isoformat()),
                *(line.charge.value, str(line.place or ""), line.name, what(line, language), str(line.quantity)),
                *(str(line.per), str(line.price), str(line.amount), one.currency, str(line.vat)),
                "yes" if line.correction else "no",
            )
            for one in statements
            for place, line in enumerate(one.lines, start=1)
        ),
    )


def items(found: Iterable[BilledItem]) -> str:
    """A row for each item; instants are UTC."""
    return _written(ITEMS, (_item(one) for one in found))


def _item(one: BilledItem) -> Sequence[str]:
    item = one.rated.item
    measured = (item.talk_seconds, item.put_through_seconds, item.hold_seconds, item.wrap_up_seconds)
    return (
        *(one.number, one.month.isoformat(), item.kind.value, item.item_id, item.at.isoformat(), item.outcome),
        one.rated.why,
        *("" if seconds is None else f"{seconds:.3f}" for seconds in measured),
        str(one.rated.seconds),
        one.rated.surcharge,
        " ".join(map(str, one.lines)),
    )


def _written(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()
