"""Whom a client's callers may be given to, as its file and the shared ones say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from callrouter.dialplan import Catalogue

CLIENT = """\
client: a
numbers: ["01 99 00 00 10"]
timezone: Europe/Paris
language: fr
contacts:
  crm: { url: "https://crm.example/hook" }
  doctor: { number: "06 12 34 56 78" }
dialling: { prefixes: ["0892"] }
start: bye
nodes:
  bye: { hangup: }
"""
SHARED = 'contacts: { doctor: { number: "06 12 34 56 79" }, nurse: { number: "06 12 34 56 80" } }\n'


def test_contacts_numbers_and_what_may_be_dialled(tmp_path: Path, load: Callable[[], Catalogue]) -> None:
    """Of contacts, those with a number, the client's own before the shared; its prefixes, and none of its numbers."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "contacts.yaml").write_text(SHARED)
    (tmp_path / "a.yaml").write_text(CLIENT)

    rules = load().plans["a"].transfers

    assert rules.contacts == {"doctor": "+33612345678", "nurse": "+33612345680"}
    assert rules.own == ("+33199000010",)
    assert rules.region == "FR"
    assert not rules.dialling.refusal("+33892123456")
    assert rules.dialling.refusal("+4930123456")
