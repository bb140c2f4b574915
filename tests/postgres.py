"""PostgreSQL servers for tests, and databases in them: with this release's schema in 20 ms, or empty.

A database with our schema is some 500 files: in memory they are made in 15 ms, on a disk in up to 350, which is time of
a processor, and two thousand tests have one each.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from callrouter.store.database import Database
from callrouter.store.embedded import start_server, stop_server
from callrouter.store.tables import metadata

TOMORROW = "SCHEMA_OF_TOMORROW"
"""Environment: databases are as the next release's migrations may have left them (`tests/store/test_tomorrow.py`)."""
_numbers = itertools.count()
_LAZY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "'128MB'"}
"""Nothing is written to the disk at once, as if a crash had to lose nothing, and the log stays short."""
_MEMORY = "/dev/shm"
_MEMORY_GIB = 4
"""As much of it must be free: several workers have a server each."""


@dataclass
class Server:
    """A PostgreSQL that a test may stop, start and freeze."""

    handle: Any
    url: str

    def pg_ctl(self, *arguments: str, data: Path | None = None) -> None:
        """Run pg_ctl on this server, or on one of its standbys."""
        self.run("pg_ctl", "-w", "-D", str(data or self.handle.pgdata), *arguments)

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's, as the server's user."""
        subprocess.run(
            [str(self.handle.bin_path / program), *arguments],
            user=self.handle.system_user,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    @property
    def socket_dir(self) -> str:
        """Where it listens."""
        return str(make_url(self.url).query["host"])

    def crash(self) -> None:
        """Stop without a farewell to anybody."""
        self.pg_ctl("-m", "immediate", "stop")

    def start(self) -> None:
        """Start again, at the same place."""
        self.pg_ctl("-o", f'-h "" -k {self.socket_dir}', "-l", str(self.handle.log), "start")

    @contextmanager
    def standby(self, folder: Path) -> Iterator[Path]:
        """A second server, with its data and its socket in a new folder, which has every commit before whoever asked
        for it is told; `promote` makes it the primary. Its user must be able to reach the folder.
        """
        shutil.chown(folder.parent, self.handle.system_user)
        self.run("pg_basebackup", "-h", self.socket_dir, "-U", "postgres", "-R", "-c", "fast", "-D", str(folder))
        (folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)  # the socket of the first stands among its data
        options = f'-h "" -k {folder}'
        self.pg_ctl("-o", options, "-l", str(folder / "log"), "start", data=folder)
        try:
            self.run("psql", "-q", self.url, "-c", "ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.pg_ctl("reload")
            yield folder
        finally:
            self.pg_ctl("-m", "immediate", "stop", data=folder)

    def promote(self, standby: Path) -> None:
        """It takes writes from now on."""
        self.pg_ctl("promote", data=standby)

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay open, and nothing answers."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Undo `freeze`."""
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[Any]:
        postmaster = self.handle.get_postmaster_info().process
        return [postmaster, *postmaster.children(recursive=True)]

    async def never_crashes(self) -> None:
        """Let it leave to the machine when it writes to the disk: its databases do not outlive it anyhow."""
        lazy = (f"ALTER SYSTEM SET {name} = {value}" for name, value in _LAZY.items())
        await self._execute(*lazy, "SELECT pg_reload_conf()")

    async def new_database(self, template: str | None = None) -> str:
        """The URL of an empty database, or of one that is as the database `template`, which nobody may be using."""
        name = f"test_{next(_numbers)}"
        copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        await self._execute(f"CREATE DATABASE {name}{copied}")
        return self.url_of(name)

    @asynccontextmanager
    async def database(self, template: str | None = None) -> AsyncIterator[str]:
        """The same, dropped at the end of the block."""
        url = await self.new_database(template)
        try:
            yield url
        finally:
            await self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    async def migrated(self) -> str:
        """The name of a new database with this release's schema: a template for others."""
        url = await self.new_database()
        database = Database(make_url(url))
        await database.upgrade()
        if os.environ.get(TOMORROW):
            async with database.connection() as connection:
                for statement in of_tomorrow():
                    await connection.execute(text(statement))
        await database.close()
        name = make_url(url).database
        assert name is not None
        return name

    def url_of(self, database: str) -> str:
        """Of the database with this name."""
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def of_tomorrow() -> Iterator[str]:
    """What the next release may add: columns of every table, also in front of what is unique, a table, a revision."""
    for table in metadata.sorted_tables:
        yield f"ALTER TABLE {table.name} ADD COLUMN of_tomorrow text"
        yield f"ALTER TABLE {table.name} ADD COLUMN also_of_tomorrow bigint NOT NULL DEFAULT 0"
        yield f"CREATE INDEX ix_{table.name}_of_tomorrow ON {table.name} (also_of_tomorrow)"
    yield "CREATE TABLE of_tomorrow (id bigint PRIMARY KEY)"
    yield "UPDATE alembic_version SET version_num = '9999'"


def in_memory() -> str | None:
    """A folder whose files are in memory; None: there is none, or it is small, as in many containers."""
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    roomy = room.f_bavail * room.f_frsize >= _MEMORY_GIB << 30
    return _MEMORY if roomy and os.access(_MEMORY, os.W_OK | os.X_OK) else None


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """A server with its data below this folder, as callrouter itself would run it."""
    handle, url = start_server(folder)
    server = Server(handle, url)
    try:
        yield server
    finally:
        # The library stops the process that it has started, and no other.
        if not handle.get_postmaster_info().process.is_running():
            with suppress(subprocess.CalledProcessError):  # no other runs, either
                server.pg_ctl("-m", "fast", "stop")
        stop_server(handle)
