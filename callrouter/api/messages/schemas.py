"""Messages, forms, and what is done with them, as the API takes and answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from callrouter.api.filters import TEXT
from callrouter.api.schemas.base import CALL_ID, Instant, NextCursor, Out, Seconds
from callrouter.core.forms import FieldType, Form
from callrouter.core.plan import Plan
from callrouter.store.messages import MessageChange, StoredMessage
from callrouter.store.tables import MessageChangeKind, MessageState
from callrouter.store.taken.composing import MAX_TEXT, labelled
from callrouter.store.taken.sameness import Kept

MESSAGE_ID = "8b0f2f5e-3c1b-4d7c-9a55-0f6f4c1f7f10"
"""Of examples."""
MOST_FIELDS = 64
_CLIENT = "cabinet-moreau"

FieldName = Annotated[str, Field(max_length=100)]
ContactName = Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)]
Note = Annotated[
    str,
    Field(max_length=1_000, pattern=TEXT, description="What is said of it, for the trail", examples=["called back"]),
]
Revision = Annotated[
    int | None,
    Field(
        ge=1,
        le=2**31 - 1,
        description="Of the message as you have seen it: 409 if it has changed since",
        examples=[None],
    ),
]


class FieldOut(Out):
    """What was written into one field of a form."""

    name: str = Field(examples=["birth"])
    label: str = Field(description="What a person calls it, as it was then", examples=["Date of birth"])
    value: str = Field(examples=["1950-04-05"])


class MessageOut(Out):
    """One message: by voice (it has a recording), by form (it has fields), or in plain words."""

    message_id: str = Field(examples=[MESSAGE_ID])
    call_id: str | None = Field(description="null: taken without a call", examples=[CALL_ID])
    client: str = Field(examples=["etude-lenoir"])
    state: MessageState = Field(examples=[MessageState.OPEN])
    urgent: bool
    taken_at: Instant = Field(description="When it was complete")
    taken_by: str = Field(description="Who took it; empty: the client's tree", examples=["token:desk"])
    caller_number: str | None = Field(description="null: none is known", examples=["+33612340001"])
    caller_name: str = Field(examples=["Jeanne Martin"])
    text: str = Field(description="In words; empty: by voice", examples=["Asks to be called back about her X-ray."])
    form: str | None = Field(description="null: by voice, or in plain words", examples=["patient"])
    fields: list[FieldOut] = Field(description="In the form's order")
    deliver: str = Field(description="Contact it is meant for; empty: nobody is named", examples=["email_doctor"])
    recording: str | None = Field(description="Name of the recording, without folder or suffix; null: none")
    seconds: Seconds | None = Field(description="Of the recording; null: none")
    transcript: str = Field(
        description="What a machine understood of the recording, which may be wrong; empty: nothing, or nothing yet",
        examples=[""],
    )
    transcript_by: str = Field(description="Which machine wrote the transcript", examples=["faster-whisper small"])
    started_at: Instant = Field(description="When taking it began: the order of the list")
    node: str | None = Field(
        description="The client's node that took it; null: somebody did", examples=["take_message"]
    )
    revision: int = Field(description="1 when it was taken; each change makes one more", examples=[1])

    @classmethod
    def of(cls, message: StoredMessage) -> Self:
        """From the record's own."""
        return cls.model_validate(columns_of(message))


class ChangeOut(Out):
    """What somebody did with a message."""

    number: int = Field(description="1 for the first change", examples=[1])
    at: Instant
    principal: str = Field(description="Who, as the audit trail has it", examples=["token:desk"])
    change: MessageChangeKind
    note: str = Field(examples=["called back"])
    before: dict[str, Any] = Field(
        description="What it replaced, by the message's field", examples=[{"text": "Asks to be called back."}]
    )


class MessageDetailOut(MessageOut):
    """One message with its whole trail."""

    changes: list[ChangeOut] = Field(description="The oldest first")
    delivery: str = Field(
        description="The page that says who was told of it, and what came of it",
        examples=[f"/api/messages/{MESSAGE_ID}/delivery"],
    )
    warnings: list[str] = Field(
        description="What a person has to see to after what was just asked for: show it to whoever asked. Of reassign: "
        "who cannot open the link that they are sent",
        examples=[[]],
    )

    @classmethod
    def of_kept(cls, kept: Kept, warnings: Sequence[str] = ()) -> Self:
        """From the record's own."""
        message, changes = kept
        delivery = f"/api/messages/{quote(message.message_id, safe='')}/delivery"
        made = {"changes": [_change(one) for one in changes], "delivery": delivery, "warnings": list(warnings)}
        return cls.model_validate({**columns_of(message), **made})


class MessagesOut(Out):
    """A page of messages, the newest first."""

    messages: list[MessageOut]
    next_cursor: NextCursor


class KeptOnDiskOut(Out):
    """A message that is kept, and not in the record yet."""

    message_id: str = Field(examples=[MESSAGE_ID])
    detail: str = Field(examples=["kept on disk: it is in the record as soon as PostgreSQL answers"])


class MessageTaken(BaseModel):
    """A message that somebody takes."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(description="Yours, a new one for each message: sent again it is the same", examples=[MESSAGE_ID])
    client: str = Field(pattern="^[a-z0-9-]+$", max_length=64, examples=[_CLIENT])
    form: Annotated[str, Field(max_length=100)] | None = Field(
        default=None,
        description="One of the client's; null: a plain message, of a client without forms",
        examples=["patient"],
    )
    fields: dict[FieldName, str] = Field(
        default={},
        max_length=MOST_FIELDS,
        description="By the form's fields; of a plain message `number` and `name`",
        examples=[{"name": "Jeanne Martin", "number": "0612340001"}],
    )
    text: str = Field(
        default="",
        max_length=2 * MAX_TEXT,
        description=f"Of a plain message: 2 to {MAX_TEXT} characters; else empty",
        examples=[""],
    )
    urgent: bool = Field(default=False, description="Also true where a field of the form says so")
    deliver: ContactName | None = Field(
        default=None, description="A contact of the client; null: the form's own", examples=["email_doctor"]
    )
    call_id: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)] | None = Field(
        default=None, description="The call in which it is taken: its caller's number is filled in", examples=[CALL_ID]
    )


class MessageCorrected(BaseModel):
    """What is to stand in a message from now on; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[FieldName, str] = Field(
        default={},
        max_length=MOST_FIELDS,
        description="Those that change; an empty text takes one out",
        examples=[{"name": "Jeanne Martin-Petit"}],
    )
    text: str | None = Field(
        default=None, max_length=2 * MAX_TEXT, description="Of a plain message, or one by voice", examples=[None]
    )
    urgent: bool | None = Field(default=None, description="Whether somebody must hear of it at once")
    note: Note = ""
    revision: Revision = None


class MessageSettled(BaseModel):
    """What is said of a message that is done, or is to be done after all."""

    model_config = ConfigDict(extra="forbid")

    note: Note = ""
    revision: Revision = None


class MessageReassigned(BaseModel):
    """For whom a message is from now on."""

    model_config = ConfigDict(extra="forbid")

    deliver: ContactName = Field(description="A contact of the client", examples=["doctor"])
    note: Note = ""
    revision: Revision = None


class ChoiceOut(Out):
    """One of a field's choices."""

    value: str = Field(examples=["x-ray"])
    label: str = Field(examples=["An X-ray"])


class FormFieldOut(Out):
    """What is to be asked."""

    name: str = Field(examples=["birth"])
    label: str = Field(examples=["Date of birth"])
    type: FieldType
    required: bool
    choices: list[ChoiceOut] = Field(description="Of a choice")


class FormOut(Out):
    """One of a client's forms."""

    name: str = Field(examples=["patient"])
    title: str = Field(examples=["A patient's message"])
    deliver: str = Field(description="Contact its messages are for", examples=["email_doctor"])
    fields: list[FormFieldOut]

    @classmethod
    def of(cls, form: Form) -> Self:
        """From the plan's own."""
        fields = [
            FormFieldOut(
                name=one.name,
                label=one.label,
                type=one.type,
                required=one.required,
                choices=[ChoiceOut(value=value, label=label) for value, label in one.choices],
            )
            for one in form.fields
        ]
        return cls(name=form.name, title=form.title, deliver=form.deliver, fields=fields)


class ContactOut(Out):
    """Somebody whom a message may be for."""

    name: str = Field(examples=["email_doctor"])
    title: str = Field(examples=["Dr Moreau"])


class FormsOut(Out):
    """What is to be asked for a client's messages."""

    client: str = Field(examples=[_CLIENT])
    plan_version: str = Field(examples=["633686a34dae"])
    applies: str | None = Field(
        description="The form that is for the call, or for now; null: none is", examples=["patient"]
    )
    forms: list[FormOut] = Field(description="In the file's order; empty: plain messages are taken")
    contacts: list[ContactOut] = Field(description="Whom a message may be for")
    caller_number: str | None = Field(description="Of the call; null: none is known", examples=["+33612340001"])

    @classmethod
    def of(cls, plan: Plan, applies: Form | None, caller_number: str | None) -> Self:
        """From the client's plan."""
        return cls(
            client=plan.client,
            plan_version=plan.version,
            applies=applies.name if applies else None,
            forms=[FormOut.of(form) for form in plan.forms],
            contacts=[ContactOut(name=name, title=title) for name, title in plan.contacts.items()],
            caller_number=caller_number,
        )


def columns_of(message: StoredMessage) -> dict[str, Any]:
    """What `MessageOut` has of a message."""
    columns = {name: getattr(message, name) for name in MessageOut.model_fields if name != "fields"}
    return columns | {"fields": _fields(message)}


def _fields(message: StoredMessage) -> list[FieldOut]:
    return [FieldOut(name=name, label=label, value=value) for name, label, value in labelled(message)]


def _change(change: MessageChange) -> dict[str, Any]:
    return {name: getattr(change, name) for name in ChangeOut.model_fields}
