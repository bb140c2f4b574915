"""Messages to take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from callrouter.store.messages import TakenMessage

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def taken(**fields: Any) -> TakenMessage:
    """One by form, with a new id, and with these fields."""
    message = TakenMessage(
        message_id=str(uuid4()),
        client="cabinet-moreau",
        call_id=None,
        form="patient",
        fields={"name": "Jeanne Martin", "number": "+33612340001"},
        labels=(("name", "Name"), ("number", "Number")),
        text="",
        urgent=False,
        caller_number="+33612340001",
        caller_name="Jeanne Martin",
        deliver="email_doctor",
        taken_by="token:desk",
        started_at=AT,
        taken_at=AT,
    )
    return replace(message, **fields)
