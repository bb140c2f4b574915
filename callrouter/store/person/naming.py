"""A telephone number however it is written, and what stands in its place once its person is erased."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

from callrouter.core.numbers import normalise, spellings
from callrouter.errors import UsageError
from callrouter.logs import safe_text

_BETWEEN: Final = "[-  ./()]{0,2}"
"""What people write between digits; blanks that do not break, too."""
FEWEST_DIGITS: Final = 6
"""Shorter ones would be found in anything."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """A number that is looked for."""

    number: str
    """E.164."""
    written: tuple[str, ...]
    """As columns may hold it."""
    pattern: str
    """A regular expression, for PostgreSQL and for Python."""
    compiled: re.Pattern[str] = field(repr=False)

    def blanked(self, value: Any, instead: str) -> Any:
        """A text, or what JSON holds, with something else where the number stood."""
        if isinstance(value, str):
            return self.compiled.sub(instead, value)
        if isinstance(value, list):
            return [self.blanked(one, instead) for one in value]
        if isinstance(value, dict):
            return {self.blanked(key, instead): self.blanked(one, instead) for key, one in value.items()}
        return value


def sought(number: str, region: str) -> Sought:
    """A number as somebody typed it.

    Args:
        number: in any spelling.
        region: the operator's country, whose national form is understood.

    Raises:
        UsageError: it is none, or too short to be told from other digits.
    """
    found = None if "\x00" in number else normalise(number, region)
    if found is None or len(found.removeprefix("+")) < FEWEST_DIGITS:
        raise UsageError(
            f"{safe_text(number, 40)!r} is no telephone number of a person: write +33612345678 or 0612345678"
        )
    written = spellings(found, region)
    digits = sorted({one.removeprefix("+") for one in written}, key=len, reverse=True)
    either = "|".join(_BETWEEN.join(one) for one in digits)
    pattern = rf"(?<![0-9])[+]?(?:{either})(?![0-9])"
    return Sought(number=found, written=written, pattern=pattern, compiled=re.compile(pattern))


def hash_of(salt: str, number: str) -> str:
    """By which a number is known again without being kept: whoever tries all numbers finds it, too."""
    return hashlib.sha256(f"{salt} {number}".encode()).hexdigest()
