"""A kind of mistake, and one mistake of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from callrouter.dialplan.issues import Issue, Severity
from tests.dialplan.mistakes.folders import Folder, Judged, Path


@dataclass(frozen=True)
class Mistake:
    """A folder with one mistake, and where it has to be found: at one of these places."""

    folder: Folder
    places: tuple[tuple[str, Path], ...]
    """File, and path of the value in it."""

    def found_by(self, judged: Judged) -> Issue | None:
        """An error, or a warning with a name, that stands on the line of one of the places."""
        lines = {(file, judged.line(file, path)) for file, path in self.places}
        return next((issue for issue in judged.issues if (issue.file, issue.line) in lines and counts(issue)), None)


def counts(issue: Issue) -> bool:
    """Whether an issue is heard by whoever wrote the file: what may be accepted by name, or refuses it."""
    of_settings = "CALLROUTER_" in issue.message
    return issue.severity is Severity.ERROR or (issue.severity is Severity.WARNING and bool(issue.name or of_settings))


Make = Callable[[Random], Mistake | None]
"""Makes a mistake in a right firm; None: this firm has nothing that could be mistaken so."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of mistake."""

    name: str
    line: int
    """Of the issue's list."""
    make: Make
    awaited: bool = False
    """Not found yet: counted, and held by nobody."""


def at(folder: Folder, *path: str | int) -> tuple[str, Path]:
    """A place in the first client's file."""
    return folder.file, path


def at_shared(kind: str, *path: str | int) -> tuple[str, Path]:
    """A place in a shared file."""
    return f"shared/{kind}.yaml", path
