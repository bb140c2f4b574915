"""How queues, agents and telephones can be called at the PBX."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callrouter.pbx_names import trunk_of, wrong_name

ETC = Path(__file__).resolve().parents[1] / "deploy" / "asterisk" / "etc"


@pytest.mark.parametrize("name", ["ab", "desk-12", "Zoe.Blanc", "0-9_a"])
def test_names_that_stand_as_they_are(name: str) -> None:
    assert wrong_name(name) == ""


@pytest.mark.parametrize(
    "name", ["", "a", "T", "-ab", "a b", "é-1", "a;b", "a]b", "a\nb", "x" * 80, "general", "ami", "trunk-acme-out"]
)
def test_names_that_could_mean_something_else(name: str) -> None:
    assert wrong_name(name)


def test_every_section_of_asterisks_files_is_taken() -> None:
    """Of the two that queues and telephones stand in."""
    files = [(ETC / name).read_text() for name in ("queues.conf", "pjsip.conf")]
    sections = {name for text in files for name in re.findall(r"(?m)^\[([^\]]+)\]", text)}

    assert {name for name in sections if not wrong_name(name)} == set()


@pytest.mark.parametrize(
    ("channel", "trunk"),
    [
        ("PJSIP/trunk-acme-0000001f", "trunk-acme"),
        ("PJSIP/trunk-acme-out-2-0000001f", "trunk-acme-out-2"),
        ("PJSIP/trunk-0000001f", "trunk"),
        ("PJSIP/agent-1-0000001f", ""),
        ("PJSIP/trunks-0000001f", ""),
        ("Local/0@callrouter-leg-0000001f;2", ""),
        ("", ""),
    ],
)
def test_a_channel_is_a_carriers_or_not(channel: str, trunk: str) -> None:
    assert trunk_of(channel) == trunk
