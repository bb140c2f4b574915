"""The PDF: pages of A4 that say what the report says, in both languages, and nothing that was meant as data."""

from __future__ import annotations

import re
import zlib

import pytest

from callrouter.reports.document import of_client, of_report
from callrouter.reports.making import Subject
from callrouter.reports.model import By
from callrouter.reports.printed import written
from callrouter.reports.words import Language

from .made import MADE_AT, by_day, by_hour, by_weekday, line, of_everybody, report
from .made import of_client as client_report


def pages(pdf: bytes) -> int:
    """Also of those in compressed streams."""
    streams = [pdf]
    for found in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            streams.append(zlib.decompress(found[1]))
        except zlib.error:
            continue
    return max(len(re.findall(rb"/Type\s*/Page\b(?!s)", one)) for one in streams)


@pytest.mark.parametrize("language", list(Language))
def test_a_clients_month_is_two_pages(language: Language) -> None:
    made = of_client([client_report(), by_day(), by_hour(), by_weekday()], language)
    pdf = written(made, MADE_AT)

    assert pdf.startswith(b"%PDF-")
    assert pages(pdf) == 2
    assert pdf == written(made, MADE_AT)


def test_what_stands_in_it() -> None:
    made = of_client([client_report(), by_day(), by_hour(), by_weekday()], Language.FRENCH)

    assert (made.kind, made.title, made.period) == (
        "Bilan de l'accueil téléphonique",
        "Cabinet du Dr Moreau",
        "Octobre 2026 (Europe/Paris)",
    )
    assert [(card.name, card.value, card.note, card.good) for card in made.cards][2] == (
        "Qualité de service (QS)",
        "93,5 %",
        "objectif 80,0 % : atteint",
        True,
    )
    assert made.notes[0].startswith("QS = décrochés dans le délai ÷ (présentés − abandons courts)")
    assert made.notes[-1] == "Des appels peuvent manquer : du 14/10/2026 14:03 CEST au 14/10/2026 14:09 CEST."
    assert [len(table.rows) for table in made.tables] == [31]


def test_what_is_data_is_never_markup() -> None:
    """Names may hold whatever typst would act on."""
    hostile = ['#panic("x")', "*a* $b$ @c <d> // e", '#import "/etc/passwd"', "\\u{0}", "‮abc"]
    pdf = written(of_report(report(By.QUEUE, {Subject(name): line(1) for name in hostile}), Language.ENGLISH), MADE_AT)

    assert pages(pdf) == 1


def test_eight_hundred_rows_are_pages_with_their_head() -> None:
    pdf = written(of_report(of_everybody(), Language.ENGLISH), MADE_AT)

    assert pages(pdf) == 1
    assert pages(written(of_report(report(By.CLIENT, {}), Language.ENGLISH), MADE_AT)) == 1
