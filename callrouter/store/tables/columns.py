"""What tables are made of: one metadata for all, with the names of constraints, and columns that several have."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Text

from callrouter.core.call import DEFAULT_PBX

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)

Id = Text(collation="C")
Instant = DateTime(timezone=True)


def one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


def pbx(*, nullable: bool = False) -> Column[str]:
    """Rows from before PBXs had names are the default one's."""
    return Column("pbx", Text, nullable=nullable, server_default=DEFAULT_PBX, comment="CALLROUTER_PBX")


def revision(*, nullable: bool = False) -> tuple[Column[int], Column[int]]:
    """Of two tellers of one call, or of one numbered part of it, the higher pair stands (core.call, Revision)."""
    return (
        Column("epoch", BigInteger, nullable=nullable, server_default="0", comment="of the engine that told it"),
        Column("revision", Integer, nullable=nullable, server_default="1", comment="0: a guess, the end was not seen"),
    )
