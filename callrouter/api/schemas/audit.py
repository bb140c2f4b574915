"""Who did what."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from callrouter.api.schemas.base import CALL_ID, Instant, NextCursor, Out
from callrouter.store.access.audit import AuditRow
from callrouter.store.tables import AuditOutcome


class DeedOut(Out):
    """What somebody did, or was not let do."""

    at: Instant = Field(description="The first time, when there are several in the minute")
    principal: str = Field(description="`operator`, `token:NAME`, `command:USER` …", examples=["token:wallboard"])
    action: str = Field(examples=["recording.play"])
    object: str = Field(description="What it was done to", examples=[f"{CALL_ID}-0"])
    client: str | None = Field(description="Whose it is; null: no one client's", examples=["etude-lenoir"])
    outcome: AuditOutcome
    address: str = Field(description="Empty: from the command line", examples=["192.0.2.7"])
    times: int = Field(description="How often in that minute", examples=[1])

    @classmethod
    def of(cls, row: AuditRow) -> DeedOut:
        """From the record's own."""
        return cls.model_validate({**asdict(row.deed), "at": row.at, "times": row.times})


class AuditOut(Out):
    """A page of the audit trail, the newest first."""

    deeds: list[DeedOut]
    next_cursor: NextCursor
