"""French: the rules for words, and those for numbers beside them, in the order in which they are tried."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import Match

from callrouter.normalisation import french_values as values
from callrouter.normalisation.borrowed_words import BORROWED
from callrouter.normalisation.french_numbers import NUMBERS
from callrouter.normalisation.french_words import (
    CAPITALS,
    DAYS,
    DOTTED,
    SAINTS,
    SHORT_WORDS,
    SYMBOLS,
    TITLES,
    UNACCENTED,
    UNDOTTED,
)
from callrouter.normalisation.rules import Rule, Rules, any_of

SHOUTED_WORDS = 4
"""Words in capitals that make a text one that is written in capitals, if it holds no small letter."""

_UPPER = "A-ZÀ-ÖØ-Þ"
_LOWER = "a-zß-öø-ÿ"
_SMALL = re.compile(f"[{_LOWER}]")
_WORD = re.compile(rf"[{_UPPER}]{{2,}}")
_VOWEL = re.compile("[AEIOUYÀ-ÖØ-Ý]")
_CONSONANT = "[BCDFGHJKLMNPQRSTVWXZ]"
_HARD = re.compile(rf"{_CONSONANT}{{3}}|^{_CONSONANT}{{2}}(?<!BL|BR|CH|CL|CR|DR|FL|FR|GL|GR|PH|PL|PR|TH|TR)")
"""What hardly any French word holds: letters that are spelt."""


def say_french(text: str) -> str:
    """A French text in words; one that is written in capitals all over is taken for small letters."""
    if _ORDINARY.fullmatch(text) and _ABBREVIATED.isdisjoint(_BETWEEN.split(text)):
        return text
    if not _SMALL.search(text) and len(_WORD.findall(text)) >= SHOUTED_WORDS:
        text = _WORD.sub(_calmed, text)
    return _RULES.apply(text)


def _calmed(found: Match[str]) -> str:
    word = found[0]
    spoken = word not in CAPITALS and (len(word) > 3 or word in SHORT_WORDS) and _VOWEL.search(word)
    return UNACCENTED.get(word, word.lower()) if spoken else word


def _either(words: Iterable[str]) -> str:
    """Any of these words in small letters, or with a capital in front."""
    return any_of({form for word in words for form in (word, word.capitalize())})


def _web(found: Match[str]) -> str:
    said = re.sub(r"^https?://", "", found[0]).rstrip("/").replace("www.", "trois double vé point ")
    for sign, word in (("@", " arobase "), (".", " point "), ("-", " tiret "), ("_", " tiret bas "), ("/", " barre ")):
        said = said.replace(sign, word)
    return re.sub(r"\bfr\b", "effe erre", re.sub(r"\beu\b", "euh u", said))


def _title(found: Match[str]) -> str:
    written = found[0].strip()
    return f"{TITLES.get(written) or TITLES[written.removesuffix('.')]} "


def _from_day_to_day(found: Match[str]) -> str:
    first, last = found["first_day"].lower(), found["last_day"].lower()
    return f"{DAYS.get(first, first)} à {DAYS.get(last, last)}"


def _roman(found: Match[str]) -> str:
    number, ending = values.roman(found["roman_letters"]), found["roman_ending"]
    if not number:
        return _capitals(found)
    return values.ordinal(number, is_feminine=ending in ("re", "ère")) if ending else str(number)


def _capitals(found: Match[str]) -> str:
    """A word in capitals: as the table says, a name in small letters, or spelt."""
    word = found[0].removesuffix("s")
    plain = word.replace(".", "")
    if plain in CAPITALS:
        said = CAPITALS[plain]
    elif "." not in word and (plain in SHORT_WORDS or (len(plain) > 3 and _is_sayable(plain))):
        said = BORROWED.get(plain.lower(), plain.lower())
    else:
        said = values.spelt(plain)
    after = found.string[found.end() :]
    if word.endswith("."):
        return said if after.strip() else f"{said}."
    return f"{said} " if after[:1].isdigit() else said


def _is_sayable(word: str) -> bool:
    return bool(_VOWEL.search(word)) and not _HARD.search(word)


def _borrowed(found: Match[str]) -> str:
    word = found[0].lower()
    return BORROWED.get(word) or BORROWED[word.removesuffix("s")]


_DAY = rf"{_either(DAYS)}|{_either(DAYS.values())}"
_WORDS: tuple[Rule, ...] = (
    ("mail", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _web),
    ("site", r"(?:https?://[^\s,;]+|www\.[\w.-]*\w|[\w-]+\.(?:fr|com|org|net|eu))(?!\w)", _web),
    ("number_sign", r"[nN][°º]\s?|No\.?\s?(?=[0-9])", lambda _: "numéro "),
    ("title", rf"(?:MM?\.\s?|(?:{any_of(TITLES)})\.?\s)(?=[{_UPPER}]|et\s[M{_UPPER}])", _title),
    (
        "saint",
        rf"(?P<saint_word>{any_of(SAINTS)})\.?(?:-|\s)(?=[{_UPPER}])",
        lambda found: f"{SAINTS[found['saint_word']]} ",
    ),
    ("days", rf"(?P<first_day>{_DAY})\.?\s?[-–—]\s?(?P<last_day>{_DAY})(?!\w)\.?", _from_day_to_day),
    (
        "roman",
        r"(?P<roman_letters>[IVX]{2,}|[IVX](?=(?:e|er|ère|ème)\b))(?P<roman_ending>ère|ème|er|re|e)?(?![\w.])",
        _roman,
    ),
    (
        "capitals",
        rf"(?:[{_UPPER}]\.){{2,}}[{_UPPER}]?(?!\w)|[{_UPPER}]{{2,}}(?:s?(?!\w)|(?=[0-9]))",
        _capitals,
    ),
    ("dotted", _either(DOTTED), lambda found: f"{DOTTED[found[0].lower()]} "),
    ("undotted", rf"(?:{_either(UNDOTTED)})(?![\w'-])", lambda found: UNDOTTED[found[0].lower()]),
    ("borrowed", rf"(?:{_either(BORROWED)})s?(?!\w)", _borrowed),
    ("and_or", r"et/ou\b", lambda _: "et ou"),
)
_ORDINARY = re.compile(rf"(?:[{_UPPER}]?[{_LOWER}]++|[0-9](?=[.,;!?]|$)|[ ,;:!?'-]++|\.(?= |$))*+")
_BETWEEN = re.compile("[ ,.;:!?'-]+")
_LISTED = (*TITLES, *SAINTS, *DOTTED, *UNDOTTED, *BORROWED, *DAYS, *DAYS.values())
_ABBREVIATED = frozenset(
    form
    for word in (*_LISTED, "No", "Ie", "Ier", "Ière", "Ve", "Vème", "Xe", "Xème")
    for part in _BETWEEN.split(word)
    for form in (part, f"{part}s", part.capitalize())
    if len(part) > 1
)
"""What a sentence of plain words may hold that a rule changes: most sentences hold none of it, and are done with.

Parts of words too: it is enough that none is missing here. A single letter is no plain word.
"""
_SYMBOLS: tuple[Rule, ...] = (("symbol", rf"[{re.escape(''.join(SYMBOLS))}]", lambda found: f" {SYMBOLS[found[0]]} "),)
_RULES = Rules({"0-9+": NUMBERS, _UPPER + _LOWER: _WORDS, re.escape("".join(SYMBOLS)): _SYMBOLS})
