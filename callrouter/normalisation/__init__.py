"""Text normalisation: what people write, in the words people say, before a voice is given it.

`14h30` becomes “14 heures 30”, `SARL` “esse a erre elle”, `01 40 12 34 56` “zéro un, 40, 12, 34, 56”. Whole numbers
stay digits: every voice reads those right. Nothing here depends on which program speaks.

Of espeak-ng 1.51 it is known that its French says the name of a letter between digits, groups ten digits as it likes,
and turns to an English voice for words whose letters look English to it, in capitals or not.

`french`          the rules of French for words, in the order in which they are tried
`french_numbers`  those for what begins with a figure
`french_values`   telephone numbers, times, dates, amounts and ordinals in French words
`french_words`    tables: titles, abbreviations, capitals, units
`borrowed_words`  English words in French sentences
`english`         the rules of English, fewer
`rules`           what a rule is, and how a text goes through all of them at once

Other languages are spoken as they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from callrouter.normalisation.english import ENGLISH
from callrouter.normalisation.french import say_french

_LANGUAGES: Mapping[str, Callable[[str], str]] = {"fr": say_french, "en": ENGLISH.apply}


@lru_cache(maxsize=16_384)
def normalise(text: str, language: str) -> str:
    """A text as its language's voice is to be given it; the same text where there is nothing to change."""
    change = _LANGUAGES.get(language)
    return text if change is None else change(text)
