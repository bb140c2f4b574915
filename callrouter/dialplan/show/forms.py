"""A form as a line for a person: for which calls it is, what it asks, and who gets its messages."""

from __future__ import annotations

from collections.abc import Iterator

from callrouter.core.forms import Field, Form, When


def described(form: Form) -> str:
    """`“Rendez-vous”, in hours open, asks name (needed), day; for desk`."""
    called = f"“{form.title}”, " if form.title != form.name else ""
    asks = ", ".join(map(_field, form.fields))
    return f"{called}{for_which(form.when)}, asks {asks}; for {form.deliver}"


def for_which(when: When) -> str:
    """For which calls a form is."""
    return " and ".join(_conditions(when)) or "for every call"


def _conditions(when: When) -> Iterator[str]:
    yield from (f"{'in' if one.open else 'outside'} hours {one.hours}" for one in when.hours)
    if when.lists:
        yield f"for callers of list {' or '.join(when.lists)}"
    if when.kinds:
        yield f"for callers put through by {' or '.join(when.kinds)}"


def _field(field: Field) -> str:
    return f"{field.name} (needed)" if field.required else field.name
