"""Sentences with values read aloud: `Votre dossier {dossier} sera prêt le {jour:date}.`"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from callrouter.core.effects import ReadAs
from callrouter.core.read_aloud import OF_EVERY_CALL, usual
from callrouter.core.templates import BUILT_IN
from callrouter.dialplan.issues import closest, shown

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,47}")
_BRACED = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile(r"\{[^{}]*\}?|\}")
_KINDS = tuple(ReadAs)


class Place(Struct, frozen=True, kw_only=True):
    """Where a value is read within a sentence."""

    variable: str
    read_as: ReadAs


@lru_cache(maxsize=16_384)
def pieces(sentence: str) -> tuple[str | Place, ...]:
    """The texts of a sentence, and the places between them; a text that holds nothing but punctuation is none.

    Raises:
        ValueError: a brace stands alone, or what it holds can never be read aloud.
    """
    return tuple(_pieces(sentence)) if "{" in sentence or "}" in sentence else (sentence,)


def _pieces(sentence: str) -> Iterator[str | Place]:
    # Odd ones are what stood in braces.
    for index, found in enumerate(_BRACED.split(sentence)):
        if index % 2:
            yield _place(found)
            continue
        if brace := _BRACE.search(found):
            raise ValueError(f'{shown(brace[0])} belongs to no value: write "{{name}}"; no sentence needs a brace')
        text = found.strip().lstrip(",.;:!? ")
        if any(char.isalnum() for char in text):
            yield text


def _place(braced: str) -> Place:
    name, colon, kind = braced.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError(f'{shown("{" + braced + "}")} names no variable: write "{{name}}" or "{{name:number}}"')
    if name in BUILT_IN and name not in OF_EVERY_CALL:
        mend = "write the name itself" if name == "client" else "leave it out"
        raise ValueError(f"{shown('{' + braced + '}')} cannot be read aloud, for it is a text and no figure: {mend}")
    if not colon:
        return Place(variable=name, read_as=usual(name))
    if kind not in _KINDS:
        hint = closest(kind, _KINDS)
        meant = f' (did you mean "{hint}"?)' if hint else f": the ways are {', '.join(_KINDS)}"
        raise ValueError(f"{shown('{' + braced + '}')}: {shown(kind)} is no way to read a value aloud{meant}")
    if name in OF_EVERY_CALL and kind not in (ReadAs.TELEPHONE, ReadAs.DIGITS):
        raise ValueError(f'{shown("{" + braced + "}")} is a telephone number: write "{{{name}}}"')
    return Place(variable=name, read_as=ReadAs(kind))
