"""Every plan that was ever live, with the documents it was made of, and when each version was live.

A version is kept once (`plans`), a document's content once (`plan_documents`, by its hash), and each time a version
goes live is a row of `plan_history`; a row without a version says that the client was withdrawn. What a version
promises is kept in the same transaction (`promises`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.service_level import Promise
from callrouter.store.database import Database
from callrouter.store.promises import promise_numbers, promise_of_row
from callrouter.store.tables import calls, plan_documents, plan_history, plans, promises


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
    """What went live, the newest first.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plan_history).order_by(plan_history.c.history_id.desc()).limit(limit)
    if client is not None:
        query = query.where(plan_history.c.client == client)
    async with database.connection() as connection:
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


async def was_live(database: Database, client: str, document: str) -> bool:
    """Whether a client's file was live as it stands, in any version.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plans.c.version).where(plans.c.client == client, plans.c.document == _storable(document)).limit(1)
    async with database.connection() as connection:
        return (await connection.execute(query)).first() is not None


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
    }


def _storable(text: str) -> str:
    """What a text column takes: names of files may hold bytes that are no text."""
    return text.replace("\x00", "\ufffd").encode("utf-8", errors="replace").decode()


async def _contents(connection: AsyncConnection, hashes: Collection[str]) -> dict[str, str]:
    if not hashes:
        return {}
    rows = await connection.execute(select(plan_documents).where(plan_documents.c.hash.in_(hashes)))
    return {row.hash: row.content for row in rows}
