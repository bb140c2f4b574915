"""A client's document as far as it could be understood, before anything is compiled."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.issues import Issue
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.language.validation import broken_nodes, validate_part


class Draft(Struct, frozen=True, kw_only=True, dict=True):
    """A document as far as it could be understood: what is still to be compiled, and what is wrong so far."""

    document: Document
    file: ClientFile | None
    broken: frozenset[str] = frozenset()
    """Nodes that have errors of their own: they exist, but nothing more is said of them."""
    issues: tuple[Issue, ...] = ()

    @cached_property
    def claim(self) -> Claim:
        """What it claims, even when it is wrong elsewhere: whoever leads there gets that as the error."""
        value = self.document.value if isinstance(self.document.value, dict) else {}
        client, zone, country = (
            found if isinstance(found := value.get(key), str) else "" for key in ("client", "timezone", "country")
        )
        return Claim(client, _texts(value.get("formerly")), _texts(value.get("numbers")), zone, country)


class Claim(NamedTuple):
    """Client and numbers of a document, as they are written, and where their national form belongs."""

    client: str
    formerly: tuple[str, ...]
    numbers: tuple[str, ...]
    timezone: str
    country: str

    @property
    def names(self) -> tuple[str, ...]:
        """The client's identifier and those it had before; without what is not written."""
        return (self.client, *self.formerly) if self.client else self.formerly


def _texts(written: object) -> tuple[str, ...]:
    return tuple(one for one in (written if isinstance(written, list) else [written]) if isinstance(one, str))


def draft(document: Document, model: type[ClientFile] = ClientFile) -> Draft:
    """Validate a document; nodes that are wrong are set aside, so that the rest of the tree is still judged."""
    if document.value is None:
        return Draft(document=document, file=None, issues=document.issues)
    found, issues = validate_part(model, document, document.value, ())
    broken = broken_nodes(issues)
    if found is None and broken and all(issue.node for issue in issues):
        nodes = {name: node for name, node in document.value["nodes"].items() if name not in broken}
        if nodes:
            found, _ = validate_part(model, document, {**document.value, "nodes": nodes}, ())
    return Draft(document=document, file=found, broken=broken, issues=(*document.issues, *issues))
