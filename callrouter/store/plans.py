"""Every plan that was ever live, with the documents it was made of, and when each version was live.

A version is kept once (`plans`), a document's content once (`plan_documents`, by its hash), and each time a version
goes live is a row of `plan_history`; a row without a version says that the client was withdrawn. What a version
promises is kept in the same transaction (`promises`).

With a version are kept the names its client had before (`formerly` in its file). Rows keep the name under which they
were written, by which the version is found that a call walked; a question about a client covers all its names, one
about a former name what stands under that name alone. A name is handed on by the version that went live last of
whoever says `formerly`, if it is later than the last one of the name itself: else the name was taken again since, and
is a client of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, exists, func, or_, select, text, tuple_, union
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import KeyedColumnElement

from callrouter.core.retention.rule import NOTHING_SAID, Retention
from callrouter.core.service_level import Promise
from callrouter.store.database import Database
from callrouter.store.promises import promise_numbers, promise_of_row
from callrouter.store.tables import calls, plan_documents, plan_history, plans, promises


class Subscriber(Struct, frozen=True, kw_only=True):
    """A system that is told what happens to a client: as much of it as PostgreSQL needs to know (`subscribed`)."""

    name: str
    kinds: tuple[str, ...]
    timezone: str
    """The client's."""


class ReportReader(Struct, frozen=True, kw_only=True):
    """Who is sent a report of each month: as much of it as must be known without the plan (`subscribed.monthly`)."""

    to: str
    minute: int
    """Of the first, by the client's clock."""
    timezone: str
    """The client's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A client's plan as it was when this version went live for the first time."""

    client: str
    version: str
    document: str
    """The client's file."""
    first_live_at: datetime
    source: str = ""
    """The file's path in the folder; empty for versions that were kept by 0.1.0."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """Everything it was made of, by the path in the folder, the client's file included: it compiles again."""
    promise: Promise | None = None
    """What the client was promised; None when it is not known."""
    formerly: tuple[str, ...] = ()
    """Identifiers the client had before."""
    subscriptions: tuple[Subscriber, ...] = ()
    """Which systems are told what happens, and of what."""
    reports: tuple[ReportReader, ...] = ()
    """Who is sent a report of each month."""
    retention: Retention = NOTHING_SAID
    """For how long what is kept, where the client's file says it."""
    shape: str = ""
    """`core.plan.Plan.shape`; empty where it is not known: the record has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WentLive:
    """A version went into service, or a client was withdrawn (`version` is None)."""

    client: str
    version: str | None
    live_at: datetime
    why: str
    """What made it: `start`, `saved`, `asked`, `publish`, `rollback`."""
    by: str = ""
    """Who, as far as it is known."""


async def remember_live(database: Database, made: Sequence[StoredPlan], went_live: Sequence[WentLive]) -> None:
    """Keep versions that are new, with what they promise, and what went live, in one transaction.

    A version that is known keeps its first time.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        contents = {content_hash(content): content for plan in made for content in plan.documents.values()}
        if contents:
            rows = [{"hash": key, "content": _storable(content)} for key, content in contents.items()]
            await connection.execute(insert(plan_documents).on_conflict_do_nothing(), rows)
        if made:
            numbers = await promise_numbers(connection, [plan.promise for plan in made if plan.promise])
            await connection.execute(insert(plans).on_conflict_do_nothing(), [_row(plan, numbers) for plan in made])
        if went_live:
            happened = [
                {
                    "client": one.client,
                    "version": one.version,
                    "live_at": one.live_at,
                    "why": one.why,
                    "by": _storable(one.by),
                }
                for one in went_live
            ]
            await connection.execute(insert(plan_history), happened)


async def is_client(database: Database, name: str) -> bool:
    """Whether a version of this client's plan was in service at any time, or a call is in the record under its name.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(or_(*(exists().where(table.c.client == name) for table in (plan_history, calls))))
    async with database.connection() as connection:
        return bool((await connection.execute(query)).scalar_one())


async def hashes_of(database: Database, versions: Mapping[str, str | None]) -> dict[str, dict[str, str]]:
    """By client: the hash of each document of a version (`content_hash`), by path; clients without one are left out.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    wanted = [(client, version) for client, version in versions.items() if version is not None]
    if not wanted:
        return {}
    query = select(plans.c.client, plans.c.documents).where(tuple_(plans.c.client, plans.c.version).in_(wanted))
    async with database.connection() as connection:
        return {row.client: dict(row.documents) for row in await connection.execute(query)}


async def find_plan(database: Database, client: str, version: str) -> StoredPlan | None:
    """A version of a client's plan, or None when it was never live here.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    of_promise = [column for column in promises.c if column is not promises.c.promise_id]
    query = select(plans, *of_promise).join(promises, isouter=True)
    query = query.where(plans.c.client == client, plans.c.version == version)
    async with database.connection() as connection:
        row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        contents = await _contents(connection, set(row["documents"].values()))
    return StoredPlan(
        client=client,
        version=version,
        document=row["document"],
        first_live_at=row["first_live_at"],
        source=row["source"],
        documents={file: contents[key] for file, key in row["documents"].items() if key in contents},
        promise=None if row["promise_id"] is None else promise_of_row(row),
        formerly=tuple(row["formerly"]),
        subscriptions=msgspec.convert(row["subscriptions"], tuple[Subscriber, ...]),
        reports=msgspec.convert(row["reports"], tuple[ReportReader, ...]),
        retention=msgspec.convert(row["retention"], Retention),
    )


async def known_versions(database: Database, clients: Collection[str]) -> set[tuple[str, str]]:
    """Which versions of these clients are kept, as (client, version).

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plans.c.client, plans.c.version).where(plans.c.client.in_(clients))
    async with database.connection() as connection:
        return {(row.client, row.version) for row in await connection.execute(query)}


async def last_live(database: Database) -> dict[str, str | None]:
    """By client: the version that went live last; None when the client was withdrawn after it.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = (
        select(plan_history.c.client, plan_history.c.version)
        .ext(distinct_on(plan_history.c.client))
        .order_by(plan_history.c.client, plan_history.c.history_id.desc())
    )
    async with database.connection() as connection:
        return {row.client: row.version for row in await connection.execute(query)}


async def live_version(database: Database, client: str) -> str | None:
    """The version of a client's plan that went live last; None: it was withdrawn since, or there never was one.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = (
        select(plan_history.c.version)
        .where(plan_history.c.client == client)
        .order_by(plan_history.c.history_id.desc())
        .limit(1)
    )
    async with database.connection() as connection:
        return (await connection.execute(query)).scalar_one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVersion:
    """The version of a client's plan that went live last."""

    client: str
    version: str
    source: str
    """The file's path in the folder; empty for versions that were kept by 0.1.0."""
    live_at: datetime


async def live_versions(database: Database) -> tuple[dict[str, LiveVersion], datetime | None]:
    """By client, the version that is live, without the clients that were withdrawn; and when anything changed last.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = (
        select(plan_history.c.client, plan_history.c.version, plan_history.c.live_at, plans.c.source)
        .ext(distinct_on(plan_history.c.client))
        .join(
            plans,
            (plans.c.client == plan_history.c.client) & (plans.c.version == plan_history.c.version),
            isouter=True,
        )
        .order_by(plan_history.c.client, plan_history.c.history_id.desc())
    )
    async with database.connection() as connection:
        rows = (await connection.execute(query)).all()
    live = {
        row.client: LiveVersion(client=row.client, version=row.version, source=row.source or "", live_at=row.live_at)
        for row in rows
        if row.version is not None
    }
    return live, max((row.live_at for row in rows), default=None)


async def read_history(database: Database, client: str | None = None, *, limit: int = 50) -> list[WentLive]:
    """What went live, the newest first; of one client, also what did under the names it had.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plan_history).order_by(plan_history.c.history_id.desc()).limit(limit)
    async with database.connection() as connection:
        if client is not None:
            query = query.where(one_of(plan_history.c.client, await names_of(connection, client)))
        rows = (await connection.execute(query)).mappings().all()
    return [
        WentLive(client=row["client"], version=row["version"], live_at=row["live_at"], why=row["why"], by=row["by"])
        for row in rows
    ]


async def find_versions(database: Database, client: str, beginning: str) -> list[str]:
    """The kept versions of a client that begin so, the latest to go live first.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    last = func.max(plan_history.c.history_id)
    query = (
        select(plan_history.c.version)
        .where(plan_history.c.client == client, plan_history.c.version.startswith(beginning, autoescape=True))
        .group_by(plan_history.c.version)
        .order_by(last.desc())
    )
    async with database.connection() as connection:
        return list((await connection.execute(query)).scalars())


async def contents_of(database: Database, path: str) -> list[str]:
    """What a document of the folder said in every version that was ever live, each once.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    hashes = select(plans.c.documents[path].astext).where(plans.c.documents.has_key(path)).distinct()
    async with database.connection() as connection:
        found = await _contents(connection, {one for one in (await connection.execute(hashes)).scalars() if one})
    return list(found.values())


async def was_live(database: Database, client: str, document: str) -> bool:
    """Whether a client's file was live as it stands, in any version.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plans.c.version).where(plans.c.client == client, plans.c.document == _storable(document)).limit(1)
    async with database.connection() as connection:
        return (await connection.execute(query)).first() is not None


async def present_names(connection: AsyncConnection) -> dict[str, str]:
    """By each name that was handed on: the client that has it now, whatever the name was in between."""
    renamed = text("plans.formerly <> '{}'")  # as the index says it
    concerned = union(
        select(plans.c.client).where(renamed), select(func.unnest(plans.c.formerly)).where(renamed)
    ).subquery()
    query = (
        select(plan_history.c.client, plan_history.c.history_id, plans.c.formerly)
        .join(plans, (plans.c.client == plan_history.c.client) & (plans.c.version == plan_history.c.version))
        .where(plan_history.c.client.in_(select(concerned)))
        .order_by(plan_history.c.client, plan_history.c.history_id.desc())
        .ext(distinct_on(plan_history.c.client))
    )
    rows = (await connection.execute(query)).all()
    last = {row.client: row.history_id for row in rows}
    heirs: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: int(row.history_id)):
        heirs |= {name: row.client for name in row.formerly if last.get(name, 0) < row.history_id}
    return {name: _at_the_end(name, heirs) for name in heirs}


def _at_the_end(name: str, heirs: Mapping[str, str]) -> str:
    """Each heir is later than the name: there is no circle."""
    while name in heirs:
        name = heirs[name]
    return name


async def names_of(connection: AsyncConnection, client: str) -> tuple[str, ...]:
    """The client's name, and those it had before."""
    present = await present_names(connection)
    return (client, *sorted(name for name, now in present.items() if now == client))


def one_of(column: KeyedColumnElement[str], names: Collection[str]) -> ColumnElement[bool]:
    """That a column holds one of these names. With a single one, the index gives rows in their order."""
    return column == next(iter(names)) if len(names) == 1 else column.in_(names)


def content_hash(content: str | bytes) -> str:
    """By what a document's content is known: SHA-256, in hexadecimal."""
    return hashlib.sha256(_storable(content).encode() if isinstance(content, str) else content).hexdigest()


def _row(plan: StoredPlan, numbers: Mapping[Promise, int]) -> dict[str, object]:
    return {
        "client": plan.client,
        "version": plan.version,
        "document": _storable(plan.document),
        "first_live_at": plan.first_live_at,
        "source": _storable(plan.source),
        "documents": {_storable(file): content_hash(content) for file, content in plan.documents.items()},
        "promise_id": numbers[plan.promise] if plan.promise else None,
        "formerly": list(plan.formerly),
        "subscriptions": msgspec.to_builtins(plan.subscriptions),
        "reports": msgspec.to_builtins(plan.reports),
        "retention": {kind.value: days for kind, days in plan.retention.said.items()},
    }


def _storable(written: str) -> str:
    """What a text column takes: names of files may hold bytes that are no text."""
    return written.replace("\x00", "\ufffd").encode("utf-8", errors="replace").decode()


async def _contents(connection: AsyncConnection, hashes: Collection[str]) -> dict[str, str]:
    if not hashes:
        return {}
    rows = await connection.execute(select(plan_documents).where(plan_documents.c.hash.in_(hashes)))
    return {row.hash: row.content for row in rows}
