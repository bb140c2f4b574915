"""What somebody is told of messages, made of their rows and of the client's plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from callrouter.core.plan import Plan
from callrouter.delivery.parcel import Attachment, Kind, Parcel, Told
from callrouter.dispatch.enclosing import Made
from callrouter.store.access.sound_file import path_of
from callrouter.store.dispatch.outbox import OnItsWay
from callrouter.store.messages.reading import StoredMessage
from callrouter.store.tables import DeliveryKind

LivePlan = Callable[[str], Awaitable[Plan | None]]
"""The plan of a client that is live; None: it has none. Raises StoreError."""
KeptPlan = Callable[[str, str], Awaitable[Plan | None]]
"""The plan of a client in some version; None: nobody has kept it. Raises StoreError."""
LANGUAGE: Final = "en"
"""Of a client that has no plan any more."""
_KINDS: Final[Mapping[DeliveryKind, Kind]] = {
    DeliveryKind.MESSAGE: "message",
    DeliveryKind.NOTICE: "notice",
    DeliveryKind.CODE: "code",
}


def parcel_of(
    told: Sequence[OnItsWay],
    messages: Mapping[str, StoredMessage],
    plan: Plan | None,
    made: Made,
    recordings: Path,
) -> Parcel:
    """One parcel for tellings that go together: of one contact, by one means, to one address.

    `made` is what it is to hold; without a link there is no public address. `recordings` is the folder that Asterisk
    writes to.
    """
    first = told[0].queued
    reach = plan.people.get(first.contact) if plan is not None else None
    return Parcel(
        delivery_id=first.delivery_id,
        client=first.client,
        client_name=plan.name if plan is not None else first.client,
        timezone=plan.timezone if plan is not None else "UTC",
        language=(reach.language if reach else "") or (plan.language if plan is not None else LANGUAGE),
        contact=first.contact,
        contact_title=reach.title if reach is not None else first.contact,
        kind=_KINDS.get(first.kind, "message"),
        messages=tuple(
            told_of(messages[one.queued.message_id], made.links.get(one.queued.delivery_id, ""), recordings)
            for one in told
        ),
        # One that may hold nothing keeps the whole parcel from holding anything.
        confidential=any(one.confidential for one in told) or first.kind is DeliveryKind.CODE,
        code=made.codes.get(first.delivery_id, ""),
        reply_code=made.replies.get(first.delivery_id, ""),
        acknowledged_by=_called(told[0].acknowledged_by, plan),
        acknowledged_at=told[0].acknowledged_at,
        secret=reach.secret if reach is not None else "",
    )


def _called(name: str, plan: Plan | None) -> str:
    reach = plan.people.get(name) if plan is not None else None
    return reach.title if reach is not None else name


def told_of(message: StoredMessage, link: str = "", recordings: Path = Path()) -> Told:
    """A message as somebody is told it."""
    labels = dict(message.labels)
    path = path_of(recordings, message.recording) if message.recording else None
    return Told(
        message_id=message.message_id,
        taken_at=message.taken_at,
        urgent=message.urgent,
        caller_number=message.caller_number or "",
        caller_name=message.caller_name,
        text="" if message.form else message.text,
        fields=tuple((labels.get(name, name), value) for name, value in _in_order(message)),
        recording=Attachment(name="message.wav", content_type="audio/wav", path=path) if path is not None else None,
        seconds=message.seconds or 0.0,
        transcript=message.transcript,
        transcript_by=message.transcript_by,
        link=link,
    )


def _in_order(message: StoredMessage) -> list[tuple[str, str]]:
    places = {name: place for place, (name, _) in enumerate(message.labels)}
    return sorted(message.fields.items(), key=lambda one: places.get(one[0], len(places)))
