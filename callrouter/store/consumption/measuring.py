"""Reads what is billed from the record: calls, callbacks, messages and SMS of a client, as they were measured.

Columns are read, not calls; and of what stands beside calls (legs, wrap-ups, messages) only what the client's tariffs
ask for. All is found by the client and by when it came, or by its id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.consumption.items import Item, Kind, Needs, Outcome
from callrouter.store.tables import PATH_ARROW


async def measure(
    connection: AsyncConnection, names: Sequence[str], from_at: datetime, to_at: datetime, needs: Needs
) -> list[Item]:
    """All that came in a period (`to_at` not included), in any order.

    Args:
        connection: open.
        names: the client's, all that it has had.
        from_at: included.
        to_at: not included.
        needs: what must be known of them.
    """
    values = {"names": list(names), "from_at": from_at, "to_at": to_at}
    return await _read(
        connection, names, "{at} >= :from_at AND {at} < :to_at AND {client} = ANY(:names)", values, needs
    )


async def measure_some(
    connection: AsyncConnection,
    names: Sequence[str],
    keys: Collection[tuple[str, str]],
    from_at: datetime,
    to_at: datetime,
    needs: Needs,
) -> list[Item]:
    """Items by their keys, whenever they came and whose ever they are now; those that are deleted are left out.

    The period is that in which their messages are looked for.
    """
    if not keys:
        return []
    values = {"names": list(names), "from_at": from_at, "to_at": to_at, "ids": [item_id for _, item_id in keys]}
    kinds = {kind for kind, _ in keys}
    found = await _read(connection, names, "{id} = ANY(:ids)", values, needs, kinds)
    return [one for one in found if one.key in keys]


async def _read(
    connection: AsyncConnection,
    names: Sequence[str],
    where: str,
    values: Mapping[str, Any],
    needs: Needs,
    kinds: Collection[str] = tuple(Kind),
) -> list[Item]:
    found: list[Item] = []
    ours = frozenset(names)
    told = await _told(connection, values, needs)
    if Kind.CALL in kinds:
        found += await _calls(connection, ours, where, values, needs, told)
    if Kind.CALLBACK in kinds and needs.callbacks:
        found += await _callbacks(connection, ours, where, values)
    if Kind.MESSAGE in kinds and needs.messages:
        found += await _messages(connection, ours, where, values, needs)
    if Kind.SMS in kinds and needs.sms:
        found += await _sms(connection, ours, where, values)
    return found


async def _calls(
    connection: AsyncConnection,
    ours: frozenset[str],
    where: str,
    values: Mapping[str, Any],
    needs: Needs,
    told: Mapping[str, bool],
) -> list[Item]:
    query = _CALLS.format(
        nodes="node_path" if needs.nodes else "NULL",
        sides=_SIDES if needs.legs or needs.wrap_up else _NO_SIDES,
        after=_AFTER if needs.wrap_up else _NOTHING_AFTER,
        where=where.format(at="calls.ringing_at", client="calls.client", id="calls.call_id"),
    )
    asks = bool(needs.nodes or needs.fields)
    return [
        Item(
            kind=Kind.CALL,
            item_id=call_id,
            at=at,
            outcome=outcome,
            waiting_seconds=waiting,
            talk_seconds=talk,
            put_through_seconds=put_through if needs.legs else None,
            hold_seconds=hold if needs.legs else None,
            wrap_up_seconds=wrap_up,
            marked=_marked(path, told.get(call_id), needs) if asks else None,
            elsewhere=client not in ours,
        )
        for call_id, client, at, outcome, waiting, talk, path, put_through, hold, wrap_up in await connection.execute(
            text(query), _used(query, values)
        )
    ]


def _marked(path: str | None, told: bool | None, needs: Needs) -> bool | None:
    """Whether a call passed one of the nodes, or a message of it says so; None: what would say so is not there."""
    if told or (path and not needs.nodes.isdisjoint(path.split(PATH_ARROW))):
        return True
    return None if (needs.nodes and not path) or (needs.fields and told is None) else False


async def _told(connection: AsyncConnection, values: Mapping[str, Any], needs: Needs) -> dict[str, bool]:
    """By call that has a message with a form: whether a field of one says that the call is not billed."""
    found: dict[str, bool] = {}
    if needs.fields:
        rows = await connection.execute(text(_TOLD), _used(_TOLD, values))
        for call_id, fields in rows:
            says = _says(fields, needs)
            if says is not None:
                found[call_id] = found.get(call_id, False) or says
    return found


def _says(fields: Mapping[str, Any] | None, needs: Needs) -> bool | None:
    """Compared as people write: in capitals or not. None: it has no form, or what was written there was blanked."""
    if not any(str(value or "").strip() for value in (fields or {}).values()):
        return None
    return any(
        str(value).strip().casefold() in {one.casefold() for one in needs.fields[name]}
        for name, value in (fields or {}).items()
        if name in needs.fields
    )


async def _callbacks(
    connection: AsyncConnection, ours: frozenset[str], where: str, values: Mapping[str, Any]
) -> list[Item]:
    query = _CALLBACKS.format(where=where.format(at="placed_at", client="client", id="outgoing_id"))
    return [
        Item(
            kind=Kind.CALLBACK,
            item_id=outgoing_id,
            at=at,
            outcome=Outcome.REACHED if outcome == "answered" else Outcome.NOT_REACHED,
            talk_seconds=talk,
            elsewhere=client not in ours,
        )
        for outgoing_id, client, at, outcome, talk in await connection.execute(text(query), _used(query, values))
    ]


async def _messages(
    connection: AsyncConnection, ours: frozenset[str], where: str, values: Mapping[str, Any], needs: Needs
) -> list[Item]:
    query = _MESSAGES.format(where=where.format(at="started_at", client="client", id="message_id"))
    return [
        Item(
            kind=Kind.MESSAGE,
            item_id=message_id,
            at=at,
            outcome=Outcome.TAKEN,
            marked=_says(fields, needs),
            elsewhere=client not in ours,
        )
        for message_id, client, at, fields in await connection.execute(text(query), _used(query, values))
    ]


async def _sms(connection: AsyncConnection, ours: frozenset[str], where: str, values: Mapping[str, Any]) -> list[Item]:
    condition = where.format(at="messages.started_at", client="messages.client", id="deliveries.delivery_id")
    query = _SMS.format(where=condition)
    return [
        Item(
            kind=Kind.SMS,
            item_id=delivery_id,
            at=at,
            outcome=Outcome.SENT if state in _SENT else Outcome.NOT_SENT,
            elsewhere=client not in ours,
        )
        for delivery_id, client, at, state in await connection.execute(text(query), _used(query, values))
    ]


def _used(query: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in query}


_SENT: Final = frozenset({"accepted", "delivered", "viewed", "acknowledged"})

_CALLS: Final = """
SELECT calls.call_id, calls.client, calls.ringing_at, calls.disposition, calls.waiting_seconds, calls.talk_seconds,
    {nodes}, sides.put_through, sides.hold, after.wrap_up
FROM calls CROSS JOIN LATERAL ({sides}) AS sides CROSS JOIN LATERAL ({after}) AS after
WHERE {where}
"""
# Those of a call are a range of leg_id (store.calls); sums of nothing are NULL: then it is not known.
_SIDES: Final = """
SELECT coalesce(sum(legs.talk_seconds) FILTER (WHERE purpose = 'contact'), CASE WHEN count(*) > 0 THEN 0 END)
        AS put_through,
    sum(legs.hold_seconds) AS hold, array_agg(DISTINCT party) FILTER (WHERE purpose = 'agent') AS agents
FROM legs WHERE legs.leg_id > calls.call_id || '/' AND legs.leg_id < calls.call_id || '0'
    AND purpose IN ('agent', 'contact') AND legs.answered_at IS NOT NULL
"""
_NO_SIDES: Final = "SELECT NULL AS put_through, NULL AS hold"
_AFTER: Final = """
SELECT CAST(sum(extract(epoch FROM ended_at - started_at)) AS float8) AS wrap_up
FROM agent_sessions
WHERE agent_sessions.agent = ANY(coalesce(sides.agents, ARRAY[calls.agent])) AND kind = 'wrap_up'
    AND agent_sessions.call_id = calls.call_id AND ended_at > started_at
    AND started_at >= calls.ringing_at AND started_at < calls.ended_at + interval '10 minutes'
"""
_NOTHING_AFTER: Final = "SELECT CAST(NULL AS float8) AS wrap_up"
# Whoever took a message wrote it in the call, or soon after it.
_TOLD: Final = """
SELECT call_id, fields FROM messages
WHERE client = ANY(:names) AND started_at >= :from_at AND started_at < CAST(:to_at AS timestamptz) + interval '1 day'
    AND call_id <> ''
"""
_CALLBACKS: Final = """
SELECT outgoing_id, client, placed_at, outcome,
    CASE WHEN answered_at IS NULL OR ended_at IS NULL THEN 0
    ELSE CAST(greatest(extract(epoch FROM ended_at - answered_at), 0) AS float8) END
FROM outgoing_calls WHERE purpose = 'callback' AND {where}
"""
_MESSAGES: Final = "SELECT message_id, client, started_at, fields FROM messages WHERE {where}"
_SMS: Final = """
SELECT deliveries.delivery_id, messages.client, messages.started_at, deliveries.state
FROM messages JOIN deliveries USING (message_id) WHERE deliveries.means = 'sms' AND {where}
"""
