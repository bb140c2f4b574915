"""What all answers are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

CALL_ID = "1795427775-42-518203"
"""Of examples."""
_AT = "2026-11-24T09:00:12.250000Z"


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_utc), Field(examples=[_AT])]
Seconds = Annotated[float, Field(ge=0, examples=[7.4])]
NextCursor = Annotated[str | None, Field(description="Ask with it for the next page; null: there is none")]


class Out(BaseModel):
    """Base of all answers: made of our own values, and frozen."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
