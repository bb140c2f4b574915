"""The database: opened once by each process, its schema made right or refused, and every failure a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callrouter.errors import DatabaseRefused, DatabaseUnreachable, StoreError
from callrouter.store import schema
from callrouter.store.connecting import CONNECT_SECONDS, Connector, Leader, hosts_of
from callrouter.store.embedded import DATABASE_NAME, PATIENCE_SECONDS, revive_server, start_server, stop_server
from callrouter.store.indexing import make_beforehand
from callrouter.store.pool import pool_of
from callrouter.store.refusals import GONE, advice, is_refusal

STATEMENT_SECONDS = 30.0
"""A report that takes longer is cut off by the server."""
ENGINE_STATEMENT_SECONDS = 6.0
"""The engine asks nothing that takes long: who does not answer by then is rather away."""

AGAIN_SECONDS = 1.0
"""How long a server that was not there at the start is not looked for again."""

T = TypeVar("T")


class Database:
    """A PostgreSQL database with callrouter's tables."""

    def __init__(
        self,
        url: URL,
        server: Any = None,
        *,
        embedded: Path | None = None,
        sure: bool = True,
        statement_seconds: float | None = None,
    ) -> None:
        """`embedded`: the data folder of our own server, which is still to be started. Not `sure`: the database was
        not seen yet; whoever uses it first makes sure of its schema. `statement_seconds`: after how long a statement
        is cut off, if not `STATEMENT_SECONDS`.
        """
        self.url = url.set(drivername="postgresql")
        self.away_because: str | None = None
        """Why PostgreSQL could not be used the last time; None when it could."""
        self._server = server
        self._embedded = embedded
        self._sure = sure
        self._making_sure = asyncio.Lock()
        self._not_before = 0.0
        self._leader: Leader | None = None
        self._statement_seconds = STATEMENT_SECONDS if statement_seconds is None else statement_seconds
        self._use(self.url)

    def _use(self, url: URL) -> None:
        """From now on, the server of this URL."""
        self.url = url
        self._connector = Connector(url, self._leader)
        self.engine: AsyncEngine = pool_of(self._connector, self._statement_seconds)

    @classmethod
    async def open(
        cls,
        url: str | None,
        data_dir: Path,
        *,
        statement_seconds: float | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Self:
        """A database that answers: the one of `url` (postgresql://…), or without it our own in `data_dir`, which may
        take `patience_seconds` to recover from a crash.

        The schema of our own is upgraded here. That of a server of somebody else's is left as it is: call
        `check_schema`, or `upgrade`.

        Raises:
            DatabaseUnreachable: it does not answer, or refuses us.
            SchemaMismatch: our own belongs to a newer release.
            StoreError: the URL is none of PostgreSQL.
        """
        if url is not None:
            database = cls(_parse(url), statement_seconds=statement_seconds)
            try:
                await database.ping()
            except BaseException:
                await database.close()
                raise
            return database
        return await cls._open_embedded(data_dir, statement_seconds, patience_seconds)

    @classmethod
    def later(cls, url: str | None, data_dir: Path, *, statement_seconds: float | None = None) -> Self:
        """The same as `open` gives, without a look at it: it is away now, and may come back.

        Until it does, all that would use it raises StoreError, also when it turns out to be of another release.

        Raises:
            StoreError: the URL is none of PostgreSQL.
        """
        if url is not None:
            return cls(_parse(url), sure=False, statement_seconds=statement_seconds)
        ours = URL.create("postgresql", database=DATABASE_NAME)
        return cls(ours, embedded=data_dir, sure=False, statement_seconds=statement_seconds)

    @classmethod
    async def _open_embedded(cls, data_dir: Path, statement_seconds: float | None, patience_seconds: float) -> Self:
        server, uri = await asyncio.to_thread(start_server, data_dir, patience_seconds=patience_seconds)
        maintenance = make_url(uri)
        url = maintenance.set(database=DATABASE_NAME)
        database = cls(url, server, statement_seconds=statement_seconds)
        try:
            await _create_database(maintenance)
            await database.upgrade()
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def masked_url(self) -> str:
        """The URL without its password, for people and logs."""
        return self.url.render_as_string(hide_password=True)

    async def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            DatabaseUnreachable: there is none.
        """
        async with self.connection() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, committed at the end of the block.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer, or the connection broke in the block.
            DatabaseRefused: it answers, and cannot or may not do what the block asks.
        """
        await self._make_sure()
        with self._sentences():
            async with self.engine.begin() as connection:
                self.away_because = None
                yield connection

    async def identity(self) -> str:
        """Which database this is, and no other, whatever the address by which it is reached: it stays the same when a
        standby takes over (`pg_control_system`, of which a standby has its primary's identifier).

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        query = "SELECT format('%s/%s', system_identifier, current_database()) FROM pg_control_system()"
        async with self.connection() as connection:
            return str((await connection.execute(text(query))).scalar_one())

    async def connect_raw(self) -> Any:
        """A connection of asyncpg's own, for COPY; the caller closes it.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer, or refuses us.
        """
        await self._make_sure()
        with self._sentences():
            return await self._connector.connect("callrouter rows", ENGINE_STATEMENT_SECONDS)

    async def upgrade(self) -> None:
        """Bring the schema to this release's.

        Raises:
            SchemaMismatch: it belongs to a newer release.
            DatabaseUnreachable: PostgreSQL does not answer.
            DatabaseRefused: the role may not, or somebody holds a lock on what is to change.
        """
        await self._make_sure()
        with self._sentences():
            await self._migrate()

    async def current(self) -> str | None:
        """The schema's revision; None for an empty database."""
        return await self._run(schema.current)

    async def check_schema(self) -> None:
        """Make sure that the schema is this release's.

        Raises:
            SchemaMismatch: it is not.
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        await self._run(schema.check)

    async def lead(self, leader: Leader | None) -> None:
        """From now on the connections are those of an engine that leads; None: of one that nobody follows any more,
        since it has given its place away in order. Those in use stay what they are.
        """
        self._leader = leader
        before = self.engine
        self._use(self.url)
        await before.dispose()

    async def close(self) -> None:
        """Let go of all connections, and of our own server."""
        await self.engine.dispose()
        if self._server is not None:
            server, self._server = self._server, None
            await asyncio.to_thread(stop_server, server)

    async def _run(self, what: Callable[[Connection], T]) -> T:
        async with self.connection() as connection:
            return await connection.run_sync(what)

    async def _make_sure(self) -> None:
        """Start our own server if that is still to be done, or it has died; once, make sure of the schema."""
        if self._is_doubtful:
            async with self._making_sure:
                await self._make_sure_alone()

    @property
    def _is_doubtful(self) -> bool:
        return not self._sure or (self._server is not None and self.away_because is not None)

    async def _make_sure_alone(self) -> None:
        if self._is_doubtful:
            loop = asyncio.get_running_loop()
            if self.away_because is not None and loop.time() < self._not_before:  # many ask, and a server takes a while
                raise DatabaseUnreachable(self.away_because)
            try:
                if self._sure:
                    await asyncio.to_thread(revive_server, self._server)
                else:
                    await self._look()
            except StoreError as error:
                self.away_because, self._not_before = str(error), loop.time() + AGAIN_SECONDS
                raise
            self._sure, self.away_because = True, None

    async def _look(self) -> None:
        if self._embedded is not None and self._server is None:
            self._server, uri = await asyncio.to_thread(start_server, self._embedded, patience_seconds=0.0)
            maintenance = make_url(uri)
            with self._sentences():
                await _create_database(maintenance)
            await self.engine.dispose()
            self._use(maintenance.set(database=DATABASE_NAME, drivername="postgresql"))
        with self._sentences():
            if self._embedded is not None:
                await self._migrate()
            async with self.engine.begin() as connection:
                await connection.run_sync(schema.check)

    async def _migrate(self) -> None:
        """On a connection of its own, whose statements take as long as they need."""
        unhurried = pool_of(self._connector, None)
        try:
            async with unhurried.connect() as connection:
                revision = await connection.run_sync(schema.current)
            async with unhurried.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                await make_beforehand(connection, revision)
            async with unhurried.begin() as connection:
                await connection.run_sync(schema.upgrade)
        finally:
            await unhurried.dispose()

    async def vacuum(self, table: str) -> None:
        """Have the room of a table's deleted rows used again; others go on reading and writing it.

        Raises:
            StoreError: PostgreSQL does not answer, or the table is somebody else's.
        """
        unhurried = pool_of(self._connector, None)
        try:
            with self._sentences():
                async with unhurried.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                    await connection.execute(text(f'VACUUM "{table}"'))
        finally:
            await unhurried.dispose()

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Turn what the driver raises for an absent or unwilling server into a sentence; our own mistakes stay."""
        try:
            yield
        except (PoolTimeout, asyncpg.PostgresConnectionError, *GONE) as error:
            raise self._unreachable(error) from error
        except asyncpg.PostgresError as error:
            self._raise_refusal(error, error)
            raise
        except DBAPIError as error:
            cause = error.orig.__cause__ if error.orig else None
            self._raise_refusal(cause, error)
            if error.connection_invalidated:
                raise self._unreachable(cause or error) from error
            raise

    def _raise_refusal(self, cause: BaseException | None, error: Exception) -> None:
        """Raise the sentence for what the server said, if it is one for operators."""
        if cause is not None and isinstance(cause, (asyncpg.PostgresConnectionError, *_CLOSED_DOORS)):
            raise self._unreachable(cause) from error
        if is_refusal(cause):
            raise DatabaseRefused(
                f"PostgreSQL at {self.masked_url} does not do it: {cause}. {advice(cause, self.url.username or '')}"
            ) from error

    def _unreachable(self, error: BaseException) -> DatabaseUnreachable:
        reason = str(error) or (
            "it did not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        )
        self.away_because = (
            f"PostgreSQL at {self.masked_url} cannot be used: {reason}. "
            "Check that the server runs and that CALLROUTER_DATABASE_URL names its host, user, password and database."
        )
        return DatabaseUnreachable(self.away_because)


_CLOSED_DOORS: tuple[type[BaseException], ...] = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What a server answers that is there and does not let us in."""


def _parse(text_: str) -> URL:
    try:
        url = make_url(text_)
    except (ArgumentError, ValueError):
        raise StoreError("CALLROUTER_DATABASE_URL is no URL: write postgresql://user:password@host:5432/name") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise StoreError(f"CALLROUTER_DATABASE_URL names {url.drivername}: callrouter needs postgresql://…")
    try:
        hosts_of(url)
    except ValueError as error:
        raise StoreError(f"CALLROUTER_DATABASE_URL cannot be used: {error}") from None
    return url


async def _create_database(maintenance: URL) -> None:
    """Make our database in a fresh server; another process may be doing the same."""
    connection = await asyncpg.connect(dsn=maintenance.render_as_string(hide_password=False), timeout=CONNECT_SECONDS)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE_NAME):
            await connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass
    finally:
        await connection.close()
