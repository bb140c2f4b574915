"""The keys that a sentence asks for."""

from __future__ import annotations

import pytest

from callrouter.dialplan.language.spoken_keys import names_key, spoken_keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Tapez 1 ou 3.", ("1", "3")),
        ("Pour les ventes, tapez 1, pour un message, appuyez sur la touche étoile.", ("1", "*")),
        ("Tapez 1 pour les ventes, 2 pour le support ou 3 pour un message.", ("1", "2", "3")),
        ("Press 1 for sales, 2 for help, or press hash.", ("1", "#", "2")),
        ("Faites le 4, puis dièse.", ("4",)),
        ("Tapez 1 (ou 3).", ("1", "3")),
        ("Choix 1 : les ventes. Choix 3 : la comptabilité.", ("1", "3")),
        ("Tapez 1 pour les ventes. 3 pour la compta.", ("1", "3")),
        ("Tapez 1. 5 pour cent de remise vous attendent.", ("1",)),
        ("Composez votre numéro de dossier, 4 chiffres.", ()),
        ("En cas d'urgence vitale, composez le 15.", ()),
        ("Composez le 3 6 3 9.", ()),
        ("Tapez 4 chiffres.", ()),
        ("Press 3 times.", ()),
        ("Nous sommes ouverts de 9 à 12 heures. Tapez un numéro.", ()),
    ],
)
def test_keys(text: str, keys: tuple[str, ...]) -> None:
    """Numbers that are to be dialled, and counts, are no keys."""
    assert spoken_keys(text) == keys


@pytest.mark.parametrize(
    ("text", "key", "named"),
    [
        ("Enregistré, 9 pour refuser.", "9", True),
        ("Pour vous y opposer, tapez neuf.", "9", True),
        ("Aufnahme: mit der 9 widersprechen.", "9", True),
        ("To object, press star.", "*", True),
        ("Drücken Sie #.", "#", True),
        ("Appelez le 99 après 19 heures.", "9", False),
        ("Cet appel est enregistré.", "9", False),
    ],
)
def test_a_key_that_is_named(text: str, key: str, named: bool) -> None:
    """In any language as its sign; not as a part of a number."""
    assert names_key(text, key) is named
