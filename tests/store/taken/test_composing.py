"""A message of what was given, or all that is wrong with it; and what a correction changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.call import replace
from callrouter.core.forms import Field, FieldType, Form, Wrong
from callrouter.core.nodes.queue import QueueNode
from callrouter.core.plan import Plan
from callrouter.store.messages import TakenMessage
from callrouter.store.taken.composing import Given, composed
from callrouter.testing import plan_of
from tests.store.taken.messages import AT

FORM = Form(
    name="patient",
    title="A patient's",
    fields=(
        Field(name="name", label="Name", type=FieldType.NAME),
        Field(name="number", label="Telephone", type=FieldType.NUMBER),
        Field(name="words", label="Message", type=FieldType.TEXT),
        Field(name="urgency", label="Urgency", type=FieldType.URGENCY),
    ),
    deliver="doctor",
)
QUEUE = QueueNode(name="secretaries", queue="medical", exits={"overflow": "secretaries"}, max_wait_seconds=60)
PLAN = replace(plan_of(QUEUE), contacts={"doctor": "Dr Moreau"})


def made(plan: Plan = PLAN, number: str | None = None, **fields: Any) -> TakenMessage | list[Wrong]:
    sent = Given(message_id="m", client="acme", **({"form": None} | fields))
    return composed(sent, plan, region="FR", caller_number=number, taken_by="token:desk", at=AT)


def message(plan: Plan = PLAN, number: str | None = None, **fields: Any) -> TakenMessage:
    found = made(plan, number, **fields)
    assert isinstance(found, TakenMessage), found
    return found


WITH_FORM = replace(PLAN, forms=(FORM,))


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("0612340001", "+33612340001"),
        ("+33612340001", "+33612340001"),
        ("3966", None),
        ("anonymous", None),
        (None, None),
    ],
)
def test_the_number_of_the_call(number: str | None, kept: str | None) -> None:
    """Where one can be called back at it; one that was given goes before it."""
    by_form = message(WITH_FORM, number, form="patient", fields={"words": "Ring back."})

    assert message(number=number, text="Ring back.").caller_number == kept
    assert (by_form.caller_number, by_form.fields.get("number")) == (kept, kept)
    assert (
        message(number=number, text="Ring back.", fields={"number": "01 99 00 00 10"}).caller_number == "+33199000010"
    )


def test_what_is_urgent() -> None:
    """By a field of the form, or beside it."""
    given = {"words": "Ring back."}

    assert [
        message(WITH_FORM, form="patient", fields=given | fields, urgent=beside).urgent
        for fields, beside in [({}, False), ({}, True), ({"urgency": "urgent"}, False), ({"urgency": "normal"}, True)]
    ] == [False, True, True, True]


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = made(WITH_FORM, form="patient", fields={"number": "12", "nmae": "J"}, text="x", deliver="docter")

    assert isinstance(found, list)
    assert [one.field for one in found] == ["fields.nmae", "fields.number", "text", "deliver"]
    assert "did you mean doctor?" in found[-1].reason


def test_nothing_is_no_message() -> None:
    assert isinstance(made(WITH_FORM, "0612340001", form="patient", fields={"urgency": "urgent"}), list)
    assert isinstance(made(text=" \n "), list)


@given(st.text(max_size=60), st.dictionaries(st.sampled_from(["name", "number", "words"]), st.text(max_size=60)))
def test_whatever_is_sent(text: str, fields: dict[str, str]) -> None:
    """Nothing that is kept hides, or cannot be stored; a message made of what is kept is the same."""
    for plan, form in ((PLAN, None), (WITH_FORM, "patient")):
        found = made(plan, form=form, fields=fields, text=text if form is None else "")
        if isinstance(found, list):
            assert all(one.reason for one in found)
            continue
        assert (found.text + "".join(found.fields.values()) + found.caller_name).encode()
        assert not set(found.text) & {"\x00", "\r", "\x1b", "\u202e", "\u2028"}
        assert not any("\n" in value for value in found.fields.values())
        again = made(plan, form=form, fields=found.fields, text=found.text if form is None else "")
        if form is not None:
            assert again == found
