"""Every file in `broken/` holds one mistake, and stands beside the exact sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.dialplan import PaperSpeech, load_directory
from tests.dialplan.conftest import NOW

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_mistake_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole list of issues is the one sentence expected, and only warnings leave the file in service."""
    monkeypatch.chdir(BROKEN)
    catalogue = load_directory(Path(file.name), PaperSpeech([Path("sounds")]), now=NOW)

    assert file.with_suffix(".txt").read_text().splitlines() == [str(issue) for issue in catalogue.issues]
    assert catalogue.ok == (len(catalogue.plans) == 1)


def test_each_sentence_is_of_one_mistake() -> None:
    """No two files show the same mistake."""
    sentences = [file.read_text().partition(": ")[2] for file in BROKEN.glob("*.txt")]

    assert len(sentences) == len(FILES) == len(set(sentences))


def test_a_folder_of_broken_files_serves_none_and_names_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded together, each file is still blamed for its own mistake, and for nothing of its neighbours'."""
    monkeypatch.chdir(BROKEN)
    catalogue = load_directory(Path(), PaperSpeech([Path("sounds")]), now=NOW)
    said = {str(issue) for issue in catalogue.issues}

    assert {file.read_text().strip() for file in BROKEN.glob("*.txt")} == said
    warned = {
        file.stem
        for file in BROKEN.glob("*.txt")
        if any(kind in file.read_text() for kind in (": warning: ", ": note: "))
    }
    assert {Path(plan.source).stem for plan in catalogue.plans.values()} == warned
