"""Texts with variables in braces, for what is sent to others: `https://crm.example/callers/{caller}`.

A template is taken apart when the document is read; afterwards only values are put in, each through the encoder of
its place. So a value can never change what surrounds it. `{{` and `}}` are plain braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from callrouter.core.call import Call
from callrouter.errors import CoreError

BUILT_IN = ("caller", "caller_name", "did", "client", "call_id")
"""Names that every call has without setting them; `caller` is empty when the number is withheld."""

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_-]{0,47})\}|(?P<wrong>[{}])|[^{}]+")


class UnsetVariable(CoreError):
    """A template names a variable that the call does not have; the text is its name."""


class Piece(Struct, frozen=True, kw_only=True):
    """A part of a template: plain text, or the place of a variable."""

    text: str = ""
    variable: str = ""


class Template(Struct, frozen=True, kw_only=True):
    """A text whose variables are known."""

    pieces: tuple[Piece, ...]

    @property
    def written(self) -> str:
        """For a reader: the variables by name, in braces."""
        return "".join([f"{{{piece.variable}}}" if piece.variable else piece.text for piece in self.pieces])

    @property
    def example(self) -> str:
        """With `x` for every value."""
        return "".join([piece.text or "x" for piece in self.pieces])

    @property
    def variables(self) -> frozenset[str]:
        """Those the document must have set; built-in ones are always there."""
        return frozenset(piece.variable for piece in self.pieces if piece.variable) - frozenset(BUILT_IN)

    def fill(self, call: Call, encode: Callable[[str], str] = str) -> str:
        """The text with the call's values, each encoded.

        Raises:
            UnsetVariable: a variable is not set.
        """
        return "".join(
            [piece.text if not piece.variable else encode(_value(call, piece.variable)) for piece in self.pieces]
        )


def parse(text: str) -> Template:
    """Take a template apart.

    Raises:
        ValueError: a brace stands alone, or what it holds is no name.
    """
    pieces: list[Piece] = []
    for found in _PIECE.finditer(text):
        if found["wrong"]:
            raise ValueError(
                f'the "{found["wrong"]}" at character {found.start() + 1} belongs to no variable: write "{{name}}",'
                ' and "{{" or "}}" for a plain brace'
            )
        if found["name"]:
            pieces.append(Piece(variable=found["name"]))
        else:
            pieces.append(Piece(text=found[0].replace("{{", "{").replace("}}", "}")))
    return Template(pieces=tuple(pieces))


def _value(call: Call, name: str) -> str:
    # A client's own variable hides a built-in one of the same name.
    if (value := call.variables.get(name)) is not None:
        return value
    match name:
        case "caller":
            return call.caller.number or ""
        case "caller_name":
            return call.caller.name
        case "did":
            return call.did
        case "client":
            return call.client
        case "call_id":
            return call.call_id
        case _:
            raise UnsetVariable(name)
