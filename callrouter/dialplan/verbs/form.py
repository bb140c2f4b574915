"""`form`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from callrouter.core.nodes import FormNode, Node
from callrouter.core.nodes.form import MAX_FORMS_BYTES
from callrouter.core.templates import parse
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language.fields import Before, Block, Name, Target, as_mapping
from callrouter.dialplan.language.templates import TemplateText
from callrouter.dialplan.verbs._base import Names, Verb


class FormNodeBlock(Block):
    """Take a message from what is known."""

    missing: ClassVar[Mapping[str, str]] = {
        "form": "name one of the client's forms",
        "next": "say which node follows",
    }

    form: Name
    """One of the client's `forms`."""
    fields: Annotated[dict[Name, TemplateText], Before(as_mapping)] = Field(default_factory=dict)
    """What is known, by the form's field: texts with `{variables}`, such as `"{caller}"`."""
    next: Target
    """The node that follows."""
    failed: Target | None = None
    """Where the call goes when what is known makes no message; by default where `next` leads."""


def build(names: Names, name: str, block: FormNodeBlock) -> Node | None:
    """Its form must be the client's, and have its fields."""
    here = ("nodes", name, "form")
    exits = names.leads(name, "form", ("next", block.next, ("next",)), ("failed", block.failed, ("failed",)))
    form = names.form(block.form, *here, "form")
    if form is None:
        return None
    known = [field.name for field in form.fields]
    for field in block.fields:
        if field not in known:
            wrong = f"form {shown(form.name)} has no field {shown(field)}"
            listed = "" if closest(field, known) else f": its fields are {', '.join(known)}"
            names.fail(wrong + listed, *here, "fields", field, suggestion=closest(field, known))
    node = FormNode(
        name=name,
        line=names.line("nodes", name),
        exits=exits,
        form=form,
        given=tuple((field, parse(value)) for field, value in block.fields.items() if field in known),
        region=names.country,
    )
    if (least := node.least_bytes) > MAX_FORMS_BYTES:
        wrong = f"a message of form {shown(form.name)} takes {least} bytes at least, with its labels"
        names.fail(f"{wrong}; a call can carry {MAX_FORMS_BYTES}: put fewer or shorter texts into it", *here)
    return node


def describe(node: FormNode) -> str:
    """Which form, what is put into it, and for whom it is."""
    return f"{node.form.name} ({node.filled_with}), for {node.form.deliver}"


FORM = Verb(name="form", node=FormNode, block=FormNodeBlock, build=build, describe=describe)
