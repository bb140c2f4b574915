"""For how long what of which client is kept, as it counts now.

What is asked for stands in the version of a client's plan that is live, else in the operator's settings. A client that
was withdrawn keeps what counted last: that a file is gone deletes nothing. Whatever would keep something for a shorter
time than before waits a day (`GRACE`), so that a slip can be mended before it destroys anything; keeping it longer
counts at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import select, text, union
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.retention.rule import Kind, Retention
from callrouter.store.plans import present_names
from callrouter.store.tables import figure_marks, figure_zones, plan_history, plans, retention_rules

GRACE: Final = timedelta(days=1)
"""For so long a shorter rule is asked for before it counts."""
NOBODY: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Of a client, as it is called now, and a kind."""

    client: str
    kind: Kind
    days: int | None
    """For which it is kept; None: until somebody deletes it."""
    asked_days: int | None = None
    """What is asked for instead, and counts from `counts_at` on; None: nothing."""
    asked_at: datetime | None = None
    done_to: datetime | None = None
    """What began before was looked at by a run that ended."""

    @property
    def counts_at(self) -> datetime | None:
        """From when on what is asked for counts."""
        return None if self.asked_at is None else self.asked_at + GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Those of all clients."""

    by_client: Mapping[str, Mapping[Kind, Rule]]
    """By present name."""
    names: Mapping[str, Sequence[str]]
    """By present name: those under which its rows stand."""
    changed: Sequence[Rule]
    """Those that differ from what the record has."""

    def days_of_names(self, kind: Kind) -> dict[str, int | None]:
        """By each name under which rows stand."""
        return {
            name: rules[kind].days
            for client, rules in self.by_client.items()
            if kind in rules
            for name in self.names[client]
        }


def settled(rule: Rule | None, asked: int | None, now: datetime, *, at_once: bool = False) -> tuple[int | None, bool]:
    """What is to count, and whether it waits: pure, for `_next`."""
    if rule is None:
        return None, asked is not None
    shorter = asked is not None and (rule.days is None or asked < rule.days)
    if not shorter:
        return asked, False
    waited = rule.asked_days == asked and rule.counts_at is not None and rule.counts_at <= now
    return (asked, False) if waited or at_once else (rule.days, True)


def _next(
    client: str, kind: Kind, rule: Rule | None, asked: int | None, now: datetime, *, at_once: bool, as_before: bool
) -> Rule:
    """The rule from now on; `as_before`: it counted already, before there were rules in the record."""
    if rule is None and as_before:
        return Rule(client=client, kind=kind, days=asked)
    days, waits = settled(rule, asked, now, at_once=at_once or (rule is None and asked is None))
    if rule is None and at_once:
        days, waits = asked, False
    known = Rule(client=client, kind=kind, days=None) if rule is None else rule
    if not waits:
        return replace(known, days=days, asked_days=None, asked_at=None)
    since = known.asked_at if known.asked_days == asked and known.asked_at is not None else now
    return replace(known, days=days, asked_days=asked, asked_at=since)


async def read_rules(
    connection: AsyncConnection, operators: Retention, now: datetime, *, at_once: bool = False
) -> Rules:
    """What counts for everybody, and what is to be put down of it.

    Args:
        connection: open.
        operators: what the operator has set.
        now: by the clock of whoever deletes.
        at_once: whether shorter rules count without waiting: somebody has looked at what they delete.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    present = await present_names(connection)
    asked, withdrawn = await _asked(connection, present)
    found = union(select(figure_zones.c.client), select(figure_marks.c.client))
    known = {present.get(name, name) for name in (await connection.execute(found)).scalars()}
    kept: dict[tuple[str, Kind], Rule] = {}
    for row in (await connection.execute(select(retention_rules))).mappings():
        kept[row["client"], Kind(row["kind"])] = Rule(**{**dict(row), "kind": Kind(row["kind"])})
    names: dict[str, list[str]] = {}
    for name, owner in present.items():
        names.setdefault(owner, [owner]).append(name)
    by_client: dict[str, dict[Kind, Rule]] = {}
    changed = []
    for client in sorted(known | asked.keys() | withdrawn | {client for client, _ in kept}):
        if client in present:
            continue  # it is another client's former name
        says = asked.get(client)
        for kind in Kind:
            rule = kept.get((client, kind))
            if rule is not None and client in withdrawn:
                new = rule if rule.asked_days is None else replace(rule, asked_days=None, asked_at=None)
            else:
                own = None if says is None else says.days(kind)
                new = _next(
                    client,
                    kind,
                    rule,
                    operators.days(kind) if own is None else own,
                    now,
                    at_once=at_once,
                    as_before=kind is Kind.RECORDINGS and own is None,
                )
            by_client.setdefault(client, {})[kind] = new
            if new != rule:
                changed.append(new)
    return Rules(
        by_client=by_client, names={client: names.get(client, [client]) for client in by_client}, changed=changed
    )


async def keep_rules(connection: AsyncConnection, rules: Rules) -> None:
    """Put down what has changed.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if not rules.changed:
        return
    rows: list[dict[str, Any]] = [
        {
            "client": one.client,
            "kind": one.kind.value,
            "days": one.days,
            "asked_days": one.asked_days,
            "asked_at": one.asked_at,
        }
        for one in rules.changed
    ]
    made = insert(retention_rules)
    values = {name: made.excluded[name] for name in ("days", "asked_days", "asked_at")}
    await connection.execute(made.on_conflict_do_update(index_elements=["client", "kind"], set_=values), rows)


_DONE: Final = text(
    "UPDATE retention_rules SET done_to = greatest(done_to, :done_to) WHERE client = :client AND kind = :kind"
)


async def note_done(connection: AsyncConnection, client: str, kind: Kind, done_to: datetime) -> None:
    """All of a kind that began before was looked at.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    await connection.execute(_DONE, {"client": client, "kind": kind.value, "done_to": done_to})


async def _asked(connection: AsyncConnection, present: Mapping[str, str]) -> tuple[dict[str, Retention], set[str]]:
    """By client, what its live version says; and who was withdrawn."""
    query = (
        select(plan_history.c.client, plan_history.c.version, plans.c.retention)
        .ext(distinct_on(plan_history.c.client))
        .join(
            plans, (plans.c.client == plan_history.c.client) & (plans.c.version == plan_history.c.version), isouter=True
        )
        .order_by(plan_history.c.client, plan_history.c.history_id.desc())
    )
    asked: dict[str, Retention] = {}
    withdrawn: set[str] = set()
    for client, version, said in await connection.execute(query):
        if client in present:
            continue
        if version is None or said is None:  # nobody knows what a version says that was never kept
            withdrawn.add(client)
        else:
            asked[client] = msgspec.convert(said, Retention)
    return asked, withdrawn
