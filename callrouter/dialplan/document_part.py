"""A tree within a document: where each of its values is written, and what is wrong with it."""

from __future__ import annotations

from msgspec import Struct, field

from callrouter.dialplan.issues import Issue, Severity
from callrouter.dialplan.language.reader import Document, Key, dotted, node_name, tree_path


class Place(Struct, frozen=True, kw_only=True):
    """Where a node that a tree did not write itself was written."""

    document: Document
    path: Key
    included_at: str
    """`file:line` of what put it into the tree."""


class DocumentPart(Struct, kw_only=True):
    """One tree of a document, and the list its issues go to: findings are collected, never raised."""

    document: Document
    issues: list[Issue] = field(default_factory=list)
    root: Key = ()
    """Where in the document the tree stands: empty for a client's own."""
    included_at: str = ""
    """`file:line` that put this tree where it is; empty for a client's own."""
    places: dict[str, Place] = field(default_factory=dict)
    """Nodes of the plan that were written elsewhere, by name."""

    def line(self, *path: str | int) -> int:
        """The line of a value of this tree."""
        return self.document.line(*self.root, *path) if self.root else self.document.line(*path)

    def known(self, *path: str | int) -> Key:
        """The part of a path that the tree holds."""
        return self.document.known(*self.root, *path)[len(self.root) :]

    def at(self, *path: str | int) -> str:
        """File and line of a value of this tree."""
        return f"{self.document.file}:{self.line(*path)}"

    def fail(
        self,
        message: str,
        *path: str | int,
        suggestion: str = "",
        severity: Severity = Severity.ERROR,
        name: str = "",
        dated: bool = False,
    ) -> None:
        """Note what is wrong with the value at a path; a node's name may be the one it has in the plan.

        `name`: of a warning, what the file may accept it by; `dated`: time alone brought it about.
        """
        document, full, included_at = self.document, (*self.root, *path), self.included_at
        if path[:1] == ("nodes",) and len(path) > 1 and (place := self.places.get(str(path[1]))):
            document, full, included_at = place.document, (*place.path, *path[2:]), place.included_at
        known = document.known(*full)
        self.issues.append(
            Issue(
                file=document.file,
                line=document.line(*full),
                node=node_name(known),
                field=dotted(tree_path(known)),
                message=f"{message} (put here by {included_at})" if included_at else message,
                suggestion=suggestion,
                severity=Severity.WARNING if name else severity,
                name=name,
                dated=dated,
            )
        )
