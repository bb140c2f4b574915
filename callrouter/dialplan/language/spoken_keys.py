"""The keys that a sentence asks a caller to press: `Pour un rendez-vous, tapez 2.`"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_WORDS = {
    "étoile": "*",
    "dièse": "#",
    "star": "*",
    "hash": "#",
    "pound": "#",
    "deux": "2",
    "trois": "3",
    "quatre": "4",
    "cinq": "5",
    "six": "6",
    "sept": "7",
    "huit": "8",
    "neuf": "9",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
"""Without `un` and `one`, which are articles too."""

_ONE = rf"(?:[0-9*#](?!\s?[0-9])|(?:{'|'.join(_WORDS)})\b)"
_NO_COUNT = r"(?!\s+(?:chiffres?|fois|digits?|times?|numbers?|secondes?|seconds?|minutes?|heures?)\b)"
_KEY = rf"{_ONE}{_NO_COUNT}"
_AND = r"\s*(?:,|[,(]?\s*(?:ou|et|or|and))\s*"
_ASKED = re.compile(
    r"\b(?:(?:re)?tape[zr]|presse[zr]|appuye[zr]\s+sur|faites|compose[zr]|choisisse[zr]|sélectionne[zr]|touche"
    r"|choix|press|push|hit|dial|choose|select|key\s+in|option)\s+"
    r"(?:(?:sur|the)\s+)?(?:(?:la\s+touche|le\s+chiffre|le|la|l'option|key|number|digit|option)\s+)?"
    rf"({_KEY}(?:{_AND}{_KEY})*)",
)
_MORE = re.compile(rf"(?:^|[,;.(]|\bou|\bor|\bet|\band)\s*({_KEY})\s+(?:pour(?!\s+cent)|for|to)\b")
"""`tapez 1 pour les ventes, 2 pour le support`."""
_ALONE = re.compile(rf"\b(?:pour|for)\b[^,.;:!?]{{2,60}}[,:]\s*(?:(?:le|la|the)\s+)?({_KEY})\s*(?=[.,;!?]|$)")
"""`Pour les ventes, tapez 1 ; pour le support, le 2.`"""
_SINGLE = re.compile(_KEY)


@lru_cache(maxsize=8_192)
def spoken_keys(text: str) -> tuple[str, ...]:
    """The keys a text asks for, each once; a number that is to be keyed or dialled is none."""
    return tuple(dict.fromkeys(_found(text.lower())))


def _found(text: str) -> Iterator[str]:
    asked = list(_ASKED.finditer(text))
    for match in asked:
        yield from (_WORDS.get(key, key) for key in _SINGLE.findall(match[1]))
    for more in (_MORE, _ALONE) if asked else ():
        yield from (_WORDS.get(match[1], match[1]) for match in more.finditer(text))


def names_key(text: str, key: str) -> bool:
    """Whether a text names a key at all, in whatever words: as its sign, alone, or as it is called."""
    words = re.findall(r"[^\W\d]+|[0-9]+|[*#]", text.lower())
    return key in words or any(_WORDS.get(word) == key for word in words)
