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
        "+33805123456",
        "+33806123456",  # the price of a normal call (phonenumbers: universal access)
        "+33809123456",
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
        ("+33810123456", "it is neither a fixed line nor a mobile"),
        ("+33820123456", "it is neither a fixed line nor a mobile"),  # shared cost is not free
        ("+33825123456", "it is neither a fixed line nor a mobile"),
        ("+33884123456", "it is neither a fixed line nor a mobile"),
        ("+33890123456", "it is neither a fixed line nor a mobile"),
        ("+33892123456", "it is neither a fixed line nor a mobile"),
        ("+262892123456", "it is neither a fixed line nor a mobile"),
        ("+33118712", "it is a short number"),
        ("+333949", "it is a short number"),
        ("+33112", "it is a short number"),
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


SPECIAL = ("+33810123456", "+33825123456", "+33892123456", "+33899123456", "+33118712", "+333639", "+33700123456")


@pytest.mark.parametrize("prefix", ["+33", "+3", "+338", "+3389", "+331", "+3336"])
@pytest.mark.parametrize("number", SPECIAL)
def test_a_short_prefix_opens_nothing_that_costs_more(prefix: str, number: str) -> None:
    """Country codes, and beginnings that hold ranges of several prices: no premium number is opened without a word."""
    assert Dialling(prefixes=(prefix,)).refusal(number) != ""
    assert FRANCE.plus(prefixes=(prefix,)).refusal(number) != ""


@pytest.mark.parametrize(
    ("prefix", "number"),
    [
        ("+33", "+33140000099"),
        ("+33", "+33806123456"),
        ("+377", "+37799123456"),
        ("+44", "+442079460041"),
        ("+33892", "+33892701234"),
        ("+33820", "+33820123456"),
        ("+333639", "+333639"),
        ("+33118", "+33118712"),
        ("+3363998", "+33639980001"),
        ("+44871", "+448711234567"),
    ],
)
def test_what_a_prefix_opens(prefix: str, number: str) -> None:
    """Ordinary numbers however short it is; with three digits after the country's code, all that begin so."""
    assert Dialling(prefixes=(prefix,)).refusal(number) == ""


@pytest.mark.parametrize(
    ("prefix", "number"),
    [("+44", "+449011234567"), ("+32", "+3290012345"), ("+882", "+88213123456"), ("+979", "+979123456789")],
)
def test_the_same_of_other_countries(prefix: str, number: str) -> None:
    """A country code opens neither its premium numbers nor satellites, and says what it opens."""
    assert Dialling(prefixes=(prefix,)).refusal(number).endswith(f"({prefix} opens ordinary numbers only)")


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("3639", "it is a short number, and may cost more than a call"),
        ("118712", "it is a short number, and may cost more than a call"),
        ("15", "it is an emergency number, which would take our line's place for the caller's"),
        ("112", "it is an emergency number, which would take our line's place for the caller's"),
        ("3114", ""),
        ("116117", ""),
    ],
)
def test_short_numbers(number: str, why: str) -> None:
    """Those that cost nothing may be rung; who answers an emergency looks for our line's place."""
    assert FRANCE.refusal(number) == why
    assert FRANCE.plus(prefixes=("+33", "36", "11", "1")).refusal(number) == why


@pytest.mark.parametrize(("prefix", "number"), [("3639", "3639"), ("118", "118712"), ("15", "15"), ("363", "3639")])
def test_what_opens_a_short_number(prefix: str, number: str) -> None:
    """It as a whole, or three of its digits."""
    assert FRANCE.plus(prefixes=(prefix,)).refusal(number) == ""


def test_for_a_person() -> None:
    """As `diff` says it."""
    allowed = Dialling(countries=frozenset({"FR", "BE"}), prefixes=("+33892",), refused=("+882",))
    assert str(allowed) == "BE, FR, +33892…, without +882…"
    assert str(Dialling()) == "none"
