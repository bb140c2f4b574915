"""What may be dialled, and what a stranger would like us to dial."""

from __future__ import annotations

import pytest

from callrouter.core.dialling import Dialling, with_territories

FRANCE = Dialling(countries=with_territories(("FR",)))


@pytest.mark.parametrize(
    "number",
    [
        "+33140000099",  # fixed
        "+33612340007",  # mobile
        "+33912345678",  # VoIP
        "+33800123456",  # toll-free
        "+262692123456",  # Réunion: dialled and billed like the mainland
        "+590690123456",  # Guadeloupe
    ],
)
def test_ordinary_numbers_of_the_country(number: str) -> None:
    """Without a word in the documents."""
    assert FRANCE.refusal(number) == ""


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+33899123456", "it is neither a fixed line nor a mobile"),
        ("+33118712", "no operator could have given it out"),
        ("+33639980001", "no operator could have given it out"),
        ("+442079460041", "numbers of GB are not allowed"),
        ("+88213123456", "numbers of 001 are not allowed"),
        ("+37744123456", "numbers of "),
        ("+2", "it is no telephone number"),
        ("", "it is no telephone number"),
        ("sip:evil@example.net", "it is no telephone number"),
        ("+33", "it is no telephone number"),
        ("+９９９", "it is no telephone number"),
    ],
)
def test_what_is_refused(number: str, reason: str) -> None:
    """Premium numbers, other countries, satellites, and what is no number at all."""
    assert FRANCE.refusal(number).startswith(reason)


def test_more_by_hand() -> None:
    """Countries with their ordinary numbers only, prefixes whatever they cost; what is refused stays so."""
    list_ = FRANCE.plus(countries=("BE",), prefixes=("+33892",))

    assert list_.refusal("+3222345678") == ""
    assert list_.refusal("+33892701234") == ""
    assert list_.refusal("+32907012345") != ""
    assert Dialling(prefixes=("+44",), refused=("+44871",)).refusal("+448711234567") == (
        "numbers that begin with +44871 are refused"
    )
