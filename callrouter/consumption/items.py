"""What is billed, one by one, and as it was measured: whoever has this needs the record no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from callrouter.consumption.tariff import Tariff, Time


class Kind(StrEnum):
    """What an item is."""

    CALL = "call"
    CALLBACK = "callback"
    """A call of ours to somebody who had asked for it."""
    MESSAGE = "message"
    SMS = "sms"


class Outcome(StrEnum):
    """What became of what is no call; a call's outcome is its disposition."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    TAKEN = "taken"
    SENT = "sent"
    NOT_SENT = "not_sent"


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """One of them. A time of None was not looked for, or what it was measured by is not in the record any more."""

    kind: Kind
    item_id: str
    """call_id, outgoing_id, message_id, delivery_id."""
    at: datetime
    """When it rang, was placed, or was begun; of an SMS, when its message was."""
    outcome: str
    waiting_seconds: float = 0.0
    talk_seconds: float = 0.0
    """With anybody, without hold."""
    put_through_seconds: float | None = None
    """Of the talk, that with the client's own people."""
    hold_seconds: float | None = None
    wrap_up_seconds: float | None = None
    marked: bool | None = None
    """Whether a node, or a field of its message, says that it is not to be billed."""
    elsewhere: bool = False
    """It is another client's now."""

    @property
    def key(self) -> tuple[str, str]:
        """By which it is known."""
        return self.kind, self.item_id


class Needs(Struct, frozen=True, kw_only=True):
    """What must be measured, so that some tariffs can be applied: the rest is not read."""

    legs: bool = False
    """Hold, or what was put through."""
    wrap_up: bool = False
    callbacks: bool = False
    messages: bool = False
    sms: bool = False
    nodes: frozenset[str] = frozenset()
    fields: Mapping[str, frozenset[str]] = {}

    @classmethod
    def of(cls, tariffs: Iterable[Tariff]) -> Needs:
        """Of all of them together."""
        found = list(tariffs)
        minutes = [one.minutes for one in found if one.minutes is not None]
        fields: dict[str, frozenset[str]] = {}
        for tariff in found:
            for name, values in tariff.not_billed.fields.items():
                fields[name] = fields.get(name, frozenset()) | values
        return cls(
            legs=any(Time.HOLD in one.counts or not one.put_through for one in minutes),
            wrap_up=any(Time.WRAP_UP in one.counts for one in minutes),
            callbacks=any(one.callbacks for one in minutes) or any(one.callbacks for one in found),
            messages=any(one.messages for one in found),
            sms=any(one.sms for one in found),
            nodes=frozenset(node for one in found for node in one.not_billed.nodes),
            fields=fields,
        )


def with_known(item: Item, known: Item) -> Item:
    """An item as it is measured now, and what was known of it before where that cannot be measured any more.

    Parts of the record are kept for different times: what an agent did may be gone, or the message that said wrong
    number, while the call is there. That corrects nothing.
    """
    return replace(
        item,
        put_through_seconds=_either(item.put_through_seconds, known.put_through_seconds),
        hold_seconds=_either(item.hold_seconds, known.hold_seconds),
        wrap_up_seconds=_either(item.wrap_up_seconds, known.wrap_up_seconds),
        marked=known.marked if item.marked is None else item.marked,
    )


def _either(now: float | None, before: float | None) -> float | None:
    return before if now is None else now
