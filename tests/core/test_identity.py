"""Whose number is shown when somebody outside is rung."""

from __future__ import annotations

import pytest

from callrouter.core.call import CallerId, Presentation
from callrouter.core.identity import Forwarding, Identity, Presented, Shows

OPERATOR, DID, CALLER = "+33199000000", "+33199000010", "+33612340001"


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        (CallerId(number=CALLER), CALLER),
        (CallerId(number=CALLER, presentation=Presentation.WITHHELD), OPERATOR),
        (CallerId(presentation=Presentation.UNAUTHENTICATED), OPERATOR),
        (CallerId(), OPERATOR),
        (CallerId(number="3949"), OPERATOR),
        (CallerId(number="+12ab"), OPERATOR),
        (CallerId(number="+"), OPERATOR),
    ],
)
def test_the_callers_number_where_it_is_one(caller: CallerId, shown: str) -> None:
    """The operator's in its place, for callers who show none and for what is nobody's identity."""
    callers = Identity(shows=Shows.CALLER, number=OPERATOR)

    assert callers.presented(caller, DID) == Presented(number=shown)


def test_ours_is_shown_whoever_calls() -> None:
    """And the number that was dialled, in the carrier's header; nothing that is no number."""
    ours = Identity(shows=Shows.OPERATOR, number=OPERATOR, forwarding=Forwarding.DIVERSION)

    expected = Presented(number=OPERATOR, forwarded_by=DID, forwarding=Forwarding.DIVERSION)
    assert ours.presented(CallerId(number=CALLER), DID) == expected
    assert ours.presented(CallerId(), "12").forwarded_by == ""
