"""An emergency that is offered at some hours only is compared with what else is open then."""

from __future__ import annotations

import re
from pathlib import Path

from callrouter.dialplan import PaperSpeech, load_directory
from tests.dialplan.conftest import NOW

FILE = """\
client: surgery
numbers: ["01 99 00 00 93"]
timezone: Europe/Paris
language: fr
hours: { open: { mon-fri: "08:00-18:00" } }
contacts: { doctor: { number: "06 12 34 56 78" }, nurse: { number: "06 12 34 56 79" } }
fallback: { node: bye }
emergency: [doctor]
start: hours
nodes:
  hours: { opening_hours: { open: secretary, closed: night } }
  secretary: { dial: { contacts: [nurse], screen: true, no_answer: bye } }
  night:
    menu:
      prompt: "Le cabinet est fermé. Pour une urgence, tapez 1. NIGHT"
      keys: { "1": KEYS }
      no_input: bye
      no_match: bye
  doctor: { dial: { contacts: [doctor], screen: true, no_answer: bye } }
  bye: { hangup: {} }
"""


def said(folder: Path, text: str) -> list[str]:
    """What is found."""
    (folder / "surgery.yaml").write_text(text)
    return [issue.message for issue in load_directory(folder, PaperSpeech(), now=NOW).issues]


def test_the_day_does_not_count(tmp_path: Path) -> None:
    """By day nobody is asked for a key; at night the doctor is the nearest."""
    assert said(tmp_path, FILE.replace("NIGHT", "").replace("KEYS", "doctor")) == []


def test_the_night_does(tmp_path: Path) -> None:
    """Where somebody else is nearer at night, too."""
    wrong = FILE.replace("NIGHT", "Pour une infirmière, tapez 2.").replace("KEYS }", 'again, "2": nurse }')
    wrong += """\
  nurse: { dial: { contacts: [nurse], screen: true, no_answer: bye } }
  again: { menu: { prompt: "Vraiment ? Tapez 1.", keys: { "1": doctor }, no_input: bye, no_match: bye } }
"""
    assert [text.partition(", but")[0].partition("takes")[0] for text in said(tmp_path, wrong)] == [
        'emergency: "doctor" '
    ]


def test_a_line_of_its_own_does_not_count(tmp_path: Path) -> None:
    """Who dials another of the client's numbers is nobody in an emergency."""
    lines = FILE.replace("NIGHT", "").replace("KEYS", "doctor").replace("start: hours", "start: line")
    assert lines.count("start: line") == 1
    lines = re.sub(r'numbers: \["([^"]+)"\]', r'numbers: ["\1", "01 99 00 00 77"]', lines)
    lines += """\
  line: { branch: { when: [{ did: "01 99 00 00 77", then: direct }], otherwise: hours } }
  direct: { dial: { contacts: [nurse], screen: true, no_answer: bye } }
"""
    assert said(tmp_path, lines) == []
