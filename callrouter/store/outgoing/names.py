"""Whether two rows are of one client: under the name it has, or one that it had (`store.plans`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, any_, case, func, literal
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.plans import present_names


class Names:
    """Of all clients; as long as nobody was renamed, queries are as if nobody could be."""

    def __init__(self, present: Mapping[str, str]) -> None:
        """`present` is a client's name by each that it had before."""
        self._present = present
        self._families: dict[str, list[str]] = {}
        for former, client in sorted(present.items()):
            self._families.setdefault(client, [client]).append(former)

    @classmethod
    async def read(cls, connection: AsyncConnection) -> Names:
        """As they are now. Raises StoreError."""
        return cls(await present_names(connection))

    def now(self, name: str) -> str:
        """What the client is called."""
        return self._present.get(name, name)

    def all_of(self, name: str) -> Sequence[str]:
        """All names of a client, by one of them."""
        return self._families.get(self.now(name), [name])

    def same_client(self, column: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[bool]:
        """That two columns name one client; an index on the first serves it."""
        if not self._families:
            return column == other
        theirs = {one: literal(list(family), ARRAY(Text)) for family in self._families.values() for one in family}
        return column == any_(case(theirs, value=other, else_=func.array_append(literal([], ARRAY(Text)), other)))

    def joined(self, column: str) -> tuple[str, str]:
        """For SQL: what joins all names of the client that a column names, and what each of them is called then.

        The parameters are `values`.
        """
        return (_THEIRS.format(client=column), "theirs.name") if self._families else ("", column)

    @property
    def values(self) -> dict[str, list[str]]:
        """Parameters of `joined`."""
        pairs = [
            (one, other) for family in self._families.values() for one in family for other in family if one != other
        ]
        return {"names": [one for one, _ in pairs], "others": [other for _, other in pairs]} if pairs else {}


_THEIRS = """
    CROSS JOIN LATERAL (
        SELECT {client} AS name
        UNION ALL
        SELECT renamed.other FROM unnest(CAST(:names AS text[]), CAST(:others AS text[])) AS renamed(name, other)
        WHERE renamed.name = {client}
    ) AS theirs
"""
