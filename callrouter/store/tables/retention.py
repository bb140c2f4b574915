"""How long what is kept, what was deleted because its time was over, and persons who were erased.

A row of `kept_from` says since when a client's calls are kept: older ones may be gone, and their days, which stay, are
never made again. A row of `retention_rules` is what counts for a client and kind, and what is to count instead once it
has been asked for long enough. A row of `retention_runs` is one deletion of all whose time was over.

A row of `erasures` is a person's number that was blanked everywhere, without the number. `erasure_suspects` are rows of
before it that came after it: they may be of such a person (the triggers `calls_are_late`, `messages_are_late`).
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Double, Identity, Integer, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from callrouter.core.retention.rule import Kind
from callrouter.store.tables.columns import Id, Instant, metadata, one_of

kept_from = Table(
    "kept_from",
    metadata,
    Column("client", Id, nullable=False, comment="as the calls name it"),
    Column(
        "from_at", Instant, nullable=False, comment="calls that rang before may be gone: their days stay as they are"
    ),
    PrimaryKeyConstraint("client"),
)

retention_rules = Table(
    "retention_rules",
    metadata,
    Column("client", Id, nullable=False, comment="its present name; empty: of nobody"),
    Column("kind", Text, nullable=False),
    Column("days", Integer, comment="for which it is kept; empty: until somebody deletes it"),
    Column("asked_days", Integer, comment="what is to count instead, from then on"),
    Column("asked_at", Instant, comment="since when that is asked for; empty: nothing else is"),
    Column("done_to", Instant, comment="what began before has been looked at; empty: nothing has"),
    PrimaryKeyConstraint("client", "kind"),
    CheckConstraint(one_of("kind", Kind), name="kind"),
    CheckConstraint("days > 0 AND asked_days > 0", name="destroys_nothing"),
)

retention_runs = Table(
    "retention_runs",
    metadata,
    Column("run_id", Integer, Identity(always=True), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant, comment="empty: it runs, or was killed"),
    Column("asked_by", Text, nullable=False, comment="principal"),
    *(Column(kind.value, Integer, nullable=False, server_default="0") for kind in Kind),
    Column("held_back", Integer, nullable=False, server_default="0", comment="of them, for a reason"),
    Column("seconds", Double, nullable=False, server_default="0", comment="of work, without rests"),
    Column(
        "detail",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="rows by table; by client, how many of each kind, and until when",
    ),
    Column("error", Text, nullable=False, server_default="", comment="a sentence; empty: none"),
    PrimaryKeyConstraint("run_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant, comment="empty: it was interrupted, and goes on when it is asked for again"),
    Column("principal", Text, nullable=False, comment="who asked for it"),
    Column("reason", Text, nullable=False, comment="what they said of it"),
    Column("hint", Text, nullable=False, comment="the number's last two digits"),
    Column("salt", Text, nullable=False),
    Column("number_hash", Id, comment="SHA-256 of salt and number; empty: no longer watched"),
    Column(
        "watch_until", Instant, nullable=False, comment="so long late rows of that number are erased when they come"
    ),
    Column("receipt", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    PrimaryKeyConstraint("erasure_id"),
)

erasure_suspects = Table(
    "erasure_suspects",
    metadata,
    Column("kind", Text, nullable=False, comment="call, message"),
    Column("subject", Id, nullable=False, comment="its id"),
    PrimaryKeyConstraint("kind", "subject"),
)
