"""What a rule of normalisation is, and how a text goes through all of them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

Words = Callable[[re.Match[str]], str]
"""What is said for what a rule has found."""

Rule = tuple[str, str, Words]
"""A name, the pattern of what is written, and what is said for it. Groups within a pattern bear names of their own."""

_TYPED = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u2009": " ", "\u2019": "'"})
"""Spaces and apostrophes that only printers tell apart."""


def any_of(words: Iterable[str]) -> str:
    """A pattern of any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


class Rules:
    """One pattern made of all of them: a text is gone through once, and the first rule that fits a place has it.

    Every rule begins where a word may begin, and with certain characters: most places of a text are passed quickly.
    """

    def __init__(self, rules: Mapping[str, Sequence[Rule]]) -> None:
        """`rules`: by the characters they begin with, as a class of a pattern holds them."""
        self._words = {name: words for some in rules.values() for name, _, words in some}
        parts = (f"(?=[{first}])(?:{_alternatives(some)})" for first, some in rules.items())
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})")

    def apply(self, text: str) -> str:
        """The text with what each rule found in words."""
        return " ".join(self._pattern.sub(self._said, text.translate(_TYPED)).split())

    def _said(self, found: re.Match[str]) -> str:
        # A rule's own group is the last to close.
        return self._words[found.lastgroup or ""](found)


def _alternatives(rules: Sequence[Rule]) -> str:
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern, _ in rules)
