"""What subscriptions are posted, and its schema: after Standard Webhooks, in the fields of the API's own answers.

A body is `type`, `id`, `timestamp`, `client` and `data`. A type may get more fields with a release; what a reader must
know otherwise gets a type of its own (`.v2`), which a subscription has to name.
"""

from __future__ import annotations

import datetime as dates
import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from pydantic import Field
from pydantic.json_schema import models_json_schema

from callrouter.api.schemas.base import CALL_ID, Instant, Out
from callrouter.api.schemas.calls import CallOut
from callrouter.api.schemas.stats import ClientStatsOut, GapOut
from callrouter.core.dispatch import Kind
from callrouter.delivery.rendering import subscribed
from callrouter.dispatch.days import DayTelling
from callrouter.dispatch.parcels import told_of
from callrouter.dispatch.telling import Telling
from callrouter.outgoing.order import Settlement


class CallTold(CallOut):
    """A call that is over."""

    client_name: str = Field(examples=["Cabinet du docteur Moreau"])
    revision: int = Field(
        ge=1, description="1 the first time; a higher one where the record was corrected: of several the highest stands"
    )


class CallbackTold(Out):
    """A wish to be called back."""

    call_id: str = Field(examples=[CALL_ID])
    position: int = Field(ge=1, description="1 for the first wish of the call")
    client: str = Field(examples=["cabinet-moreau"])
    client_name: str = Field(examples=["Cabinet du docteur Moreau"])
    number: str = Field(description="Number to call, E.164", examples=["+33612340001"])
    node: str = Field(examples=["offer_callback"])
    asked_at: Instant
    state: str = Field(examples=["open"])
    settled_at: Instant | None
    settled_by: Settlement | None


class DayTold(ClientStatsOut):
    """One client's figures of a day."""

    client_name: str = Field(examples=["Cabinet du docteur Moreau"])
    day: dates.date = Field(description="By the client's own clocks: it has 23 or 25 hours where they change")
    timezone: str = Field(examples=["Europe/Paris"])
    revision: int = Field(ge=1, description="1 the first time; one more whenever the figures have changed")
    gaps: list[GapOut] = Field(description="Times of the day in which calls may be missing")


_MODELS: Final[dict[Kind, type[Out]]] = {
    Kind.CALL_ENDED: CallTold,
    Kind.CALL_ABANDONED: CallTold,
    Kind.CALLBACK_ASKED: CallbackTold,
    Kind.CALLBACK_SETTLED: CallbackTold,
    Kind.DAY_FIGURES: DayTold,
}


def happened_body(telling: Telling) -> str:
    """What is posted of something that happened."""
    one = telling.happened
    if one.message is not None:
        return _body(telling.event_id, one.kind, _message_at(telling), one.owner, _of_message(telling))
    if one.call is not None:
        ended_at = one.call.clocks.ended_at
        at = ended_at if ended_at and one.revision == 1 else one.at
        summary = CallOut.of(one.call).model_dump(mode="json") | {"client": one.owner}
        more = {"client_name": telling.plan.name, "revision": one.revision}
        return _body(telling.event_id, one.kind, at, one.owner, summary | more)
    callback = one.callback
    assert callback is not None
    asked = one.kind is Kind.CALLBACK_ASKED
    own = (name for name in CallbackTold.model_fields if name not in ("client_name", "client"))
    found = {name: getattr(callback, name) for name in own}
    if asked:  # as it was when it was asked for, whatever has become of it
        found |= {"state": "open", "settled_at": None, "settled_by": None}
    data = CallbackTold(**found, client=one.owner, client_name=telling.plan.name)
    at = callback.asked_at if asked else callback.settled_at or one.at
    return _body(telling.event_id, one.kind, at, one.owner, data.model_dump(mode="json"))


def day_body(telling: DayTelling) -> str:
    """What is posted of a day's figures."""
    figures = ClientStatsOut.of(telling.stats)
    data = DayTold(
        **{name: getattr(figures, name) for name in ClientStatsOut.model_fields},
        client_name=telling.client_name,
        day=telling.day,
        timezone=telling.timezone,
        revision=telling.revision,
        gaps=[GapOut.model_validate(gap) for gap in telling.gaps],
    )
    client = telling.stats.client
    return _body(telling.event_id, Kind.DAY_FIGURES, telling.at, client, data.model_dump(mode="json"))


def schema() -> dict[str, Any]:
    """JSON Schema of all of them; `docs/events.schema.json` is it."""
    made, own = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(_MODELS.values())], ref_template="#/$defs/{model}"
    )
    types = list(subscribed.DATA.values())
    references, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    data = {kind: made[model, "serialization"] for kind, model in _MODELS.items()}
    data |= {Kind(name): reference for name, reference in zip(subscribed.DATA, references, strict=True)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What happens, as webhooks for subscriptions",
        "anyOf": [_envelope(kind, data[kind]) for kind in Kind],
        "$defs": {**own["$defs"], **definitions},
    }


def _envelope(kind: Kind, data: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "title": kind.versioned,
        "type": "object",
        "properties": {
            "type": {"const": kind.versioned},
            "id": {**text, "description": "The same at each repetition, and in webhook-id"},
            "timestamp": {**text, "format": "date-time", "description": "When it happened"},
            "client": {**text, "description": "The client's present identifier"},
            "data": data,
        },
        "required": ["type", "id", "timestamp", "client", "data"],
    }


def _body(event_id: str, kind: Kind, at: datetime, client: str, data: dict[str, Any]) -> str:
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = {"type": kind.versioned, "id": event_id, "timestamp": timestamp, "client": client, "data": data}
    # Halves of surrogate pairs, and NUL, which a caller's name may hold, are no text of PostgreSQL's.
    written = json.dumps(_readable(body), ensure_ascii=False, separators=(",", ":"))
    return written.encode("utf-8", "replace").decode()


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {key: _readable(inner) for key, inner in value.items()}
    return [_readable(inner) for inner in value] if isinstance(value, list) else value


def _message_at(telling: Telling) -> datetime:
    one = telling.happened
    assert one.message is not None
    if one.kind is Kind.MESSAGE_TAKEN:
        return one.message.taken_at
    return (one.standing.ended_at if one.standing else None) or one.at


def _of_message(telling: Telling) -> dict[str, Any]:
    one, standing = telling.happened, telling.happened.standing
    assert one.message is not None
    by = standing.acknowledged_by if standing else ""
    who = telling.plan.people.get(by)
    about = subscribed.About(
        event_id=telling.event_id,
        client=one.owner,
        client_name=telling.plan.name,
        subscription=telling.subscription.name,
        confidential=telling.confidential,
        call_id=one.message.call_id,
        deliver=one.message.deliver,
        form=one.message.form,
        acknowledged_by=who.title if who is not None else by,
        reason=standing.reason if standing else "",
    )
    return subscribed.data_of(one.kind.value, told_of(one.message), about)
