"""Room in SMS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.delivery.rendering import gsm
from tests.delivery.rendering.parcels import TEXTS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 460, 4),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" + "€" * 152, 2),  # 305 places, and the pair that would be split goes to the second part, which is full
        ("a" + "€" * 153, 3),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("ê" * 201, 3),
        ("ê" * 202, 4),
        ("😀" * 35, 1),
        ("😀" * 66, 2),  # 33 in each of two parts of 67
        ("😀" * 67, 3),
    ],
)
def test_how_many_a_text_takes(text: str, parts: int) -> None:
    assert gsm.parts(text) == parts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Fièvre à Orléans, ça va", "Fièvre à Orléans, ca va"),
        ("« Forêt » – l’œuvre… n° 5", '" Foret " - l\'oeuvre... no 5'),
        ("e\u0301te\u0301", "été"),
        ("Ł", None),
        ("Привет", None),
        ("ok 👍", None),
    ],
)
def test_what_is_plainer(text: str, plain: str | None) -> None:
    assert gsm.plainer(text) == plain


def test_what_people_take_for_one_character_stays_one() -> None:
    assert gsm.clusters("ae\u0301🇫🇷🇩🇪👩\u200d👧👍🏽x") == ["a", "e\u0301", "🇫🇷", "🇩🇪", "👩\u200d👧", "👍🏽", "x"]


@given(TEXTS)
def test_nothing_is_lost_between_clusters(text: str) -> None:
    assert "".join(gsm.clusters(text)) == text


@given(st.text(), st.text())
def test_more_text_never_takes_fewer(text: str, more: str) -> None:
    assert gsm.parts(text) <= gsm.parts(text + more)
