"""What Asterisk alone does is what `route` says of the tree: at any instant of two weeks, of any caller and tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

import pytest

from callrouter.asterisk.alone.ready_made import MOST_BYTES
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.provision import Fallbacks
from callrouter.core.call import CallerId, Presentation
from callrouter.core.numbers import spellings
from callrouter.core.plan import Plan
from callrouter.questions.occasions import calendar
from tests.asterisk.alone.as_asterisk import followed, said_by_route
from tests.dialplan.random_trees import CALLERS, compiled, document

TREES: Final = 60
INSTANTS: Final = 60
WITHOUT: Final = (Presentation.WITHHELD, Presentation.UNAUTHENTICATED, Presentation.UNAVAILABLE)


class NoLink(AmiLink):
    """Nothing is sent."""

    def __init__(self) -> None: ...


def at_midnight(day: str) -> datetime:
    """Of UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def tree(random: Random) -> Plan:
    """One that passes."""
    while (plan := compiled(document(random, often=("opening_hours", "caller", "branch"))).plan) is None:
        pass
    return plan


@pytest.mark.parametrize("seed", range(TREES))
def test_at_any_instant_asterisk_alone_does_what_route_says(seed: int) -> None:
    """Random trees with hours, holidays, dates and lists; the clocks change in one of three weeks."""
    random = Random(f"alone {seed}")
    plan = tree(random)
    since = at_midnight(random.choice(("2026-03-23", "2026-10-19", "2026-01-01"))) + timedelta(
        days=random.randrange(14)
    )
    published = Fallbacks(NoLink(), "FR").entries_of(plan, since)
    edges = calendar(plan).changes(since, since + timedelta(days=14))
    compared = 0
    for place in range(INSTANTS):
        at = since + timedelta(seconds=random.randrange(14 * 24 * 3600))
        if place % 2:
            at = random.choice(edges) + timedelta(seconds=random.choice((-61, -1, 0, 1, 59, 60)))
        did, number = random.choice(plan.numbers), random.choice(CALLERS)
        why = Presentation.ALLOWED if number else random.choice(WITHOUT)
        said = said_by_route(plan, did, CallerId(number=number, presentation=why), at)
        if said is None:
            continue
        dialled = random.choice(list(spellings(did, "FR")))
        digits = random.choice(list(spellings(number, "FR"))).lstrip("+") if number else ""
        assert followed(published, dialled, digits, why.value, at) == said, (at, did, number, why)
        compared += 1

    assert compared > INSTANTS / 3
    assert max(len(value) for value in published.values()) <= MOST_BYTES
