"""A run of real calls: every law of the record holds, judged by the telephones alone."""

from __future__ import annotations

import os

import pytest

from tests.laws import laws
from tests.laws.callers import Run
from tests.laws.compared import compare
from tests.laws.day import live_through
from tests.laws.of_journeys import DISPOSITIONS

CALLS = int(os.environ.get("LAWS_CALLS", "60"))
"""`make laws` places a thousand."""
SHORT = 100
"""Below so many calls nobody stays so long that Asterisk has to find out that a telephone is without power."""
RATE, SHORT_RATE = 2.5, 5.0
"""Calls a second: what two cores bear beside all else, and for a minute."""


@pytest.mark.xdist_group("laws")
async def test_the_laws_hold() -> None:
    """Answered, given up at any instant, refused, let ring, overflowed, called back, dialled, without power."""
    short = CALLS < SHORT
    run = Run(
        seed=int(os.environ.get("LAWS_SEED", "14")),
        calls=CALLS,
        rate=SHORT_RATE if short else RATE,
        longest_seconds=12.0 if short else 70.0,
        powerless=not short,
    )
    notes, ours = await live_through(run)

    broken = laws.broken(compare(notes, ours))
    assert not broken, "\n".join(f"{law}: {one}" for law, wrong in broken.items() for one in wrong)
    assert len(ours.journeys) == CALLS
    # A run that does not show something proves nothing of it.
    assert {row["disposition"] for row in ours.journeys} == DISPOSITIONS - {"failed"}
