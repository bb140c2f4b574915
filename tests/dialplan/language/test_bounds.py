"""Warnings that a file accepts by name."""

from __future__ import annotations

from pathlib import Path

from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.language.bounds import ACCEPTABLE
from callrouter.testing import TUESDAY_10

FOLDERS = Path(__file__).parents[1] / "broken"

FILE = """\
client: farm
numbers: ["01 99 00 00 91"]
timezone: Europe/Paris
language: fr
fallback: {{ queue: sales }}
{accepted}
start: vet
nodes:
  vet: {{ dial: {{ contacts: [doctor], ring: 3m, screen: true, no_answer: sales }} }}
  sales: {{ queue: {{ name: sales, max_wait: 2h, overflow: bye }} }}
  bye: {{ hangup: {{}} }}
"""


def warned(folder: Path, accepted: str) -> list[str]:
    """The names of the warnings that are left."""
    (folder / "farm.yaml").write_text(FILE.format(accepted=accepted))
    shared = folder / "shared"
    if not shared.exists():
        shared.symlink_to(FOLDERS / "shared")
    return [issue.name for issue in load_directory(folder, PaperSpeech(), now=TUESDAY_10).issues]


def test_a_file_accepts_a_warning_and_no_other(tmp_path: Path) -> None:
    """Each is accepted by its own name."""
    assert warned(tmp_path, "") == ["long-ring", "long-wait"]
    assert warned(tmp_path, 'accepted: { long-ring: "Le téléphone est dans l\'étable." }') == ["long-wait"]
    both = 'accepted: { long-ring: "Le téléphone est à l\'étable.", long-wait: "Ils attendent le vêlage." }'
    assert warned(tmp_path, both) == []


def test_every_name_is_said_by_something() -> None:
    """No name stands in the reference that no warning has."""
    said = {file.read_text().rpartition("[")[2].rstrip("]\n") for file in FOLDERS.glob("**/*.txt")}

    assert set(ACCEPTABLE) <= said
