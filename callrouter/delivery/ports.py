"""What is delivered, and what the way there needs from outside: a book, and a spool on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something one address is to be told, and is not yet known to have been told."""

    delivery_id: str
    """Unique, and the same at every attempt: the receiver can recognise a repetition."""
    call_id: str
    client: str
    contact: str
    """The document's name for the receiver."""
    address: str
    """A URL; its scheme says which channel delivers there."""
    body: str
    asked_at: datetime
    secret: str = ""
    """Name of the secret (`env:CRM` is CRM) that what is posted is signed with; empty: it is not signed."""


class Book(Protocol):
    """Where deliveries are kept until they are made; each method raises StoreError while it cannot be reached."""

    async def add(self, asked: Sequence[Delivery]) -> None:
        """Keep them; one that is there already stays as it is."""
        ...

    async def check(self) -> None:
        """Whether it can be reached."""
        ...


class Spool(Protocol):
    """Where deliveries wait while the book cannot be reached; each method raises OSError when the disk fails."""

    async def append(self, asked: Sequence[Delivery]) -> None:
        """After what is there."""
        ...

    async def read(self) -> list[Delivery]:
        """What is there."""
        ...

    async def clear(self) -> None:
        """All of it is in the book."""
        ...
