"""A message made of what somebody gave who took it, by the client's form; or all that is wrong with it.

A client whose file declares no forms may be taken a plain message: a text, and the caller's number and name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final
from unicodedata import category

from callrouter.core import numbers
from callrouter.core.dispatch import unopened
from callrouter.core.forms import Field, FieldType, Filled, Form, Wrong, fill
from callrouter.core.plan import Plan
from callrouter.store.messages import StoredMessage, TakenMessage

MIN_TEXT: Final = 2
MAX_TEXT: Final = 4_000
"""Characters of a plain message's text."""
PLAIN: Final = Form(
    name="",
    title="",
    fields=(
        Field(name="name", label="name", type=FieldType.NAME),
        Field(name="number", label="number", type=FieldType.NUMBER),
    ),
    deliver="",
)
"""What may be given with a plain message, beside its text."""
_GONE: Final = "a form of before"
_ASK_FORM: Final = "name the form that it is by: one of {}"
_ALLOWED: Final = frozenset("\n\u200c\u200d")
"""Not printable, and part of a text all the same: ends of lines, and what joins letters in some scripts, and emoji."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody gives who takes a message."""

    message_id: str
    client: str
    form: str | None
    """None: a plain message."""
    fields: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    """Of a plain message."""
    urgent: bool = False
    deliver: str | None = None
    """A contact; None: whom the form names."""
    call_id: str | None = None


def composed(
    given: Given, plan: Plan, *, region: str, caller_number: str | None, taken_by: str, at: datetime
) -> TakenMessage | list[Wrong]:
    """The message, or all that is wrong: `Wrong.field` is `fields.NAME`, `text`, `form` or `deliver`.

    Args:
        given: as it was sent.
        plan: of the client, as it is live.
        region: ISO 3166 country whose national numbers are understood.
        caller_number: of the call in which it was taken; None: there is no call, or it shows none.
        taken_by: who took it: a principal's name.
        at: when it was complete.
    """
    form = _form(given, plan)
    if isinstance(form, Wrong):
        return [form]
    found = _filled(form, given.fields, region=region, caller_number=caller_number)
    wrong = [] if isinstance(found, Filled) else found
    text = _text(given.text) if form is PLAIN else _no_text(given.text)
    if isinstance(text, Wrong):
        wrong = [*wrong, text]
    deliver = form.deliver if given.deliver is None else given.deliver
    if given.deliver is not None and (unknown := unknown_contact(plan, given.deliver)):
        wrong = [*wrong, unknown]
    if wrong or isinstance(found, list) or isinstance(text, Wrong):
        return wrong
    return TakenMessage(
        message_id=given.message_id,
        client=given.client,
        call_id=given.call_id,
        form=form.name or None,
        fields={} if form is PLAIN else dict(found.values),
        labels=() if form is PLAIN else form.labels,
        text=text if form is PLAIN else found.text,
        urgent=found.urgent or given.urgent,
        caller_number=found.caller_number,
        caller_name=found.caller_name,
        deliver=deliver,
        taken_by=taken_by,
        started_at=at,
        taken_at=at,
        plan_version=plan.version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to stand in a message from now on; None: as it is."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Those that change; an empty text takes one out."""
    text: str | None = None
    urgent: bool | None = None


def corrected(
    message: StoredMessage, correction: Correction, plan: Plan | None, *, region: str
) -> dict[str, Any] | list[Wrong]:
    """By column, the values that a correction changes; or all that is wrong. Nothing: it stands so already.

    `plan` is the client's live one. Where it has not all fields of the message's form any more, each field is a text.
    """
    form = _form_of(message, plan)
    wrong: list[Wrong] = []
    values: dict[str, Any] = {}
    if correction.fields:
        before = dict(message.fields or {}) if form is not PLAIN else _plain_fields(message)
        found = _filled(form, before | dict(correction.fields), region=region, caller_number=None)
        if isinstance(found, list):
            wrong += found
        else:
            values |= _of_fields(form, found, message, frozenset(correction.fields))
    if correction.text is not None:
        text = _text(correction.text) if form is PLAIN else _no_text(correction.text)
        if isinstance(text, Wrong):
            wrong.append(text)
        elif form is PLAIN:
            values["text"] = text
    if correction.urgent is not None:
        values["urgent"] = correction.urgent
    if wrong:
        return wrong
    return {name: value for name, value in values.items() if value != getattr(message, name)}


def labelled(message: StoredMessage) -> list[tuple[str, str, str]]:
    """What a message's fields say: name, label and value, in the order its form had then."""
    labels = dict(message.labels)
    places = {name: place for place, name in enumerate(labels)}
    names = sorted(message.fields, key=lambda name: places.get(name, len(places)))
    return [(name, labels.get(name, name), message.fields[name]) for name in names]


def unknown_contact(plan: Plan, name: str) -> Wrong | None:
    """What is wrong with the name of a contact, or of a policy; None: the client has it."""
    if name in plan.contacts or name in plan.policies:
        return None
    if not plan.contacts:
        return Wrong(field="deliver", reason="the client has no contacts: leave it out")
    return Wrong(
        field="deliver", reason=f"the client has no such contact: {_meant(name, [*plan.contacts, *plan.policies])}"
    )


def cannot_open(plan: Plan, deliver: str, *, urgent: bool, confidential: bool, at: datetime) -> tuple[str, ...]:
    """Of a message that is for a contact or a policy from an instant on: who could not open its link, if it is
    confidential, or was; a sentence for each."""
    policy = plan.policy_for(deliver)
    if policy is None or not (confidential or policy.confidential):
        return ()
    return unopened(policy, plan.people, plan.rotas, urgent=urgent, at=at)


def _form(given: Given, plan: Plan) -> Form | Wrong:
    names = [form.name for form in plan.forms]
    if given.form is None:
        return Wrong(field="form", reason=_ASK_FORM.format(", ".join(names))) if names else PLAIN
    found = next((form for form in plan.forms if form.name == given.form), None)
    if found is not None:
        return found
    if not names:
        return Wrong(field="form", reason="the client has no forms: leave it out, and give a text")
    return Wrong(field="form", reason=f"the client has no such form: {_meant(given.form, names)}")


def _form_of(message: StoredMessage, plan: Plan | None) -> Form:
    """The form by which a message is corrected."""
    if not message.form:
        return PLAIN
    names = {name for name, _ in message.labels or ()} | set(message.fields or {})
    live = next((form for form in (plan.forms if plan else ()) if form.name == message.form), None)
    if live is not None and names <= {one.name for one in live.fields}:
        return live
    fields = [Field(name=name, label=label, type=FieldType.TEXT) for name, label in message.labels or ()]
    return Form(name=message.form, title=_GONE, fields=tuple(fields), deliver="")


def _of_fields(form: Form, found: Filled, message: StoredMessage, changed: frozenset[str]) -> dict[str, Any]:
    """Columns that follow from the fields."""
    values: dict[str, Any] = {}
    if form is not PLAIN:
        values |= {"fields": dict(found.values), "text": found.text}
    if form.title == _GONE:  # what was a text then stands in the message's text
        lines = message.text.split("\n")
        texts = [name for name, value in message.fields.items() if value in lines]
        values["text"] = "\n".join(value for name, value in found.values.items() if name in texts)
    types = {one.type for one in form.fields}
    if FieldType.NUMBER in types:
        values["caller_number"] = found.caller_number
    if FieldType.NAME in types:
        values["caller_name"] = found.caller_name
    # Whoever took it may have said so beside the form: that stays, unless the field itself changes.
    if any(one.type is FieldType.URGENCY and one.name in changed for one in form.fields):
        values["urgent"] = found.urgent
    return values


def _plain_fields(message: StoredMessage) -> dict[str, str]:
    return {"name": message.caller_name, "number": message.caller_number or ""}


def _filled(form: Form, fields: Mapping[str, str], *, region: str, caller_number: str | None) -> Filled | list[Wrong]:
    if form is PLAIN and not any(value.strip() for value in fields.values()) and fields.keys() <= {"name", "number"}:
        own = numbers.normalise(caller_number, region) if caller_number else None
        shown = own if own and own.startswith("+") else None
        return Filled(values={}, urgent=False, caller_number=shown, caller_name="", text="")
    found = fill(form, fields, region=region, caller_number=caller_number)
    if isinstance(found, Filled):
        return found
    return [Wrong(field=f"fields.{one.field}" if one.field else "fields", reason=_reason(one, form)) for one in found]


def _reason(wrong: Wrong, form: Form) -> str:
    return wrong.reason.replace("form  has", "a plain message has") if form is PLAIN else wrong.reason


def _text(written: str) -> str | Wrong:
    """The text of a plain message: lines are kept, and end as they do here."""
    text = written.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    if not MIN_TEXT <= len(text) <= MAX_TEXT:
        return Wrong(field="text", reason=f"is {len(text)} characters long: a message has {MIN_TEXT} to {MAX_TEXT}")
    if any(not (char.isprintable() or char in _ALLOWED or category(char) == "Zs") for char in text):
        return Wrong(field="text", reason="holds a control character: write letters, figures and line breaks")
    if not any(map(str.isalnum, text)):
        return Wrong(field="text", reason="says nothing: write at least a word")
    return text


def _no_text(written: str) -> str | Wrong:
    return Wrong(field="text", reason="is of plain messages: write it in the form's fields") if written else ""


def _meant(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(name[:64], names, n=1)
    return f"did you mean {close[0]}?" if close else f"there is {', '.join(names)}"
