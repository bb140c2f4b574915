"""Telephone numbers: one form for all the ways to write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.call import CallerId, Presentation
from callrouter.core.numbers import CallerList, is_valid, normalise, normalise_prefix, spellings


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
        ("15", "FR", None),
        ("112", "FR", None),
        ("3949", "FR", None),
        ("118218", "FR", None),
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
        ("08", "FR", "+338"),
        ("0899", "FR", "+33899"),
        ("+338", "FR", "+338"),
        ("0044", "FR", "+44"),
        ("09", "GB", "+449"),
        ("0590", "FR", "+590590"),
        ("", "FR", None),
        ("+", "FR", None),
        ("abc", "FR", None),
        ("٠٨", "FR", None),
        ("08", "ZZ", None),
    ],
)
def test_normalise_prefix(written: str, region: str, expected: str | None) -> None:
    """A national beginning stands for an international one."""
    assert normalise_prefix(written, region) == expected


UNWANTED = CallerList(name="unwanted", numbers=frozenset({"+33199000099"}), prefixes=("+338", "+4490"), anonymous=True)


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (CallerId(number="+33199000099"), "+33199000099"),
        (CallerId(number="+33199000098"), ""),
        (CallerId(number="+33899123456"), "+338*"),
        (CallerId(number="+449012345678"), "+4490*"),
        (CallerId(number="3949"), ""),
        (CallerId(number=None), "anonymous"),
        (CallerId(number="+33199000098", presentation=Presentation.WITHHELD), "anonymous"),
        (CallerId(number=None, presentation=Presentation.UNAVAILABLE), "anonymous"),
    ],
)
def test_list_matches(caller: CallerId, expected: str) -> None:
    """Whole numbers, prefixes, and those who show none."""
    assert UNWANTED.match(caller) == expected


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
