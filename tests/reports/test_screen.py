"""A report on a terminal."""

from __future__ import annotations

from rich.console import Console

from callrouter.reports.making import Subject
from callrouter.reports.model import By, Report
from callrouter.reports.screen import shown
from callrouter.reports.words import Language

from .made import by_day, line, of_everybody, report


def printed(found: Report, language: Language = Language.ENGLISH) -> list[str]:
    console = Console(width=240, highlight=False, force_terminal=False)
    with console.capture() as captured:
        for part in shown(found, language):
            console.print(part)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_eight_hundred_clients_are_a_page() -> None:
    lines = printed(of_everybody())

    assert len(lines) == 1 + 1 + 20 + 2 + 2
    assert lines[2].split()[:3] == ["client-799", "800", "800"]
    assert lines[22].split()[:3] == ["and", "780", "others"]
    assert lines[23].startswith("Total")


def test_targets_and_changes_stand_beside_the_figures() -> None:
    head, row = printed(by_day(), Language.FRENCH)[1:3]

    assert head.endswith("Δ Reçus  Δ Présentés  Δ Décroché      Δ QS")
    assert "96,8 % ✓" in row
    assert "+21 %" in row


def test_names_from_files_are_shown_as_text() -> None:
    """Neither markup of the terminal's nor control characters."""
    lines = printed(report(By.QUEUE, {Subject("[red]x[/red]\x1b[2J"): line(1)}))

    assert lines[2].startswith("[red]x[/red]\\x1b[2J")
