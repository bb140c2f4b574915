"""A statement says the same in every form, and nothing in it is read as a formula or as markup."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from callrouter.consumption.rating import Charge, lines_of, rate
from callrouter.consumption.statement import Statement, Terms, counts_of
from callrouter.reports.consumption.document import of_statement
from callrouter.reports.consumption.rendering import Format, file_name, written
from callrouter.reports.consumption.screen import shown
from callrouter.reports.consumption.words import CHARGES, PHRASES, WHY, money, percent, quantity
from callrouter.reports.words import Language
from tests.consumption.made import NOVEMBER, OCTOBER, PARIS, call, part, tariff

EN, FR = Language.ENGLISH, Language.FRENCH
AT = datetime(2026, 11, 2, 8, tzinfo=UTC)


def statement() -> Statement:
    """Of a client whose name is meant badly; with a correction of September."""
    by = part(tariff("monthly: { fee: 49, calls: 1 }\ncalls: { price: 0.905 }\nminimum: 60\n"))
    rated = rate([call(1), call(2), call(3, outcome="rejected")], [by], PARIS)
    lines = list(lines_of(rated, [by], OCTOBER).lines)
    september = date(2026, 9, 1)
    given_back = replace(
        lines[2], month=september, since=september, quantity=-2, amount=Decimal("-1.81"), correction=True
    )
    billed, not_billed = counts_of(rated)
    return Statement(
        client="acme",
        name='=cmd|"#strong[x]"',
        month=OCTOBER,
        zone="Europe/Paris",
        from_at=AT,
        to_at=AT,
        currency="EUR",
        terms=[Terms(since=OCTOBER, until=NOVEMBER, version="d1800a58a2ab", tariff="essai")],
        lines=[*lines, given_back],
        counted=billed,
        not_billed=not_billed,
        number="2026-00042",
        issued_at=AT,
    )


@pytest.mark.parametrize("language", Language)
def test_every_word_is_there(language: Language) -> None:
    assert set(CHARGES[language]) == set(Charge)
    assert PHRASES[language].keys() == PHRASES[EN].keys()
    assert WHY[language].keys() == WHY[EN].keys()


def test_in_print() -> None:
    """49.00 + 0.91 = 49.91, up to 60.00 are missing 10.09; 60.00 - 1.81 = 58.19; VAT 11.64."""
    found = of_statement(statement(), FR, AT)

    whole, corrections, totals = found.tables
    assert [row[-1].replace("\u00a0", " ") for row in whole.rows] == ["49,00 €", "0,00 €", "0,91 €", "10,09 €"]
    assert corrections.rows == [["septembre 2026 · Appels", "−2", "0,905\u00a0€", "−1,81\u00a0€"]]
    assert [row[-1].replace("\u00a0", " ") for row in [*totals.rows, totals.total]] == ["58,19 €", "11,64 €", "69,83 €"]
    assert "Tarif essai (version d1800a58a2ab), du 01/10/2026 au 31/10/2026." in found.notes
    assert "Non facturés : 1 refusés selon vos consignes." in found.notes
    assert found.made == "N° 2026-00042, émis le 02/11/2026"
    assert replace(statement(), number=None).number is None
    assert of_statement(replace(statement(), number=None), EN, AT).made.startswith("Not issued: as of 2026-11-02")


def test_the_same_statement_is_the_same_file() -> None:
    """Whenever it is printed: its date is that on which it was issued."""
    first, again = (written([statement()], Format.PDF, FR, at) for at in (AT, datetime(2027, 1, 1, tzinfo=UTC)))

    assert first[:5] == b"%PDF-"
    assert first == again
    assert file_name(statement(), Format.PDF) == "consumption-acme-2026-10.pdf"


def test_a_spreadsheet_computes_nothing_of_it() -> None:
    rows = list(csv.DictReader(io.StringIO(written([statement()], Format.CSV, EN, AT).decode())))

    assert rows[0]["name"] == "'" + '=cmd|"#strong[x]"'
    assert [row["amount"] for row in rows] == ["49.00", "0.00", "0.91", "10.09", "-1.81"]
    assert (rows[-1]["what"], rows[-1]["correction"], rows[-1]["of_month"]) == (
        "Calls, correction of September 2026",
        "yes",
        "2026-09-01",
    )


def test_on_a_screen() -> None:
    """Lines have the places by which their calls are asked for."""
    title, _, sums, free = shown(statement(), EN, AT)

    assert str(title).endswith("October 2026 (Europe/Paris) · No. 2026-00042, issued 2026-11-02 09:00 CET")
    assert sums == "Total without VAT €58.19 · VAT 20% of €58.19 €11.64 · Total with VAT €69.83"
    assert free == "Not billed: 1 refused by the client's rules."


def test_money_as_each_language_writes_it() -> None:
    assert money(Decimal("1234.50"), "EUR", FR) == "1\u202f234,50\u00a0€"
    assert money(Decimal("-1234.50"), "EUR", EN) == "−€1,234.50"
    assert money(Decimal(1234), "XPF", EN) == "1,234\u00a0XPF"
    assert (percent(Decimal("0.055"), FR), percent(Decimal("0.2"), EN)) == ("5,5\u00a0%", "20%")
    line = statement().lines[0]
    assert [quantity(replace(line, quantity=of, per=60)) for of in (90, 120)] == [Decimal("1.50"), 2]
