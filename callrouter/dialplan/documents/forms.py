"""Forms as the documents write them: what a client wants to be asked of its callers, and for which calls."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from callrouter.core.forms import FieldType
from callrouter.dialplan.documents.calendar import UNNAMED_HOURS
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Flag,
    Line,
    Name,
    Names,
    OneOf,
    Value,
    as_list,
    as_mapping,
)

OPEN, CLOSED = "open", "closed"
MOST_FORMS, MOST_FIELDS, MOST_CHOICES = 50, 40, 100
"""What one client may have, one form, and one field: more is no form that anybody fills in while a caller speaks."""


def _type_alone(value: object) -> object:
    """A field of which only the type is said."""
    return {"type": value} if isinstance(value, str) else value


def _labelled(value: object) -> object:
    """Choices that are called what they are."""
    if isinstance(value, dict):
        return value
    written = as_list(value)
    assert isinstance(written, list | tuple)
    listed = [values.text(one) for one in written]
    for one in listed:
        if listed.count(one) > 1:
            raise ValueError(f"{shown(one)} stands here twice")
    return dict(zip(listed, listed, strict=True))


def _of_the_only_hours(value: object) -> object:
    """`open` and `closed` of a client who has one set of hours."""
    if isinstance(value, str):
        if value not in (OPEN, CLOSED):
            mend = f"of a set of hours that has a name write {{ {value}: open }} or {{ {value}: closed }}"
            raise ValueError(f"{shown(value)} is neither {OPEN} nor {CLOSED}: {mend}")
        return {UNNAMED_HOURS: value}
    return as_mapping(value)


def _hours_name(value: object) -> object:
    return value if value == UNNAMED_HOURS else values.name(value)


class _Or:
    """Lets editors accept a short way to write a mapping."""

    def __init__(self, shorter: dict[str, Any]) -> None:
        self._shorter = shorter

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The short way, or the mapping."""
        return {"anyOf": [self._shorter, handler(schema)]}


_STATES = {"enum": [OPEN, CLOSED]}
_CHOICES = {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 2}


class FormFieldBlock(Block):
    """One thing to be asked; where only its type is to be said, that may stand alone: `reason: text`."""

    missing: ClassVar[Mapping[str, str]] = {"type": f"write one of {', '.join(FieldType)}"}

    type: Annotated[str, OneOf(*FieldType)]
    """What is asked for, and how it is checked. `name`: of a person; `number`: a telephone number, checked as those in
    this file are, and kept with its country's code (the form's first number is the caller's own, where none is given);
    `choice`: one of `choices`; `date`: a day, `2026-12-24` or `24/12/2026`; `text`: anything, on one line; `urgency`:
    `normal` or `urgent`."""
    label: Line = ""
    """What a person calls it; by default its name."""
    required: Flag = False
    """Whether there is no message without it."""
    choices: Annotated[dict[Value, Line], Before(_labelled), Field(max_length=MOST_CHOICES), _Or(_CHOICES)] = Field(
        default_factory=dict
    )
    """Of a `choice`: what may be chosen, `[morning, evening]`, or with what a person calls it: `{ am: In the morning,
    pm: In the evening }`."""

    @model_validator(mode="after")
    def _choices_of_a_choice(self) -> Self:
        if self.type == FieldType.CHOICE and not self.choices:
            raise ValueError('is a choice without "choices": write what may be chosen, as in choices: [yes, no]')
        if len(self.choices) == 1:
            raise ValueError("has one choice only, which is none: write what else may be chosen")
        if self.type != FieldType.CHOICE and self.choices:
            raise ValueError(f'is of type {self.type}, and has "choices": write type: choice, or leave them out')
        return self


class FormWhenBlock(Block):
    """For which calls a form is: all that is said must hold.

    `kind` names nodes of the tree by which callers reach somebody: that node is known while they talk and afterwards,
    in every call and in its record, and the tree leads different calls to different nodes already. Callers who press 1
    for an urgent matter and 2 for an appointment are told apart by two `queue` nodes, which may be of one team.
    """

    hours: Annotated[
        dict[Annotated[str, Before(_hours_name)], Annotated[str, OneOf(OPEN, CLOSED)]],
        Before(_of_the_only_hours),
        Field(min_length=1),
        _Or(_STATES),
    ] = Field(default_factory=dict)
    """`open` or `closed`; of several sets of hours by name, `{ desk: closed }`."""
    lists: Names = Field((), alias="list")
    """The caller is in this list, the client's or a shared one, or in one of these."""
    kinds: Names = Field((), alias="kind")
    """This node (a `queue`, `dial` or `redirect`) has put the caller through, or one of these."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.hours or self.lists or self.kinds):
            raise ValueError("says nothing: write hours, list or kind, or leave it out")
        return self


class FormBlock(Block):
    """What is to be asked for a message that somebody writes down; the first form whose `when` holds is for the call.

    A form in which nothing was given, or nothing but the urgency, is no message, whatever number the call shows. A text
    of fewer than two letters or figures says nothing, and is refused.
    """

    missing: ClassVar[Mapping[str, str]] = {
        "deliver": "name the contact who gets its messages, or a policy of delivery",
        "fields": "write what is to be asked, as in { name: name, number: number, reason: text }",
    }

    title: Line = ""
    """What a person calls it; by default its name."""
    when: FormWhenBlock | None = None
    """For which calls it is; by default for every one."""
    deliver: Name
    """The contact who gets its messages, told at once by e-mail and webhook; or a policy of `delivery`."""
    fields: Annotated[
        dict[Name, Annotated[FormFieldBlock, Before(_type_alone), _Or({"enum": list(map(str, FieldType))})]],
        Before(as_mapping),
        Field(min_length=1, max_length=MOST_FIELDS),
    ]
    """What is asked, in this order, each by its name."""
