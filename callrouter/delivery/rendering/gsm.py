"""How much room a text takes in SMS (3GPP TS 23.038 and 23.040): by the GSM alphabet, or as UCS-2 where it must."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED: Final = frozenset("\f^{}\\[~]|€")
"""Each takes the room of two."""
_ALONE, _OF_SEVERAL = 160, 153
_ALONE_UCS2, _OF_SEVERAL_UCS2 = 70, 67

_WRITTEN: Final = str.maketrans(
    {
        "\u00a0": " ", "\u2009": " ", "\u202f": " ",
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "•": "-", "·": "-",
        "…": "...", "œ": "oe", "Œ": "OE", "°": "o", "º": "o", "ª": "a", "™": "TM", "→": "->",
    }
)  # fmt: skip
"""What people's keyboards and word processors make of plainer signs."""

_CLUSTER: Final = re.compile(r"[\U0001F1E6-\U0001F1FF]{2}|.", re.DOTALL)
_JOINER: Final = "\u200d"


def plainer(text: str) -> str | None:
    """The text in the GSM alphabet, with accents left out that it does not have; None: it is in another script."""
    made = []
    for char in unicodedata.normalize("NFC", text.translate(_WRITTEN)):
        base = char if _fits(char) else unicodedata.normalize("NFD", char)[:1]
        if not _fits(base):
            return None
        made.append(base)
    return "".join(made)


def parts(text: str) -> int:
    """How many SMS it takes. No character is split between two of them, so some hold less than they could."""
    if all(map(_fits, text)):
        sizes = [2 if char in _ESCAPED else 1 for char in text]
        return _parts(sizes, _ALONE, _OF_SEVERAL)
    return _parts([len(char.encode("utf-16-be")) // 2 for char in text], _ALONE_UCS2, _OF_SEVERAL_UCS2)


def clusters(text: str) -> list[str]:
    """What a person takes for characters: a text is cut between two of them."""
    found: list[str] = []
    for match in _CLUSTER.finditer(text):
        char = match[0]
        if found and (_goes_on(char) or found[-1].endswith(_JOINER)):
            found[-1] += char
        else:
            found.append(char)
    return found


def _goes_on(char: str) -> bool:
    """Whether it changes what is before it: an accent, a joiner, a colour of skin, a choice of form."""
    return char == _JOINER or unicodedata.category(char[0])[0] == "M" or "\U0001f3fb" <= char[0] <= "\U0001f3ff"


def _fits(char: str) -> bool:
    return char in _BASIC or char in _ESCAPED


def _parts(sizes: list[int], alone: int, of_several: int) -> int:
    if sum(sizes) <= alone:
        return 1
    count, room = 1, of_several
    for size in sizes:
        if size > room:
            count, room = count + 1, of_several
        room -= size
    return count
