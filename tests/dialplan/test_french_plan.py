"""National numbers of clients overseas, and short numbers: in lists, and as what may be dialled."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.core.call import CallerId
from callrouter.core.nodes import CallerNode
from callrouter.core.numbers import normalise
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from tests.dialplan.conftest import NOW

FILE = """\
client: island
numbers: ["{number}"]
timezone: {zone}
language: fr
fallback: {{ node: bye }}
lists: {{ vip: ["06 12 34 56 78", "0692 00 12 34"], unwanted: ["0162*", "0899*", "3*", "118*", "15"] }}
dialling: {{ prefixes: ["3639"] }}
start: filter
nodes:
  filter: {{ caller: {{ vip: away, unwanted: free, otherwise: bye }} }}
  away: {{ redirect: {{ number: "3639", failed: free }} }}
  free: {{ redirect: {{ number: "116 117", failed: bye }} }}
  bye: {{ hangup: {{}} }}
"""


def loaded(folder: Path, number: str, zone: str) -> Catalogue:
    """One client of a territory."""
    (folder / "island.yaml").write_text(FILE.format(number=number, zone=zone))
    return load_directory(folder, PaperSpeech(), now=NOW)


@pytest.mark.parametrize(
    ("number", "zone", "region"),
    [
        ("01 99 00 40 00", "Europe/Paris", "FR"),
        ("0262 20 12 34", "Indian/Reunion", "RE"),
        ("0269 60 12 34", "Indian/Mayotte", "YT"),
        ("0590 90 12 34", "America/Guadeloupe", "GP"),
        ("0596 30 12 34", "America/Martinique", "MQ"),
        ("0594 30 12 34", "America/Cayenne", "GF"),
    ],
)
@pytest.mark.parametrize(
    ("caller", "entry"),
    [
        ("0612345678", "+33612345678"),
        ("+33612345678", "+33612345678"),
        ("0692001234", "+262692001234"),
        ("0162010203", "+33162*"),
        ("0899010203", "+33899*"),
        ("3639", "3*"),
        ("118712", "118*"),
        ("15", "15"),
        ("0312345678", ""),
    ],
)
def test_callers_of_lists(tmp_path: Path, number: str, zone: str, region: str, caller: str, entry: str) -> None:
    """A telephone number is the same one wherever in France it is written."""
    catalogue = loaded(tmp_path, number, zone)
    assert [str(issue) for issue in catalogue.issues] == []
    node = catalogue.plans["island"].nodes["filter"]
    assert isinstance(node, CallerNode)
    who = CallerId(number=normalise(caller, region))
    found = [one.match(who) for one in node.about().reads.lists]

    assert "".join(found) == entry
