"""Languages that callers can be spoken to in: those that espeak-ng 1.51 speaks, and people do.

Chinese, Japanese and Hebrew are none of them: espeak-ng says the names of characters in English, or no figures at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import values

_CODES = """
    af am ar az be bg bn bs ca cs cy da de el es es-419 et eu fa fi ga gd gu hi hr ht hu hy id is it ka kk kn ko ku
    ky lb lt lv mi mk ml mr ms mt nl pa pl pt pt-br ro ru sd si sk sl sq sr sv sw ta te th tr tt uk ur uz vi yue
"""
VOICES: Mapping[str, str] = {"en": "en-gb", "fr": "fr", "no": "nb", **{code: code for code in _CODES.split()}}
"""By language, a voice of espeak-ng."""

LANGUAGES = tuple(VOICES)

READ_BY_ASTERISK = ("en", "fr")
"""Those in which numbers, days and times are put together of Asterisk's own sounds; elsewhere only figures are read."""

FIGURES = (*(str(one) for one in range(10)), *(f"{one // 10} {one % 10}" for one in range(100)))
"""What is spoken ahead where figures are read one by one: each, and any two together: a command holds few sounds."""


def language_code(value: object) -> str:
    """A language that can be spoken.

    Raises:
        ValueError: it is none.
    """
    word = values.text(value)
    if word not in VOICES:
        hint = closest(word, LANGUAGES)
        meant = f' (did you mean "{hint}"?)' if hint else ': write its code, such as "fr", "en", "de" or "es"'
        raise ValueError(f"{shown(word)} is not spoken here{meant}")
    return word
