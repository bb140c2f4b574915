"""Texts with `{variables}` for what is sent to others, as the documents write them."""

from typing import Annotated

from callrouter.core import templates
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import Read


def template_text(value: object) -> str:
    """One line whose braces are in order.

    Raises:
        ValueError: it is none.
    """
    words = values.text(value).strip()
    if len(words) > 500 or not words.isprintable():
        raise ValueError(f"{shown(words, 30)} must be one line of at most 500 characters")
    templates.parse(words)
    return words


TemplateText = Annotated[str, Read(template_text, {"type": ["string", "number"], "maxLength": 500})]
