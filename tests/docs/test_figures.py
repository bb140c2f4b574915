"""The pages that a client is sent: their numbers are those that the code computes, and they name every figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from callrouter.core.service_level import Formula, ServiceCounts, ServiceLevelTarget, pickup_rate, service_level
from callrouter.reports.document import EXPLAINED
from callrouter.reports.words import FORMULAS, Language, term

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {Language.ENGLISH: DOCS / "figures.md", Language.FRENCH: DOCS / "chiffres.md"}
EXAMPLES = {
    "A": ServiceCounts(answered=1000, abandoned=60, answered_within=860, abandoned_within=20, short_abandoned=10),
    "B": ServiceCounts(
        answered=1000, abandoned=60, answered_within=860, abandoned_within=20, short_abandoned=10, overflowed=40
    ),
    "C": ServiceCounts(answered=2, abandoned=0, answered_within=2, abandoned_within=0, short_abandoned=0, overflowed=1),
    "D": ServiceCounts(answered=0, abandoned=0, answered_within=0, abandoned_within=0, short_abandoned=0, overflowed=1),
}


def rows(language: Language) -> dict[str, list[str]]:
    """Of all tables of a page, by their first cell, without its marks."""
    found = {}
    for line in PAGES[language].read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            first, *rest = (cell.strip() for cell in line.strip("|").split("|"))
            found[first.split(" (")[0].strip("*`")] = rest
    return found


def written(share: float | None, language: Language) -> str:
    if share is None:
        return "–"
    return f"{share * 100:.2f} %".replace(".", "," if language is Language.FRENCH else ".")


@pytest.mark.parametrize("language", list(Language))
def test_the_examples_are_computed(language: Language) -> None:
    """Each formula over each example, and what they are made of."""
    table = rows(language)

    for formula in Formula:
        expected = [written(service_level(counts, formula), language) for counts in EXAMPLES.values()]
        assert table[formula.value][1:] == expected, formula
        as_reported = FORMULAS[language][formula].replace("answered in time", "in time")
        assert table[formula.value][0] == as_reported
    pickup = {Language.ENGLISH: "pickup rate", Language.FRENCH: "taux de décroché"}[language]
    assert table[pickup][1:] == [written(pickup_rate(counts), language) for counts in EXAMPLES.values()]
    for name, counts in EXAMPLES.items():
        assert [int(cell.replace(",", "").replace(" ", "")) for cell in table[name]] == _numbers(counts)


def _numbers(counts: ServiceCounts) -> list[int]:
    abandoned = (counts.abandoned, counts.abandoned_within, counts.short_abandoned)
    return [counts.offered, counts.answered, counts.answered_within, *abandoned, counts.overflowed]


@pytest.mark.parametrize("language", list(Language))
def test_what_holds_unless_it_is_agreed_otherwise(language: Language) -> None:
    usual, text = ServiceLevelTarget(), PAGES[language].read_text(encoding="utf-8")
    seconds: Mapping[Language, str] = {
        Language.ENGLISH: "seconds unless agreed",
        Language.FRENCH: "secondes, sauf accord",
    }

    flat = " ".join(text.split())
    assert f"({usual.within_seconds:g} {seconds[language]}" in flat
    assert f"({usual.short_abandon_seconds:g} {seconds[language]}" in flat
    usually = {Language.ENGLISH: "unless agreed otherwise", Language.FRENCH: "sauf accord différent"}[language]
    assert f"`{usual.formula}` ({usually})" in flat


@pytest.mark.parametrize("language", list(Language))
def test_every_figure_of_a_printed_report_is_explained(language: Language) -> None:
    """By the words that stand in it."""
    text = PAGES[language].read_text(encoding="utf-8").lower()

    for name in EXPLAINED:
        words = term(name, language).name.lower().replace("wait, ", "").replace("attente, ", "")
        assert words in text or words.split()[0].rstrip("s") in text, name
