"""What an agent's telephone shows of a call: one value that fits into what carries it."""

from __future__ import annotations

import pytest

from callrouter.asterisk.briefing import offer
from callrouter.asterisk.commands import quote
from callrouter.core.agents.standing import WrapUp
from callrouter.core.effects import Briefing, Sound

MOST_BYTES = 700


@pytest.mark.parametrize("letter", ["x", '"', "\\", "é", "漢", "😀"])
def test_it_fits_whatever_the_script(letter: str) -> None:
    """Counted in bytes, with what the encoder adds."""
    briefing = Briefing(
        client="c" * 64,
        name=letter * 200,
        phrase=letter * 500,
        wrap_up=WrapUp(answered_seconds=3600, transferred_seconds=3600),
    )

    value = offer(briefing, [Sound(file="x", seconds=1.0, text=letter * 500)])

    assert len(quote(value).encode()) <= MOST_BYTES
    assert [letter in part for part in value.split("|")] == [False, False, False, True, True, True]


def test_what_is_short_is_whole() -> None:
    """On one line, and without the separator."""
    briefing = Briefing(client="moreau", name="Cabinet | Moreau", phrase="Cabinet Moreau,\nbonjour", wrap_up=WrapUp())

    assert offer(briefing) == "moreau|0|0|Cabinet Moreau|Cabinet Moreau, bonjour|"
