"""What /api/person asks for and answers."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from callrouter.api.filters import TEXT
from callrouter.api.schemas.base import Instant, Out
from callrouter.store.person.receipts import WHY, Receipt, printed

Number = Annotated[str, Field(min_length=1, max_length=40, pattern=TEXT, examples=["+33612345678", "06 12 34 56 78"])]


class PersonIn(BaseModel):
    """Whose data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Number


class ErasureIn(PersonIn):
    """Whose data is to be erased, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=TEXT, description="Why; without the number")]
    confirm: Annotated[bool, Field(description="True: nothing brings the person back")]


class FoundOut(Out):
    """Where a number stands."""

    found: dict[str, int] = Field(description="How many rows or files, by store")


class StoreOut(Out):
    """What was done in one store."""

    found: int
    erased: int
    where: list[str] = Field(description="Places that are not ours to change in silence")
    why_fr: str
    why_en: str


class ReceiptOut(Out):
    """Of an erasure; it holds no number."""

    erasure_id: str
    at: Instant
    ended_at: Instant | None = Field(description="Null: it was interrupted; asked for again, it goes on")
    principal: str
    reason: str
    hint: str = Field(description="The number's last two digits")
    stores: dict[str, StoreOut]
    text_fr: str
    text_en: str

    @classmethod
    def of(cls, one: Receipt) -> Self:
        """As it is kept."""

        def store(name: str) -> StoreOut:
            found: Any = one.stores.get(name, {})
            why_fr, why_en = WHY[name]
            return StoreOut(
                found=found.get("found", 0),
                erased=found.get("erased", 0),
                where=list(found.get("where", ())),
                why_fr=why_fr,
                why_en=why_en,
            )

        return cls(
            erasure_id=one.erasure_id,
            at=one.at,
            ended_at=one.ended_at,
            principal=one.principal,
            reason=one.reason,
            hint=one.hint,
            stores={name: store(name) for name in WHY},
            text_fr=printed(one, "fr"),
            text_en=printed(one, "en"),
        )
