"""How a batch of calls, some of which may have rows already, goes into the tables: SQL, run in one transaction.

Of two records of one call the one with the higher revision stands (`core.call.Revision`), with its queue visits. What
the other said is kept, whole, in `superseded_calls`. Numbered facts (offers, legs, holds) are many for a call, and
nobody need know all of them: of each the higher revision stands, and those that only one has told stay. So it is with a
recording of a conversation, but for what others have made of it since (its file's length, loudness and end). What
others go on with once it is written (messages, their recordings, wishes to be called back) is added where it is
missing, whoever told it, and never changed or taken away.

While it runs, `calls` is locked against other writers: a row that another engine wrote between two of these statements
would be replaced without having been kept.
"""

from __future__ import annotations

from typing import Final

from callrouter.store import tables

NUMBERED: Final = {"offers": "call_id, number", "legs": "leg_id", "holds": "leg_id, number"}
"""Tables of numbered facts, by their keys."""
STAGED: Final = ("calls", "queue_visits", *NUMBERED, "messages", "recordings", "callbacks")
"""Tables that a batch has rows for, each of which is staged in one like it."""

STAGING: Final = (
    # With the defaults of columns that a later release may have added: this one does not know them.
    *(f"CREATE TEMP TABLE IF NOT EXISTS staged_{table} (LIKE {table} INCLUDING DEFAULTS)" for table in STAGED),
    'CREATE TEMP TABLE IF NOT EXISTS standing (call_id text COLLATE "C")',
    f"TRUNCATE standing, {', '.join(f'staged_{table}' for table in STAGED)}",
)
"""Run first: an empty place for the batch."""

_KNOWN: Final = "(coalesce(calls.epoch, 0), coalesce(calls.revision, 1))"
"""A row may lack them (tables.calls)."""

_LOCK: Final = "LOCK TABLE calls IN SHARE ROW EXCLUSIVE MODE"

_KEEP_SUPERSEDED: Final = f"""
INSERT INTO superseded_calls (call_id, epoch, revision, record)
SELECT calls.call_id, coalesce(calls.epoch, 0), coalesce(calls.revision, 1), to_jsonb(calls)
FROM calls JOIN staged_calls s USING (call_id) WHERE {_KNOWN} < (s.epoch, s.revision)
UNION ALL
SELECT s.call_id, s.epoch, s.revision, to_jsonb(s)
FROM staged_calls s JOIN calls USING (call_id) WHERE (s.epoch, s.revision) < {_KNOWN}
ON CONFLICT DO NOTHING
"""  # noqa: S608 - made of our own words

_SET: Final = ", ".join(f"{c.name} = excluded.{c.name}" for c in tables.calls.columns if not c.primary_key)

_STAND: Final = f"""
WITH told AS (
    INSERT INTO calls SELECT * FROM staged_calls
    ON CONFLICT (call_id) DO UPDATE SET {_SET} WHERE {_KNOWN} < (excluded.epoch, excluded.revision)
    RETURNING call_id
)
INSERT INTO standing SELECT call_id FROM told
"""  # noqa: S608 - made of our own words

_REPLACE_VISITS: Final = (
    "DELETE FROM queue_visits USING standing WHERE queue_visits.call_id = standing.call_id",
    "INSERT INTO queue_visits SELECT s.* FROM staged_queue_visits s JOIN standing USING (call_id)",
)


def _higher(table: str, key: str) -> str:
    columns = [column.name for column in tables.metadata.tables[table].columns if not column.primary_key]
    values = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"""
        INSERT INTO {table} SELECT * FROM staged_{table} ON CONFLICT ({key}) DO UPDATE SET {values}
        WHERE ({table}.epoch, {table}.revision) < (excluded.epoch, excluded.revision)
    """  # noqa: S608 - names of ours


def _added(table: str, which: str = "") -> str:
    return f"INSERT INTO {table} SELECT * FROM staged_{table}{which} ON CONFLICT DO NOTHING"  # noqa: S608 - names of ours


_RECORDED: Final = """
INSERT INTO recordings SELECT * FROM staged_recordings WHERE kind = 'conversation' ON CONFLICT (recording_id) DO UPDATE
SET seconds = CASE WHEN recordings.checksum IS NULL THEN excluded.seconds ELSE recordings.seconds END,
    leg = excluded.leg, delete_after = excluded.delete_after, paused_seconds = excluded.paused_seconds,
    objected_at = coalesce(excluded.objected_at, recordings.objected_at),
    epoch = excluded.epoch, revision = excluded.revision
WHERE recordings.kind = 'conversation'
    AND (coalesce(recordings.epoch, 0), coalesce(recordings.revision, 1)) < (excluded.epoch, excluded.revision)
"""

MERGE_FACTS: Final = (
    *(_higher(table, key) for table, key in NUMBERED.items()),
    _RECORDED,
    _added("messages"),
    _added("recordings", " WHERE kind = 'message'"),
)
"""The part of it that needs no call: numbered facts, and messages."""

MERGE: Final = (
    _LOCK,
    _KEEP_SUPERSEDED,
    _STAND,
    *_REPLACE_VISITS,
    *MERGE_FACTS,
    _added("callbacks"),
)
"""Run once the batch is staged; no call stands in it twice."""
