"""Telephone numbers: one form for all the ways to write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import numbers
from callrouter.core.call import CallerId, Presentation
from callrouter.core.numbers import CallerList, is_valid, normalise, prefixes, spellings


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        ("01 99 00 00 10", "FR", "+33199000010"),
        ("0199000010", "FR", "+33199000010"),
        ("01.99.00.00.10", "FR", "+33199000010"),
        ("01-99-00-00-10", "FR", "+33199000010"),
        ("01\u00a099\u202f00\t00/10", "FR", "+33199000010"),
        ("199000010", "FR", "+33199000010"),
        ("+33199000010", "FR", "+33199000010"),
        ("+33 (0)1 99 00 00 10", "FR", "+33199000010"),
        ("0033199000010", "FR", "+33199000010"),
        ("33199000010", "FR", "+33199000010"),
        ("33199000010", "GB", "+33199000010"),
        ("06 39 98 00 01", "FR", "+33639980001"),
        ("08 99 12 34 56", "FR", "+33899123456"),
        # Overseas: countries of their own, whatever they look like from the mainland.
        ("0590 12 34 56", "FR", "+590590123456"),
        ("+590 590 12 34 56", "FR", "+590590123456"),
        ("590590123456", "FR", "+590590123456"),
        ("0692 12 34 56", "FR", "+262692123456"),
        ("0696 12 34 56", "FR", "+596696123456"),
        ("0594 12 34 56", "FR", "+594594123456"),
        # United Kingdom and beyond.
        ("020 7946 0040", "GB", "+442079460040"),
        ("+44 20 7946 0040", "FR", "+442079460040"),
        ("442079460040", "FR", "+442079460040"),
        ("0044 20 7946 0040", "GB", "+442079460040"),
        ("07700 900001", "GB", "+447700900001"),
        ("+1 415 555 0100", "FR", "+14155550100"),
        # Short numbers, codes, and what is none at all.
        ("15", "FR", "15"),
        ("112", "FR", "112"),
        ("3949", "FR", "3949"),
        ("118218", "FR", "118218"),
        ("", "FR", None),
        ("+", "FR", None),
        ("++33199000010", "FR", None),
        ("anonymous", "FR", None),
        ("sip:+33199000010@example.org", "FR", None),
        ("0199000010;ext=5", "FR", None),
        ("0199000010\x00", "FR", None),
        ("0199 ABCDEF", "FR", None),
        ("٠١٩٩٠٠٠٠١٠", "FR", None),
        ("${SHELL(id)}", "FR", None),
        ("0" * 20, "FR", None),
        ("1" * 500, "FR", None),
    ],
)
def test_normalise(written: str, region: str, expected: str | None) -> None:
    """To E.164, or not at all."""
    assert normalise(written, region) == expected


@given(st.text(max_size=80), st.sampled_from(["FR", "GB", "US", "ZZ"]))
def test_normalise_takes_any_text(written: str, region: str) -> None:
    """What comes out is E.164 and stays itself, whatever goes in."""
    number = normalise(written, region)

    if number is not None:
        assert number.startswith("+")
        assert number[1:].isdecimal()
        assert normalise(number, region) == number


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        ("08", "FR", ("+338",)),
        ("0899", "FR", ("+33899",)),
        ("0899", "RE", ("+33899",)),
        ("0162", "MQ", ("+33162",)),
        ("+338", "FR", ("+338",)),
        ("0044", "FR", ("+44",)),
        ("09", "GB", ("+449",)),
        ("0590", "FR", ("+590590",)),
        ("0692 1", "RE", ("+2626921",)),
        ("06 39 98", "FR", ("+3363998",)),
        ("026", "FR", ("+3326", "+262262", "+262263", "+262269")),
        ("3", "FR", ("3",)),
        ("118", "GP", ("118",)),
        ("3639", "FR", ("3639",)),
        ("6", "FR", ()),
        ("", "FR", ()),
        ("+", "FR", ()),
        ("abc", "FR", ()),
        ("٠٨", "FR", ()),
        ("08", "ZZ", ()),
        ("0612345678", "FR", ("+33612345678",)),
        ("06123456781", "FR", ()),
        ("+336123456781", "FR", ()),
        ("0700 12 34 56 78 9", "FR", ("+33700123456789",)),
        ("+4477009000010000", "GB", ()),
    ],
)
def test_prefixes(written: str, region: str, expected: tuple[str, ...]) -> None:
    """A national beginning stands for an international one, or several, or for short numbers."""
    assert prefixes(written, region) == expected


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("06 12 34 56 78", "RE", "+33612345678"),
        ("01 99 00 40 00", "YT", "+33199004000"),
        ("0639 00 12 34", "RE", "+262639001234"),
        ("06 39 98 00 01", "YT", "+33639980001"),
        ("0269 60 12 34", "FR", "+262269601234"),
        ("05 96 30 12 34", "GP", "+596596301234"),
        ("0590 90 12 34", "MQ", "+590590901234"),
        ("07 09 20 12 34", "FR", "+262709201234"),
        ("3639", "RE", "3639"),
        ("118 712", "FR", "118712"),
        ("15", "FR", "15"),
        ("116 117", "GF", "116117"),
        ("+262 692 12 34 56", "FR", "+262692123456"),
        ("07 00 12 34 56 78 90", "FR", None),
        ("01 99 00 40 0", "FR", None),
        ("06 12 34 56 7", "RE", None),
        ("06 12 34 56 789", "FR", None),
        ("+33 6 12 34 56 7", "GB", None),
        ("0262 20 12 3", "RE", None),
        ("01 99 00 40 00 12", "FR", None),
        ("01 99 00 40 00 poste 12", "FR", None),
        ("020 7946 0958", "FR", None),
        ("44 20 7946 0958", "FR", None),
        ("+44 20 7946 0958", "FR", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("555 0100", "US", None),
    ],
)
def test_a_number_of_a_document(text: str, region: str, expected: str | None) -> None:
    """One numbering plan for France and its territories; a digit too few or too many is no number."""
    assert numbers.written(text, region) == expected
    if expected:
        assert normalise(text, region) == expected


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("01 99 00 40 0", "is no telephone number of FR: it has 1 digit too few"),
        ("01 99 00 40 00 1", "is no telephone number of FR: it has 1 digit too many"),
        (
            "01 99 00 40 00 poste 12",
            'is a number with an extension, which no telephone network knows: write "01 99 00 40 00"',
        ),
        ("44 20 7946 0958", "is no telephone number of FR: one of another country is written with + and its code"),
        ("abc", "is no telephone number of FR"),
    ],
)
def test_what_is_wrong_with_a_number(text: str, mend: str) -> None:
    """The mend makes it right."""
    assert numbers.wrong_number(text, "FR") == mend


@pytest.mark.parametrize("region", sorted(numbers.FRENCH_PLAN))
def test_a_number_is_dialled_alike_all_over_the_french_plan(region: str) -> None:
    """Whatever its country code."""
    for number, keyed in (("+33612345678", "0612345678"), ("+262692123456", "0692123456"), ("3639", "3639")):
        assert numbers.as_dialled(number, region) == keyed
        assert normalise(keyed, region) == number


UNWANTED = CallerList(
    name="unwanted",
    numbers=frozenset({"+33199000099"}),
    prefixes=("+338", "+4490"),
    without_number=frozenset({Presentation.WITHHELD}),
)
UNKNOWN = CallerList(name="unknown", without_number=frozenset({Presentation.UNAUTHENTICATED, Presentation.UNAVAILABLE}))


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (CallerId(number="+33199000099"), "+33199000099"),
        (CallerId(number="+33199000098"), ""),
        (CallerId(number="+33899123456"), "+338*"),
        (CallerId(number="+449012345678"), "+4490*"),
        (CallerId(number="3949"), ""),
        (CallerId(number="+33199000098", presentation=Presentation.WITHHELD), "withheld"),
        (CallerId(number=None), ""),
        (CallerId(number=None, presentation=Presentation.UNAUTHENTICATED), ""),
        (CallerId(number=None, presentation=Presentation.UNAVAILABLE), ""),
    ],
)
def test_list_matches(caller: CallerId, expected: str) -> None:
    """Whole numbers, prefixes, and those who withhold theirs; one that is not known is not withheld."""
    assert UNWANTED.match(caller) == expected


def test_callers_without_a_number_are_told_apart() -> None:
    """By why they have none; what was received as shown, without a number, is unavailable."""
    assert UNKNOWN.match(CallerId(presentation=Presentation.UNAUTHENTICATED)) == "unauthenticated"
    assert UNKNOWN.match(CallerId(presentation=Presentation.UNAVAILABLE)) == "unavailable"
    assert UNKNOWN.match(CallerId(number=None)) == "unavailable"
    assert UNKNOWN.match(CallerId(presentation=Presentation.WITHHELD)) == ""


def test_a_list_without_anonymous_lets_withheld_callers_pass() -> None:
    """Even when the number that is withheld is on it."""
    vip = CallerList(name="vip", numbers=frozenset({"+33199000099"}))

    assert vip.match(CallerId(number="+33199000099", presentation=Presentation.WITHHELD)) == ""
    assert vip.match(CallerId(number=None)) == ""


@pytest.mark.parametrize(
    ("number", "expected"), [("+33140000001", True), ("+33000000000", False), ("0140000001", False), ("", False)]
)
def test_is_valid(number: str, expected: bool) -> None:
    """A number its country could have given out."""
    assert is_valid(number) is expected


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("+33199000010", "FR", ("+33199000010", "33199000010", "0033199000010", "0199000010")),
        ("+590590123456", "FR", ("+590590123456", "590590123456", "00590590123456", "0590123456")),
        ("+442079460040", "FR", ("+442079460040", "442079460040", "00442079460040")),
        ("+442079460040", "GB", ("+442079460040", "442079460040", "00442079460040", "02079460040")),
        ("+34912345678", "ES", ("+34912345678", "34912345678", "0034912345678", "912345678")),
    ],
)
def test_every_spelling_a_trunk_may_send_leads_back(number: str, region: str, expected: tuple[str, ...]) -> None:
    """A number of another country has no national form here, nor one that looks like a territory's."""
    assert spellings(number, region)[: len(expected)] == expected
    assert {normalise(form, region) for form in spellings(number, region)} == {number}
