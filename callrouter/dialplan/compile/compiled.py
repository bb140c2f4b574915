"""What became of one client's document."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from callrouter.core.plan import Plan
from callrouter.dialplan.issues import Issue
from callrouter.dialplan.language.reader import Document


class Compiled(Struct, frozen=True, kw_only=True):
    """What became of a document: a plan if nothing is wrong, and what was found."""

    document: Document
    client: str
    plan: Plan | None
    issues: tuple[Issue, ...]
    overdue: Plan | None = None
    """The plan where nothing is wrong but what time has brought about: it may stay in service, and not go there."""
    uses: frozenset[str] = frozenset()
    """Other clients' documents it was compiled from; the shared ones go without saying."""
    dialled: Mapping[str, str] = field(default_factory=dict)
    """Numbers it has dialled, and the client's document each is a number of; empty: of none."""
