"""The other clients' documents, for trees that lead into one another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from callrouter.core import numbers
from callrouter.dialplan.language import timezones
from callrouter.dialplan.language.reader import Key

if TYPE_CHECKING:
    from callrouter.dialplan.compile.compiled import Compiled
    from callrouter.dialplan.documents.drafts import Draft


class Neighbours:
    """All clients of a folder, by their identifier and by their numbers; looked at only when a tree asks."""

    def __init__(
        self,
        drafts: Iterable[Draft],
        country: str,
        others: Callable[[], Iterable[Draft]] = tuple,
        holding: Callable[[str], Iterable[Draft]] = lambda _: (),
    ) -> None:
        """`drafts` are at hand; `others` reads the rest of the folder, when one is asked for that is not; `holding`
        only what of it may well hold a number or a client's identifier.
        """
        self._drafts = {draft.document.file: draft for draft in drafts}
        self._country = country
        self._others = others
        self._holding = holding
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

    def owner(self, number: str) -> Draft | None:
        """The document of the client that has an E.164 number, of those that are at hand or may well hold it."""
        self._index_at_hand()
        found = self._by_did.get(number)
        if found is None and not self._complete:
            self._add(self._holding(number))
            found = self._by_did.get(number)
        return found

    def claims(self) -> dict[str, tuple[str, ...]]:
        """The numbers of every document at hand, by its name."""
        return {file: self._numbers(draft) for file, draft in self._drafts.items()}

    def twice(self, drafted: Draft) -> Iterator[tuple[str, Key, Draft]]:
        """What another document claims as well: a name or a number, and its place in the document."""
        own = drafted.claim
        claims: list[tuple[str, Key]] = [(own.client, ("client",))] if own.client else []
        claims += [(name, ("formerly", index)) for index, name in enumerate(own.formerly)]
        claims += [(number, ("numbers", index)) for index, number in enumerate(self._numbers(drafted))]
        for claim, place in claims:
            for other in self._holding(claim):
                theirs = self._numbers(other) if place[0] == "numbers" else other.claim.names
                if other.document.file != drafted.document.file and claim in theirs:
                    yield claim, place, other
                    break

    def place_of(self, drafted: Draft, number: str) -> int:
        """The line on which a document claims a number."""
        return drafted.document.line("numbers", [*self._numbers(drafted)].index(number))

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
        self._index_at_hand()
        found = look()
        if found is None and not self._complete:
            self._complete = True
            self._add(self._others())
            found = look()
        return found

    def _index_at_hand(self) -> None:
        if not self._indexed:
            self._index(self._drafts.values())
            self._indexed = True

    def _add(self, drafts: Iterable[Draft]) -> None:
        rest = [draft for draft in drafts if draft.document.file not in self._drafts]
        if not rest:
            return
        self._drafts |= {draft.document.file: draft for draft in rest}
        self._index(rest)

    def _index(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            if client := draft.claim.client:
                self._by_client.setdefault(client, draft)
            for number in self._numbers(draft):
                self._by_did.setdefault(number, draft)

    def _numbers(self, draft: Draft) -> tuple[str, ...]:
        claim = draft.claim
        return _normalised(claim.numbers, claim.timezone, claim.country, self._country)


@lru_cache(maxsize=8192)
def _normalised(written: tuple[str, ...], zone: str, country: str, operators: str) -> tuple[str, ...]:
    """Asked again for all clients whenever one was saved."""
    region = (country or timezones.country_of(zone, operators)).upper()
    found = (numbers.written(entry, region) for entry in written)
    return tuple(number for number in found if number is not None)
