"""People of the clients, as the documents know them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from callrouter.core import numbers
from callrouter.core.dispatch import Reach
from callrouter.dialplan.documents.people import ContactBlock
from callrouter.dialplan.issues import Issue, shown
from callrouter.dialplan.language.reader import Document


class Person(Struct, frozen=True, kw_only=True):
    """Somebody of a client's, as the documents know them."""

    name: str
    title: str = ""
    number: str | None = None
    """E.164."""
    email: str | None = None
    url: str | None = None
    secret: str = ""
    """Name of the secret that what is posted to `url` is signed with; empty: it is not signed."""
    pin: str = ""
    """Name of the secret that is their PIN; empty: they have none."""
    language: str = ""
    """In which they are written to; empty: the client's."""
    source: str = ""
    """`file:line` where it is written."""

    @property
    def reach(self) -> Reach:
        """Where a plan says that they are reached."""
        return Reach(
            name=self.name,
            title=self.title,
            number=self.number or "",
            email=self.email or "",
            url=self.url or "",
            secret=self.secret,
            pin=self.pin,
            language=self.language,
        )


def people(
    blocks: Mapping[str, ContactBlock], document: Document, country: str
) -> tuple[dict[str, Person], list[Issue]]:
    """Contacts with their numbers in E.164, and what is wrong with those that have none."""
    found: dict[str, Person] = {}
    issues: list[Issue] = []
    for name, block in blocks.items():
        number = numbers.written(block.number, country) if block.number else None
        if block.number and number is None:
            message = f'contact "{name}": {shown(block.number)} {numbers.wrong_number(block.number, country)}'
            issues.append(document.issue(message, "contacts", name, "number"))
            continue
        found[name] = Person(
            name=name,
            title=block.name or name,
            number=number,
            email=block.email,
            url=block.url,
            secret=(block.secret or "").removeprefix("env:"),
            pin=(block.pin or "").removeprefix("env:"),
            language=block.language or "",
            source=f"{document.file}:{document.line('contacts', name)}",
        )
    return found, issues
