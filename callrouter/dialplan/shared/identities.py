"""Who we are when we call out: what the carrier lets us show (`shared/trunk.yaml`), and what a client wants of it."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from callrouter.core import numbers
from callrouter.core.identity import Forwarding, Identity, Shows
from callrouter.dialplan.documents.shared_files import TrunkFile
from callrouter.dialplan.issues import Issue, shown
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.reader import Document


class Trunk(Struct, frozen=True, kw_only=True):
    """What the carrier shows of our calls."""

    number: str
    """The operator's own, in E.164."""
    also_shows: frozenset[Shows] = frozenset()
    """Whose numbers it shows besides."""
    forwarding: Forwarding = Forwarding.NONE


class WrongIdentity(Struct, frozen=True, kw_only=True):
    """What is wrong with a client's identity: the sentence, and the key it is about."""

    message: str
    key: str = ""


def trunk_of(file: TrunkFile, document: Document, country: str) -> tuple[Trunk | None, list[Issue]]:
    """The trunk; None where its number is none."""
    number = numbers.written(file.number, (file.country or country).upper())
    if number is None or not number.startswith("+"):
        why = numbers.wrong_number(file.number, country) if number is None else "is no number that could be called back"
        message = f"number: {shown(file.number)} {why}"
        return None, [Issue(file=document.file, line=document.line("number"), field="number", message=message)]
    also_shows = frozenset(map(Shows, file.also_shows))
    return Trunk(number=number, also_shows=also_shows, forwarding=Forwarding(file.forwarding)), []


def identity_of(
    block: IdentityBlock | None, trunk: Trunk | None, dids: tuple[str, ...], country: str, today: date
) -> Identity | WrongIdentity | None:
    """What a client's calls show: without a word in its file the operator's number, where there is a trunk's file."""
    if trunk is None:
        missing = "shared/trunk.yaml does not say what the carrier lets us show: write it, or take this out"
        return WrongIdentity(message=missing) if block else None
    shows = Shows(block.show) if block else Shows.OPERATOR
    if block is None or shows is Shows.OPERATOR:
        if block and (block.number or block.mandate):
            key = "number" if block.number else "mandate"
            return WrongIdentity(message=f'"{key}" is for `show: client` only', key=key)
        return Identity(shows=Shows.OPERATOR, number=trunk.number, forwarding=trunk.forwarding)
    if shows not in trunk.also_shows:
        mend = f"once it has agreed, add {shows} to also_shows of shared/trunk.yaml"
        return WrongIdentity(message=f"the carrier does not let us show the {shows}'s number: {mend}", key="show")
    if shows is Shows.CALLER:
        return Identity(shows=shows, number=trunk.number, forwarding=trunk.forwarding)
    return _clients(block, trunk, dids, country, today)


def _clients(
    block: IdentityBlock, trunk: Trunk, dids: tuple[str, ...], country: str, today: date
) -> Identity | WrongIdentity:
    number = numbers.written(block.number, country) if block.number else next(iter(dids), None)
    if number is None or not number.startswith("+"):
        why = numbers.wrong_number(block.number or "", country) if number is None else "could not be called back"
        return WrongIdentity(message=f"{shown(block.number or '')} {why}", key="number")
    if block.mandate is None:
        needed = "to show a client's number takes its mandate: write since when you have it, as in mandate: 2026-03-01"
        return WrongIdentity(message=needed, key="show")
    if block.mandate > today:
        since = block.mandate.isoformat()
        later = f"the mandate is of {since}, which is still to come: show the operator's number till then"
        return WrongIdentity(message=later, key="mandate")
    return Identity(shows=Shows.CLIENT, number=number, forwarding=trunk.forwarding, mandate=block.mandate)
