"""What was done to erase a person: kept without their number, and printed in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.tables import erasures

_NOTE: Final = text(
    """
    UPDATE erasures SET receipt = receipt || jsonb_build_object(CAST(:store AS text), jsonb_build_object(
        'found', coalesce((receipt->:store->>'found')::int, 0) + :found,
        'erased', coalesce((receipt->:store->>'erased')::int, 0) + :erased))
    WHERE erasure_id = :erasure_id
    """
)
_SET: Final = text(
    """
    UPDATE erasures SET receipt = receipt || jsonb_build_object(CAST(:store AS text), jsonb_build_object(
        'found', CAST(:found AS int), 'erased', CAST(:erased AS int), 'where', CAST(:places AS jsonb)))
    WHERE erasure_id = :erasure_id
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Of one erasure."""

    erasure_id: str
    at: datetime
    ended_at: datetime | None
    """None: it was interrupted. Asked for again, it goes on."""
    principal: str
    reason: str
    hint: str
    """The number's last two digits."""
    stores: Mapping[str, Mapping[str, Any]]
    """By store: `found`, `erased`, and for what is not ours to change `where`."""


async def note(connection: AsyncConnection, erasure_id: str, store: str, found: int, erased: int) -> None:
    """So many more, in the transaction that erases them.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if found or erased:
        values = {"erasure_id": erasure_id, "store": store, "found": found, "erased": erased}
        await connection.execute(_NOTE, values)


async def put(
    connection: AsyncConnection, erasure_id: str, store: str, *, found: int, erased: int = 0, places: str = "[]"
) -> None:
    """What a store has, whatever was put down before; `places` is JSON.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    values = {"erasure_id": erasure_id, "store": store, "found": found, "erased": erased, "places": places}
    await connection.execute(_SET, values)


async def read_receipt(database: Database, erasure_id: str) -> Receipt | None:
    """One of them; None: there is none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(erasures).where(erasures.c.erasure_id == erasure_id)
    async with database.connection() as connection:
        row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    return Receipt(
        erasure_id=row["erasure_id"],
        at=row["at"],
        ended_at=row["ended_at"],
        principal=row["principal"],
        reason=row["reason"],
        hint=row["hint"],
        stores=row["receipt"],
    )


WHY: Final[Mapping[str, tuple[str, str]]] = {
    "calls": (
        "lignes gardées, la personne effacée : numéro, nom, touches, variables",
        "rows stay, the person in them is blanked: number, name, keys, variables",
    ),
    "superseded_calls": ("versions antérieures de ces appels, effacées de même", "earlier tellings of them, likewise"),
    "messages": ("texte, réponses, nom et transcription effacés", "words, answers, name and transcript are blanked"),
    "recordings": ("sons supprimés du disque", "sounds are deleted from the disk"),
    "callbacks": ("plus personne n'est rappelé", "nobody is called back any more"),
    "outgoing_calls": ("numéro effacé", "the number is blanked"),
    "deliveries": (
        "contenus effacés, ce qui attendait n'est plus envoyé ; ce qui est parti est chez son destinataire",
        "what was written is blanked, what waited is not sent; what was sent is with its receiver",
    ),
    "mentions": ("le numéro effacé où d'autres l'avaient écrit", "the number is blanked where others had written it"),
    "late": ("lignes arrivées après coup, effacées de même", "rows that came afterwards, erased likewise"),
    "plan_documents": (
        "gardés : corriger le fichier et le publier ; les versions passées expliquent les appels",
        "kept: change the file and publish it; earlier versions say how calls went",
    ),
    "spool": (
        "gardés : ils passent au registre et y sont effacés à leur arrivée",
        "kept: they go into the record, and are erased there when they come",
    ),
    "astdb": (
        "gardé par Asterisk jusqu'à ce que l'appel soit au registre, puis effacé à son arrivée",
        "kept by Asterisk until the call is in the record, and erased there when it comes",
    ),
    "logs": (
        "non touchés : CALLROUTER_LOG_NUMBERS=masked n'y écrit pas de numéros",
        "not touched: CALLROUTER_LOG_NUMBERS=masked writes no numbers into them",
    ),
    "backups": (
        "non touchés : refaire l'effacement après une restauration",
        "not touched: erase again after one is restored",
    ),
    "invoices": ("gardées : elles ne tiennent que des identifiants d'appels", "kept: they hold ids of calls alone"),
}
"""By store, in French and English: what was done, or why not."""


def printed(receipt: Receipt, language: str) -> str:
    """For the person who asked: `fr`, else English."""
    french = language == "fr"
    head = "Effacement" if french else "Erasure"
    ended = receipt.ended_at
    state = (
        ("interrompu : à refaire" if french else "interrupted: ask for it again")
        if ended is None
        else (f"{'terminé' if french else 'ended'} {ended:%Y-%m-%d %H:%M}Z")
    )
    lines = [
        f"{head} {receipt.erasure_id}, {receipt.at:%Y-%m-%d %H:%M}Z, {state}",
        f"{'numéro en' if french else 'number ending in'} …{receipt.hint}; {receipt.principal}: {receipt.reason}",
        "",
    ]
    for store, why in WHY.items():
        found = receipt.stores.get(store, {})
        many, erased = found.get("found", 0), found.get("erased", 0)
        counted = f"{many} trouvés, {erased} effacés" if french else f"{many} found, {erased} erased"
        lines.append(f"{store}: {counted}; {why[0 if french else 1]}")
        lines += [f"  {place}" for place in found.get("where", ())]
    return "\n".join(lines)
