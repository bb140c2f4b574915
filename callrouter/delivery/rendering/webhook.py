"""What web services are posted of messages: JSON after Standard Webhooks, and its schema.

A body is one event: `type`, `timestamp` and `data`. A type may get more fields with a release; what a reader must know
otherwise gets a new `.v2`. Of a confidential message nothing is told but its ids and its link.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from callrouter.delivery.parcel import Parcel, Told
from callrouter.delivery.rendering import people


class Caller(Struct, frozen=True, kw_only=True):
    """Who is to be called."""

    number: str | None
    """E.164 where it could be read; null: withheld."""
    name: str


class Field(Struct, frozen=True, kw_only=True):
    """One answer of a form."""

    label: str
    value: str


class Sound(Struct, frozen=True, kw_only=True):
    """A recording; whoever may hear it asks the API for it."""

    name: str
    content_type: str
    seconds: float


class Transcript(Struct, frozen=True, kw_only=True):
    """What a machine understood of a recording: it may be wrong."""

    text: str
    machine: str
    """Which one."""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message; a notice names its id, when it was taken, and its link only."""

    message_id: str
    link: str | None
    """Where a person takes it on; null: no such address is set."""
    taken_at: datetime | UnsetType = UNSET
    urgent: bool | UnsetType = UNSET
    caller: Caller | UnsetType = UNSET
    text: str | UnsetType = UNSET
    fields: list[Field] | UnsetType = UNSET
    recording: Sound | UnsetType | None = UNSET
    transcript: Transcript | UnsetType = UNSET
    """Left out: there is none, or none yet."""
    call_id: str | UnsetType | None = UNSET
    """In which it was taken; null: in none. Of a subscription's, as what follows."""
    deliver: str | UnsetType = UNSET
    """Contact or policy that it is for; empty: nobody is named."""
    form: str | UnsetType | None = UNSET
    """Name of the form; null: by voice, or in plain words."""


class Taken(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Messages for one contact: several where the client has them sent together."""

    delivery_id: str
    """The same at each repetition."""
    client: str
    client_name: str | UnsetType = UNSET
    contact: str
    """As the client's file calls them."""
    confidential: bool
    messages: list[Message]


class Acknowledged(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody has taken the messages on."""

    delivery_id: str
    client: str
    client_name: str | UnsetType = UNSET
    contact: str
    confidential: bool
    acknowledged_by: str
    messages: list[Message]


class MessageTaken(Struct, frozen=True, kw_only=True, tag_field="type", tag="message.taken.v1"):
    """A contact is to be told of messages."""

    timestamp: datetime
    """When the first of them was taken."""
    data: Taken


class MessageAcknowledged(Struct, frozen=True, kw_only=True, tag_field="type", tag="message.acknowledged.v1"):
    """A contact is told that somebody else has taken on what they were told of."""

    timestamp: datetime
    """When it was taken on."""
    data: Acknowledged


Event = MessageTaken | MessageAcknowledged

_ENCODER: Final = msgspec.json.Encoder()


def of(parcel: Parcel) -> str:
    """One event."""
    return _ENCODER.encode(_event(parcel)).decode()


def schema() -> dict[str, Any]:
    """JSON Schema of all of them; `docs/message-events.schema.json` is it."""
    made = msgspec.json.schema(Event)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Messages, as webhooks"} | made


def _event(parcel: Parcel) -> Event:
    taken_at = parcel.messages[0].taken_at
    name = UNSET if parcel.confidential else people.on_one_line(parcel.client_name)
    if parcel.kind == "notice":
        return MessageAcknowledged(
            timestamp=parcel.acknowledged_at or taken_at,
            data=Acknowledged(
                delivery_id=parcel.delivery_id,
                client=parcel.client,
                client_name=name,
                contact=parcel.contact,
                confidential=parcel.confidential,
                acknowledged_by=people.on_one_line(parcel.acknowledged_by),
                messages=[_named(one, confidential=parcel.confidential) for one in parcel.messages],
            ),
        )
    return MessageTaken(
        timestamp=taken_at,
        data=Taken(
            delivery_id=parcel.delivery_id,
            client=parcel.client,
            client_name=name,
            contact=parcel.contact,
            confidential=parcel.confidential,
            messages=[message_of(one, confidential=parcel.confidential) for one in parcel.messages],
        ),
    )


def message_of(one: Told, *, confidential: bool, whole: bool = True) -> Message:
    """A message as it is told; of one that is confidential, or not to be told as a `whole`, what names it."""
    return _whole(one) if whole and not confidential else _named(one, confidential=confidential)


def _named(one: Told, *, confidential: bool) -> Message:
    taken_at = UNSET if confidential else one.taken_at
    return Message(message_id=one.message_id, link=one.link or None, taken_at=taken_at)


def _whole(one: Told) -> Message:
    recording = one.recording
    return Message(
        message_id=one.message_id,
        link=one.link or None,
        taken_at=one.taken_at,
        urgent=one.urgent,
        caller=Caller(number=people.on_one_line(one.caller_number) or None, name=people.on_one_line(one.caller_name)),
        text=people.on_lines(one.text),
        fields=[Field(label=people.on_one_line(label), value=people.on_lines(value)) for label, value in one.fields],
        recording=None
        if recording is None
        else Sound(
            name=people.on_one_line(recording.name),
            content_type=people.on_one_line(recording.content_type),
            seconds=one.seconds,
        ),
        transcript=Transcript(text=people.on_lines(one.transcript), machine=people.on_one_line(one.transcript_by))
        if one.transcript
        else UNSET,
    )
