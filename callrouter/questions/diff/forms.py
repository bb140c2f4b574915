"""What differs between two versions in what is asked for messages that somebody writes down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callrouter.core.forms import Field, Form
from callrouter.dialplan.show.forms import for_which


def changed_forms(old: Sequence[Form], new: Sequence[Form]) -> Iterator[str]:
    """Sentences about one client's forms."""
    was, becomes = ({form.name: form for form in forms} for forms in (old, new))
    for name, form in becomes.items():
        if name not in was:
            yield f"Form {name} is new, {for_which(form.when)}."
        elif told := list(_of_form(was[name], form)):
            yield f"Form {name}: {'; '.join(told)}."
    for name in was:
        if name not in becomes:
            yield f"Form {name} is gone."
    kept, order = ([name for name in forms if name in was and name in becomes] for forms in (was, becomes))
    if kept != order:
        yield f"Forms are now chosen in the order {', '.join(becomes)}."


def _of_form(was: Form, form: Form) -> Iterator[str]:
    if was.title != form.title:
        yield f"its title is now {form.title} instead of {was.title}"
    if was.when != form.when:
        yield f"it is now {for_which(form.when)} instead of {for_which(was.when)}"
    if was.deliver != form.deliver:
        yield f"its messages are now for {form.deliver} instead of {was.deliver}"
    before, now = ({field.name: field for field in one.fields} for one in (was, form))
    for name, field in now.items():
        if name not in before:
            yield f"{name} is asked too" + (", and needed" if field.required else "")
        elif told := list(_of_field(before[name], field)):
            yield f"{name} {', '.join(told)}"
    if gone := [name for name in before if name not in now]:
        yield f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} no longer asked"
    kept, order = ([name for name in fields if name in before and name in now] for fields in (before, now))
    if kept != order:
        yield f"it now asks in the order {', '.join(now)}"


def _of_field(was: Field, field: Field) -> Iterator[str]:
    if was.required != field.required:
        yield "is now needed" if field.required else "is no longer needed"
    if was.type != field.type:
        yield f"is now of type {field.type} instead of {was.type}"
    if was.label != field.label:
        yield f"is now called {field.label} instead of {was.label}"
    if was.choices != field.choices:
        yield f"now has the choices {', '.join(label for _, label in field.choices) or 'none'}"
