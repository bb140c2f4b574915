"""The schema's version: where it stands, where this release wants it, and the way there (Alembic).

The migrations are the folder `migrations`: inside the package when it was built with them, at the root of the project
otherwise. `migrations/env.py` is handed the connection to work on, so that nothing but asyncpg is needed. Alembic is
imported where it is used: a start has calls to serve before it looks at a schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import Connection, text

from callrouter.errors import SchemaMismatch, StoreError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_LOCK = 0x63616C6C726F7574
"""Advisory lock that lets one process migrate at a time ("callrout")."""

OLDEST: Final = "0014"
"""The oldest revision whose release runs on this schema, too: what was added since disturbs it in nothing. Raised only
with a migration that takes away or changes what that release uses: never by the next release, so that two engines are
upgraded one after the other."""
_RUNS_FROM: Final = "callrouter: releases whose schema is at {revision} or later run on it"
"""The comment on Alembic's own table by which a release knows that a later schema is one that it runs on."""

LOCK_SECONDS = 10.0
"""How long a migration waits for a table that others use: whoever asks for it later waits too, engines included."""


def migrations_folder() -> Path:
    """The folder of env.py and versions/.

    Raises:
        StoreError: this installation came without.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").exists():
            return folder
    raise StoreError("the folder 'migrations' is missing from this installation: install callrouter again, completely")


def config() -> Config:
    """Alembic's configuration, as of alembic.ini."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to this release's, in the connection's transaction; others who try wait.

    Raises:
        SchemaMismatch: it belongs to a newer release.
    """
    _run(connection, "upgrade", revision)
    if revision == "head":
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{_RUNS_FROM.format(revision=OLDEST)}'"))


def downgrade(connection: Connection, revision: str) -> None:
    """Bring the schema back to an older revision ("base" for nothing), in the connection's transaction."""
    _run(connection, "downgrade", revision)


def check(connection: Connection) -> None:
    """Make sure that the schema is this release's, or a later one that it runs on.

    Raises:
        SchemaMismatch: it is older or newer; the sentence says what to do.
    """
    found, scripts = current(connection), _scripts(config())
    head = scripts.get_current_head()
    if found == head or (_is_newer(found, scripts) and head is not None and head >= _runs_from(connection)):
        return
    _refuse_newer(found, scripts)
    was = f"at {found}, older than this release" if found else "empty"
    raise SchemaMismatch(f"the database's schema is {was}: run `callrouter db upgrade` first")


def _runs_from(connection: Connection) -> str:
    """The oldest revision whose release runs on a later schema, as that says itself; "~", after all, if it does not."""
    said = connection.execute(text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")).scalar()
    before, after = _RUNS_FROM.split("{revision}")
    if said is None or not (said.startswith(before) and said.endswith(after)):
        return "~"
    return str(said)[len(before) : -len(after)]


def _scripts(made: Config) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(made)


def _run(connection: Connection, what: Literal["upgrade", "downgrade"], revision: str) -> None:
    from alembic import command

    # A migration of a large table takes its time, and so does waiting for another process that migrates it.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}"))
    made = config()
    _refuse_newer(current(connection), _scripts(made))
    made.attributes["connection"] = connection
    way = command.upgrade if what == "upgrade" else command.downgrade
    way(made, revision)


def _is_newer(found: str | None, scripts: ScriptDirectory) -> bool:
    return found is not None and found not in {script.revision for script in scripts.walk_revisions()}


def _refuse_newer(found: str | None, scripts: ScriptDirectory) -> None:
    if _is_newer(found, scripts):
        raise SchemaMismatch(
            f"the database's schema is at {found}, which this release does not know: it was upgraded by a newer "
            "callrouter. Install that release here, or point CALLROUTER_DATABASE_URL at another database."
        )
