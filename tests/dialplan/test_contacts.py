"""Whom a client's messages may be for."""

from __future__ import annotations

from pathlib import Path

from callrouter.dialplan import PaperSpeech, load_directory
from tests.small_client import small_client

OWN = """
contacts:
  doctor: { name: Dr Moreau, email: moreau@example.org }
  desk: { number: "01 99 00 00 20" }
"""


def test_a_plan_knows_its_contacts(tmp_path: Path) -> None:
    """The client's own and those all share, by what a person calls them; where both have one it is the client's."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "contacts.yaml").write_text(
        'contacts:\n  desk: { name: Everybody, number: "01 99 00 00 21" }\n  night: { number: "01 99 00 00 22" }\n'
    )
    (tmp_path / "a.yaml").write_text(small_client() + OWN)

    plan = load_directory(tmp_path, PaperSpeech()).plans["a"]

    assert plan.contacts == {"doctor": "Dr Moreau", "desk": "desk", "night": "night"}
