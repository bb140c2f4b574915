"""Revision 0005 gives versions that are kept already their promise, from their documents."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from sqlalchemy import Connection, text

from callrouter.core.service_level import Formula, Promise
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.language.reader import read
from callrouter.store import schema
from callrouter.store.database import Database
from callrouter.store.plans import find_plan

migration: Any = importlib.import_module("migrations.versions.0005_promises")

FILE = """\
client: a
numbers: ["01 99 00 00 10"]
timezone: Indian/Reunion
language: fr
start: bye
{}nodes:
  bye:
    hangup: {{ prompt: {{ sound: bye }} }}
"""
USUAL = Promise(timezone="Indian/Reunion")
KEPT = {
    "usual": (FILE.format(""), USUAL),
    "same": (FILE.format("# a word\n"), USUAL),
    "own": (
        FILE.format("service_level: { within: 1m30s, target: 92.5%, short_abandon: 500ms, formula: strict }\n"),
        Promise(
            within_seconds=90,
            target=0.925,
            short_abandon_seconds=0.5,
            formula=Formula.STRICT,
            timezone="Indian/Reunion",
        ),
    ),
    "torn": (FILE.format("service_level: { within: 20"), None),
    "odd": (FILE.format("service_level: { formula: guess }\n"), None),
    "no-zone": ("client: a\n", None),
    "list": ("- client\n", None),
    "nothing": ("", None),
}


def _as_release_before(connection: Connection, version: str, document: str) -> None:
    """What release 0004 writes; it names its columns."""
    connection.execute(
        text(
            "INSERT INTO plans (client, version, document, first_live_at, source, documents)"
            " VALUES ('a', :version, :document, now(), 'a.yaml', '{}')"
        ),
        {"version": version, "document": document},
    )


async def test_older_versions_get_their_promise(database: Database) -> None:
    """Read in pages; what does not read gets none, and stops nothing."""
    async with database.connection() as connection:
        await connection.run_sync(schema.downgrade, "0004")
        for version, (document, _) in KEPT.items():
            await connection.run_sync(_as_release_before, version, document)
        for number in range(2 * migration.PAGE):
            await connection.run_sync(_as_release_before, f"v{number:05}", FILE.format(f"# {number // 100}\n"))

    await database.upgrade()
    await database.upgrade()

    for version, (_, promise) in KEPT.items():
        kept = await find_plan(database, "a", version)
        assert kept is not None
        assert kept.promise == promise, version
    async with database.connection() as connection:
        distinct = await connection.execute(text("SELECT promise_id, count(*) FROM plans GROUP BY 1 ORDER BY 2 DESC"))
        counts = [row.count for row in distinct]
        assert counts == [2 * migration.PAGE + 2, 5, 1]
        assert (await connection.execute(text("SELECT count(*) FROM promises"))).scalar_one() == 2


async def test_the_release_before_goes_on_beside(database: Database) -> None:
    """It keeps versions as it always did."""
    async with database.connection() as connection:
        await connection.run_sync(_as_release_before, "1", KEPT["own"][0])

    kept = await find_plan(database, "a", "1")
    assert kept is not None
    assert kept.promise is None


@pytest.mark.parametrize(
    "written",
    [
        "",
        "service_level: {}\n",
        "service_level: { within: 1h1m, target: 90.5 % }\n",
        'service_level: { within: "0.5m", short_abandon: 0s }\n',
        "service_level:\n  within: 1m 30s # a minute and a half\n  formula: late_abandon_only\n",
        *(f"service_level: {{ formula: {formula} }}\n" for formula in Formula),
    ],
)
def test_it_reads_what_the_language_reads(written: str) -> None:
    """As it is today; should the language change, this case stays what it was then."""
    document = FILE.format(written)
    found = draft(read(document.encode(), "a.yaml")).file
    assert found is not None
    block = found.service_level
    assert migration.promise_of(document) == {
        "within_seconds": block.within,
        "target": block.target,
        "short_abandon_seconds": block.short_abandon,
        "formula": block.formula,
        "clock": "entered_service",
        "timezone": found.timezone,
    }


def test_a_revision_that_was_released_stays_as_it_is() -> None:
    """Its defaults are those of then."""
    assert migration.promise_of(FILE.format("")) == {
        "within_seconds": 20.0,
        "target": 0.8,
        "short_abandon_seconds": 5.0,
        "formula": "short_abandon_excluded",
        "clock": "entered_service",
        "timezone": "Indian/Reunion",
    }
