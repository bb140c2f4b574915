"""One run: all that is older than it is to be goes, kind by kind and client by client, and what went is put down.

The plan of a run is the same look at rules and rows without a deletion. A run that was killed is put down as such by
the next one, which goes on where it was: nothing that was begun has to be remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, insert, select, text, update

from callrouter.core.retention.rule import Kind, Retention
from callrouter.errors import StoreError
from callrouter.store.access.recordings import Recordings
from callrouter.store.consumption.unbilled import unbilled_since
from callrouter.store.database import Database
from callrouter.store.figures.days import begins_at
from callrouter.store.figures.rebuilding import rebuild_some
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.retention.border import move_border
from callrouter.store.retention.deleting import Deleted, Deleter
from callrouter.store.retention.rules import Rule, Rules, keep_rules, note_done, read_rules
from callrouter.store.tables import retention_runs

log = structlog.get_logger(__name__)

_ORDER: Final = (Kind.TRANSCRIPTS, Kind.TRACES, Kind.MESSAGES, Kind.CALLS)
"""Messages before calls: their recordings are theirs, not the calls'."""
_TABLES: Final = ("calls", "queue_visits", "legs", "offers", "messages", "deliveries")
"""Those that are large: their dead rows are cleared away at once, where there are many."""
MANY_DEAD: Final = 20_000
_DEAD: Final = text("SELECT relname, n_dead_tup FROM pg_stat_user_tables WHERE relname = ANY(:tables)")
ROUNDS: Final = 10_000
"""Of making days before their calls go, at most: the first time after an upgrade all are made."""
_COUNTED: Final[Mapping[Kind, tuple[str, str, str]]] = {
    Kind.CALLS: ("calls", "ringing_at", "true"),
    Kind.MESSAGES: ("messages", "started_at", "true"),
    Kind.RECORDINGS: ("recordings", "started_at", "deleted_at IS NULL AND kind = 'message'"),
    Kind.TRANSCRIPTS: ("messages", "started_at", "transcript IS NOT NULL"),
    Kind.TRACES: ("calls", "ringing_at", "trace <> '{\"gone\": true}'"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What would go of a client and kind."""

    client: str
    kind: Kind
    days: int
    before_at: datetime
    many: int
    counts_at: datetime | None
    """From when on the rule counts; None: it does."""


@dataclass(kw_only=True)
class Run:
    """What one did."""

    run_id: int = 0
    deleted: Counter[Kind] = field(default_factory=Counter)
    held_back: int = 0
    seconds: float = 0.0
    rows: Counter[str] = field(default_factory=Counter)
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, client: str, kind: Kind, before_at: datetime, done: Deleted) -> None:
        """Some more."""
        self.deleted[kind] += done.many
        self.held_back += done.held_back
        self.seconds += done.seconds
        self.rows.update(done.rows)
        if done.many or done.held_back:
            said = self.clients.setdefault(client, {}).setdefault(kind.value, {"many": 0, "held_back": 0})
            said["many"] += done.many
            said["held_back"] += done.held_back
            said["before"] = before_at.isoformat()

    @property
    def values(self) -> dict[str, Any]:
        """As columns."""
        return {
            **{kind.value: self.deleted[kind] for kind in Kind},
            "held_back": self.held_back,
            "seconds": self.seconds,
            "detail": {"rows": {table: many for table, many in self.rows.items() if many}, "clients": self.clients},
        }


BILLED: Final = frozenset({Kind.CALLS, Kind.MESSAGES})
"""What clients may pay for, by what is measured of it."""


def before_of(rule_days: int, zone: ZoneInfo, now: datetime) -> datetime:
    """What began before this instant is older than so many days: days of the client's zone, and whole ones."""
    return begins_at(now.astimezone(zone).date() - timedelta(days=rule_days), zone)


async def plan_run(database: Database, operators: Retention, now: datetime) -> list[Planned]:
    """What would go now, and what will once its rule counts; nothing is changed.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    planned = []
    async with database.connection() as connection:
        rules = await read_rules(connection, operators, now)
        zones = await read_zones(connection)
        for client, kinds in rules.by_client.items():
            for kind, rule in kinds.items():
                for days, counts_at in ((rule.days, None), (rule.asked_days, rule.counts_at)):
                    if days is None:
                        continue
                    before_at = before_of(days, zones.of(client), now)
                    if kind in BILLED:
                        since = await unbilled_since(connection, rules.names[client], zones.of(client))
                        before_at = min(before_at, since or before_at)
                    table, column, which = _COUNTED[kind]
                    query = text(
                        f"SELECT count(*) FROM {table} WHERE client = ANY(:names) AND {column} < :at AND {which}"  # noqa: S608
                    )
                    values = {"names": list(rules.names[client]), "at": before_at}
                    many = (await connection.execute(query, values)).scalar_one()
                    if many or counts_at is not None:
                        planned.append(
                            Planned(
                                client=client,
                                kind=kind,
                                days=days,
                                before_at=before_at,
                                many=many,
                                counts_at=counts_at,
                            )
                        )
    return planned


class Retaining:
    """Runs, one at a time: whoever calls holds the lock of those that look after recordings (`keeping.alone`)."""

    def __init__(
        self,
        database: Database,
        recordings: Recordings,
        operators: Retention,
        *,
        now: Callable[[], datetime],
        batch: int = 500,
        rest_seconds: float = 0.02,
        between: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`operators`: for how long what is kept where no client's file says it."""
        self._database = database
        self._operators = operators
        self._now = now
        self._deleter = Deleter(database, recordings, batch=batch, rest_seconds=rest_seconds, between=between)

    async def settle(self, *, at_once: bool = False) -> Rules:
        """Put down which rules count from now on.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        async with self._database.connection() as connection:
            rules = await read_rules(connection, self._operators, self._now(), at_once=at_once)
            await keep_rules(connection, rules)
        for rule in rules.changed:
            if rule.asked_days is not None:
                log.warning(
                    "what is kept shorter from tomorrow on: callrouter retention plan says what that deletes",
                    client=rule.client,
                    kind=rule.kind.value,
                    days=rule.asked_days,
                    before=rule.days,
                )
        return rules

    async def run(
        self, asked_by: str, *, at_once: bool = False, recordings: int = 0, say: Callable[[str], None] | None = None
    ) -> Run:
        """Delete all whose time is over.

        Args:
            asked_by: principal.
            at_once: whether shorter rules count without waiting.
            recordings: how many of them went in this run already.
            say: told what is done now.

        Raises:
            StoreError: PostgreSQL does not answer; what was done stays done.
        """
        begun = time.monotonic()
        run = Run()
        run.deleted[Kind.RECORDINGS] = recordings
        async with self._database.connection() as connection:
            await connection.execute(
                update(retention_runs)
                .where(retention_runs.c.ended_at.is_(None))
                .values(ended_at=self._now(), error="it was interrupted: the next run went on")
            )
            made = insert(retention_runs).values(began_at=self._now(), asked_by=asked_by)
            run.run_id = (await connection.execute(made.returning(retention_runs.c.run_id))).scalar_one()
        try:
            rules = await self.settle(at_once=at_once)
            await self._delete_all(run, rules, say or (lambda _text: None))
            await self._clear()
        except StoreError as error:
            await self._put_down(run, error=str(error))
            raise
        await self._put_down(run)
        if sum(run.deleted.values()):
            log.info(
                "what was older than it is kept was deleted",
                run=run.run_id,
                seconds=round(time.monotonic() - begun, 1),
                held_back=run.held_back,
                **{kind.value: many for kind, many in run.deleted.items() if many},
            )
        return run

    async def _delete_all(self, run: Run, rules: Rules, say: Callable[[str], None]) -> None:
        async with self._database.connection() as connection:
            zones = await read_zones(connection)
        for number, (client, kinds) in enumerate(rules.by_client.items()):
            for kind in _ORDER:
                rule = kinds[kind]
                if rule.days is not None:
                    say(f"{number} of {len(rules.by_client)} clients are done; {kind} of {client or 'nobody'}")
                    await self._delete(run, rules, zones, rule)
            if client in run.clients:
                await self._put_down(run, ended=False)

    async def _delete(self, run: Run, rules: Rules, zones: Zones, rule: Rule) -> None:
        assert rule.days is not None
        before_at = before_of(rule.days, zones.of(rule.client), self._now())
        if rule.kind in BILLED:
            before_at = await self._billed_before(rules.names[rule.client], zones.of(rule.client), before_at)
        for name in rules.names[rule.client]:
            if rule.kind is Kind.CALLS and not await self._days_stay(name, before_at, zones):
                continue
            done = await self._deleter.delete(rule.kind, name, before_at, rule.done_to)
            run.add(rule.client, rule.kind, before_at, done)
        if rule.kind in (Kind.TRACES, Kind.TRANSCRIPTS):
            async with self._database.connection() as connection:
                await note_done(connection, rule.client, rule.kind, before_at)

    async def _billed_before(self, names: Collection[str], zone: ZoneInfo, before_at: datetime) -> datetime:
        """What may go of what is paid for: nothing of a month that has no invoice yet."""
        async with self._database.connection() as connection:
            since = await unbilled_since(connection, names, zone)
        if since is None or since >= before_at:
            return before_at
        log.warning(
            "what is older than it is kept stays until it is billed: callrouter consumption issue",
            client=min(names, default=""),
            unbilled_since=since.astimezone(zone).date().isoformat(),
        )
        return since

    async def _days_stay(self, name: str, before_at: datetime, zones: Zones) -> bool:
        """Whether there are calls to be deleted, and figures of their days are kept; makes days where they are not."""
        query = text("SELECT EXISTS (SELECT FROM calls WHERE client = :client AND ringing_at < :at)")
        async with self._database.connection() as connection:
            if not (await connection.execute(query, {"client": name, "at": before_at})).scalar_one():
                return False
        for _ in range(ROUNDS):
            if await move_border(self._database, name, before_at):
                return True
            if (await rebuild_some(self._database)).did_nothing:
                break
        log.warning("calls are not deleted: the figures of their days are not made yet", client=name)
        return False

    async def _clear(self) -> None:
        """Have the room of what is gone used again, where that is much: PostgreSQL by itself waits for a fifth."""
        async with self._database.connection() as connection:
            rows = (await connection.execute(_DEAD, {"tables": list(_TABLES)})).all()
        for table, dead in rows:
            if dead >= MANY_DEAD:
                try:
                    await self._database.vacuum(table)
                except StoreError as error:  # its owner may be somebody else; PostgreSQL does it later
                    log.warning("the room of deleted rows is not cleared yet", table=table, reason=str(error))
                await asyncio.sleep(0)

    async def _put_down(self, run: Run, *, error: str = "", ended: bool = True) -> None:
        values = {**run.values, "error": error} | ({"ended_at": self._now()} if ended else {})
        async with self._database.connection() as connection:
            await connection.execute(update(retention_runs).where(retention_runs.c.run_id == run.run_id).values(values))


async def last_began_at(database: Database) -> datetime | None:
    """When the last run began that ended well; None: none did.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(func.max(retention_runs.c.began_at)).where(
        retention_runs.c.ended_at.is_not(None), retention_runs.c.error == ""
    )
    async with database.connection() as connection:
        found: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return found
