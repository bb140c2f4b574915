"""What each version of a plan promised, one row a distinct promise; filled in from the kept documents.

The documents are read here as the language was when this was written, by rules and defaults of its own: what the
compiler makes of them later must not change what was promised then. A document that does not read gives no promise.

Documents are read before `plans` is locked: a release that runs beside waits for the moment that the column takes.
What that release keeps from then on has no promise; the first start of this one gives it its own.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DEFAULTS = {
    "within_seconds": 20.0,
    "target": 0.8,
    "short_abandon_seconds": 5.0,
    "formula": "short_abandon_excluded",
    "clock": "entered_service",
}
FORMULAS = (
    "answered_only",
    "early_abandon_counts",
    "late_abandon_only",
    "short_abandon_as_met",
    "short_abandon_excluded",
    "strict",
)
KEYS = {"within": "within_seconds", "short_abandon": "short_abandon_seconds"}
"""Keys of `service_level` that are durations."""
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) *%")
PAGE = 500

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "promises",
        sa.Column("promise_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("within_seconds", sa.Double(), nullable=False, comment="T: answered within it is answered in time"),
        sa.Column("target", sa.Double(), nullable=False, comment="share promised, 0 to 1"),
        sa.Column("short_abandon_seconds", sa.Double(), nullable=False, comment="giving up sooner is a short abandon"),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False, comment="from when waiting is measured"),
        sa.Column("timezone", sa.Text(), nullable=False, comment="IANA name"),
        sa.CheckConstraint(
            "formula IN ('answered_only', 'early_abandon_counts', 'late_abandon_only', "
            "'short_abandon_as_met', 'short_abandon_excluded', 'strict')",
            name=op.f("promises_formula_check"),
        ),
        sa.CheckConstraint("clock IN ('entered_service')", name=op.f("promises_clock_check")),
        sa.PrimaryKeyConstraint("promise_id", name=op.f("promises_pkey")),
        sa.UniqueConstraint(
            *("within_seconds", "target", "short_abandon_seconds", "formula", "clock", "timezone"),
            name=op.f("promises_values_key"),
        ),
    )
    numbers: dict[tuple[Any, ...], int] = {}
    promised = list(_promised(numbers, sa.true()))
    op.add_column(
        "plans",
        sa.Column(
            "promise_id",
            sa.Integer(),
            sa.ForeignKey("promises.promise_id", name=op.f("plans_promise_id_fkey")),
            nullable=True,
            comment="empty: not known; reports say so",
        ),
    )
    _fill_in(promised)
    # What another release has kept between our reading and our lock: a few at most.
    _fill_in(list(_promised(numbers, sa.column("promise_id").is_(None))))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("plans", "promise_id")
    op.drop_table("promises")


def promise_of(document: str) -> dict[str, Any] | None:
    """What a client's file promised, by the names of the columns; None when it does not read."""
    try:
        value = yaml.load(document.lstrip("\ufeff"), Loader=_Loader)  # noqa: S506 - makes texts, lists and mappings only
        written = dict(value.get("service_level", {}))
        promise = {**DEFAULTS, "timezone": str(value["timezone"])}
        for key, column in KEYS.items():
            if key in written:
                promise[column] = _seconds(written[key])
        if "target" in written:
            promise["target"] = _share(written["target"])
        promise["formula"] = written.get("formula", promise["formula"])
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return None
    return promise if promise["formula"] in FORMULAS and promise["timezone"] else None


def _seconds(written: str) -> float:
    word = written.strip().replace(" ", "")
    if not word or DURATION.sub("", word):
        raise ValueError(f"{written!r} is no duration")
    return sum(float(amount) * SECONDS[unit] for amount, unit in DURATION.findall(word))


def _share(written: str) -> float:
    found = SHARE.fullmatch(written.strip())
    if not found:
        raise ValueError(f"{written!r} is no percentage")
    return float(found[1]) / 100


def _promised(numbers: dict[tuple[Any, ...], int], which: sa.ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    """Client, version and number of the promise, of each version that has one; promises that are new get a row."""
    read = lru_cache(maxsize=PAGE)(promise_of)  # many versions differ in a shared file alone
    plans = sa.table("plans", *map(sa.column, ("client", "version", "document", "promise_id")))
    place = sa.tuple_(plans.c.client, plans.c.version)
    after = ("", "")
    while True:
        query = sa.select(plans.c.client, plans.c.version, plans.c.document).where(which, place > after)
        rows = op.get_bind().execute(query.order_by(plans.c.client, plans.c.version).limit(PAGE)).all()
        for client, version, document in rows:
            if promise := read(document):
                yield {"of_client": client, "of_version": version, "number": _number(numbers, promise)}
        if len(rows) < PAGE:
            return
        after = (rows[-1].client, rows[-1].version)


def _number(numbers: dict[tuple[Any, ...], int], promise: dict[str, Any]) -> int:
    key = tuple(promise.values())
    if key not in numbers:
        promises = sa.table("promises", *map(sa.column, promise), sa.column("promise_id"))
        made = sa.insert(promises).values(**promise).returning(promises.c.promise_id)
        numbers[key] = op.get_bind().execute(made).scalar_one()
    return numbers[key]


def _fill_in(promised: list[dict[str, Any]]) -> None:
    if promised:
        plans = sa.table("plans", *map(sa.column, ("client", "version", "promise_id")))
        known = (plans.c.client == sa.bindparam("of_client")) & (plans.c.version == sa.bindparam("of_version"))
        op.get_bind().execute(sa.update(plans).where(known).values(promise_id=sa.bindparam("number")), promised)
