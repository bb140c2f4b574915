"""Every folder in `broken/folders/` changes a good one by one mistake, and holds the exact sentences that name it.

A case is what differs from `broken/folders/acme.yaml` and `broken/shared`: clients' files, shared ones, or both.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.testing import TUESDAY_10

FOLDERS = Path(__file__).parent / "broken" / "folders"
CASES = sorted(path.parent for path in FOLDERS.glob("*/expected.txt"))


def folder_of(case: Path, place: Path) -> Path:
    """The good folder with what the case changes."""
    shutil.copytree(FOLDERS.parent / "shared", place / "shared")
    shutil.copy(FOLDERS / "acme.yaml", place)
    shutil.copytree(case, place, dirs_exist_ok=True)
    return place


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mistake_is_named(case: Path, tmp_path: Path) -> None:
    """The whole list of issues is what is expected."""
    catalogue = load_directory(folder_of(case, tmp_path), PaperSpeech(), now=TUESDAY_10)

    assert (case / "expected.txt").read_text().splitlines() == [str(issue) for issue in catalogue.issues]


def test_without_a_mistake_nothing_is_said(tmp_path: Path) -> None:
    """So that each case is about what it changes."""
    shutil.copytree(FOLDERS.parent / "shared", tmp_path / "shared")
    shutil.copy(FOLDERS / "acme.yaml", tmp_path)
    catalogue = load_directory(tmp_path, PaperSpeech(), now=TUESDAY_10)

    assert catalogue.issues == ()
    assert list(catalogue.plans) == ["acme"]


def test_each_folder_shows_a_mistake_of_its_own() -> None:
    """No two say the same."""
    first = [(case / "expected.txt").read_text().splitlines()[0].partition(": ")[2] for case in CASES]

    assert len(CASES) == len(set(first)) == len([one for one in FOLDERS.iterdir() if one.is_dir()])
