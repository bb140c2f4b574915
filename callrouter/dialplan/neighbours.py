"""The other clients' documents, for trees that lead into one another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from callrouter.core import numbers
from callrouter.dialplan import timezones

if TYPE_CHECKING:
    from callrouter.dialplan.compiler import Compiled, Draft


class Neighbours:
    """All clients of a folder, by their identifier and by their numbers; looked at only when a tree asks."""

    def __init__(self, drafts: Iterable[Draft], country: str, others: Callable[[], Iterable[Draft]] = tuple) -> None:
        """`drafts` are at hand; `others` reads the rest of the folder, when one is asked for that is not."""
        self._drafts = {draft.document.file: draft for draft in drafts}
        self._country = country
        self._others = others
        self._complete = False
        self._by_client: dict[str, Draft] = {}
        self._by_did: dict[str, Draft] = {}
        self._indexed = False
        self._alone: dict[str, Compiled] = {}

    def client(self, name: str) -> Draft | None:
        """The document of a client."""
        return self._find(lambda: self._by_client.get(name))

    def did(self, number: str) -> Draft | None:
        """The document of the client that has an E.164 number."""
        return self._find(lambda: self._by_did.get(number))

    def file(self, name: str) -> Draft | None:
        """A document by its name."""
        return self._drafts.get(name)

    def clients(self) -> tuple[str, ...]:
        """Every client's identifier."""
        self._find(lambda: None)
        return tuple(self._by_client)

    def alone(self, drafted: Draft, make: Callable[[Draft], Compiled]) -> Compiled:
        """What became of a document, leaving aside what the documents it leads to hold; made once."""
        file = drafted.document.file
        if file not in self._alone:
            self._alone[file] = make(drafted)
        return self._alone[file]

    def _find(self, look: Callable[[], Draft | None]) -> Draft | None:
        if not self._indexed:
            self._index(self._drafts.values())
            self._indexed = True
        found = look()
        if found is None and not self._complete:
            self._complete = True
            rest = [draft for draft in self._others() if draft.document.file not in self._drafts]
            self._drafts |= {draft.document.file: draft for draft in rest}
            self._index(rest)
            found = look()
        return found

    def _index(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            for client in _client(draft):
                self._by_client.setdefault(client, draft)
            for number in self._numbers(draft):
                self._by_did.setdefault(number, draft)

    def _numbers(self, draft: Draft) -> Iterator[str]:
        """What a document claims, even when it is wrong elsewhere: whoever leads there is told so."""
        value = draft.document.value
        written = value.get("numbers") if isinstance(value, dict) else None
        zone = value.get("timezone") if isinstance(value, dict) else None
        country = value.get("country") if isinstance(value, dict) else None
        if not isinstance(country, str):
            country = timezones.country_of(zone if isinstance(zone, str) else "", self._country)
        for entry in written if isinstance(written, list) else (written,):
            number = numbers.normalise(entry, country.upper()) if isinstance(entry, str) else None
            if number is not None:
                yield number


def _client(draft: Draft) -> Iterator[str]:
    value = draft.document.value
    client = value.get("client") if isinstance(value, dict) else None
    if isinstance(client, str):
        yield client
