"""Take a message from what is known: keys that were pressed, what a web service answered, the number that calls.

```yaml
form: { form: order, fields: { number: "{caller}", file: "n° {dossier}" }, next: bye, failed: take_message }
```

`form` is one of the client's `forms`, whatever its `when` says; `fields` are its fields, and texts with `{variables}`,
`{caller}` and `{caller_name}`. They are checked as what an agent writes is: what is empty counts as not given, the
first number is the caller's own where none is given. Where what is known makes no message (a field that is needed is
not there, a number is none), the call goes to `failed` (or to `next`) without one. The caller hears nothing, and the
call goes on at once. The messages that one call leaves in this way travel with it, and may hold some 200 characters in
all, labels included; one that does not fit goes to `failed`, and is logged as trouble.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import structs

from callrouter.core.call import Call, FormValue, Message, replace
from callrouter.core.forms import FieldType, Filled, Form, fill
from callrouter.core.nodes._base import Leave, Node, Step
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.core.templates import Template, UnsetVariable

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

MAX_FORMS_BYTES: Final = 280
"""Bytes of a call's messages of this kind, values and what is kept with them: they travel with the call."""

_AROUND, _AROUND_VALUE = 40, 14
"""Bytes of such a message besides its values (where and when it was taken, and for whom it is), and of a value besides
its texts."""


class FormNode(Node, frozen=True, kw_only=True):
    """Fill in a form, and go on; exits are `next` and, if wanted, `failed`."""

    kind: ClassVar[str] = "form"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"failed"})

    form: Form
    given: tuple[tuple[str, Template], ...] = ()
    """By field of the form."""
    region: str
    """ISO 3166: whose national numbers are understood."""

    @property
    def filled_with(self) -> str:
        """What is put into its form, for a person."""
        return ", ".join(f"{field} = {value.written}" for field, value in self.given) or "the caller's own number"

    @property
    def filled_in(self) -> str:
        """Which form, for a person."""
        return self.form.name

    def about(self) -> About:
        """Values decide whether there is a message; it is passed at once, with and without one."""
        read: frozenset[str] = frozenset().union(*(value.variables for _, value in self.given))
        exits = {"next", "failed"} & self.exits.keys() or {"next"}
        return About(
            family=Family.KEEPS,
            left_by=dict.fromkeys(exits, LeftBy.NOTHING),
            does=(),
            reads=Reads(own_number=self._reads_own_number),
            variables=Variables(needed=tuple(Needed(variable=name) for name in sorted(read))),
            uses=Uses(delivers=self.form.deliver),
            effort=Effort(),
            unheard={"filled_in": "the form that is filled in", "filled_with": "what is put into the form"},
        )

    @property
    def least_bytes(self) -> int:
        """What its message takes of a call's state at least: what is put in whatever the variables are."""
        fields = {field.name: field for field in self.form.fields}
        values = (
            FormValue(
                name=name,
                value="".join(piece.text for piece in value.pieces),
                label=fields[name].label,
                type=fields[name].type.value,
            )
            for name, value in self.given
            if fields[name].required or not any(piece.variable for piece in value.pieces)
        )
        return bytes_of([self._message(tuple(values), datetime.min)])  # noqa: DTZ901  # its length is no matter of when

    def _message(self, values: tuple[FormValue, ...], at: datetime) -> Message:
        return Message(
            recording="",
            node=self.name,
            deliver=self.form.deliver,
            started_at=at,
            seconds=0.0,
            form=self.form.name,
            values=values,
        )

    @property
    def _reads_own_number(self) -> bool:
        pieces = (piece.variable for _, value in self.given for piece in value.pieces)
        return "caller" in pieces or any(field.type is FieldType.NUMBER for field in self.form.fields)

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Keep the message, if there is one."""
        given: dict[str, str] = {}
        for field, value in self.given:
            try:
                given[field] = value.fill(call)
            except UnsetVariable:
                continue  # a caller whom an agent gives to this node need not have come by what sets it
        found = fill(self.form, given, region=self.region, caller_number=call.caller.number)
        if not isinstance(found, Filled):
            why = "; ".join(f"{one.field}: {one.reason}" if one.field else one.reason for one in found)
            return self._without(call, why[:80])
        message = self._message(found.fields, at)
        if bytes_of((*call.messages, message)) > MAX_FORMS_BYTES:
            why = f"form {self.form.name} is longer than what a call can carry"
            return self._without(call, why, f"a message was not kept: {why}")
        because = ", ".join(f"{name} = {value[:20]}" for name, value in found.values.items())
        return Leave(call=replace(call, messages=(*call.messages, message)), exit="next", because=because[:80])

    def _without(self, call: Call, because: str, *troubles: str) -> Leave:
        exit_name = "failed" if "failed" in self.exits else "next"
        return Leave(call=call, exit=exit_name, because=because, troubles=troubles)


def bytes_of(messages: Iterable[Message]) -> int:
    """What the messages among these that are forms take of a call's state, about."""
    forms = [one for one in messages if one.form]
    values = [value for one in forms for value in one.values]
    texts = (*(one.form for one in forms), *(text for one in values for text in structs.astuple(one)))
    return _AROUND * len(forms) + _AROUND_VALUE * len(values) + len("".join(texts).encode())
