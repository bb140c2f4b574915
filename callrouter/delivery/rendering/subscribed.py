"""What subscriptions are posted of messages: by the types, and in the words, of what contacts are posted of them.

So who receives both can read both. A subscription has no link, since nobody takes a message on behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET

from callrouter.delivery.parcel import Told
from callrouter.delivery.rendering import people, webhook
from callrouter.delivery.rendering.webhook import Acknowledged, Taken


class Overdue(Taken, frozen=True, kw_only=True):
    """A message stands on the agents' list."""

    reason: str
    """Why, for a person: nobody has acknowledged it, or nobody could be told."""


DATA: Final[Mapping[str, type[msgspec.Struct]]] = {
    "message.taken": Taken,
    "message.acknowledged": Acknowledged,
    "message.overdue": Overdue,
}
"""What stands in `data`, by kind."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a message beside itself."""

    event_id: str
    client: str
    client_name: str
    subscription: str
    confidential: bool
    call_id: str | None
    deliver: str
    form: str | None
    acknowledged_by: str
    reason: str


def data_of(kind: str, told: Told, about: About) -> dict[str, Any]:
    """`data` of an event about a message; of a confidential one, ids."""
    common: dict[str, Any] = {
        "delivery_id": about.event_id,
        "client": about.client,
        "client_name": UNSET if about.confidential else people.on_one_line(about.client_name),
        "contact": about.subscription,
        "confidential": about.confidential,
    }
    message = webhook.message_of(told, confidential=about.confidential, whole=kind != "message.acknowledged")
    more: dict[str, Any] = {"call_id": about.call_id}
    if not about.confidential:
        more |= {"deliver": about.deliver, "form": about.form}
    messages = [msgspec.structs.replace(message, **more)]
    if kind == "message.acknowledged":
        by = people.on_one_line(about.acknowledged_by)
        return _builtins(Acknowledged(**common, messages=messages, acknowledged_by=by))
    if kind == "message.overdue":
        reason = "" if about.confidential else people.on_one_line(about.reason)
        return _builtins(Overdue(**common, messages=messages, reason=reason))
    return _builtins(Taken(**common, messages=messages))


def _builtins(data: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(data)
    return found
