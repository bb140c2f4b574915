"""Recordings."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from callrouter.api.schemas.base import CALL_ID, Instant, NextCursor, Out, Seconds
from callrouter.store.access.recordings import Listed
from callrouter.store.tables import RecordingKind


class RecordingOut(Out):
    """One recording."""

    recording_id: str = Field(examples=[f"{CALL_ID}-0"])
    kind: RecordingKind
    call_id: str = Field(examples=[CALL_ID])
    leg: str | None = Field(
        description="Of a conversation: whom the caller talked to first (legs); null: the caller alone is heard",
        examples=[None],
    )
    client: str = Field(examples=["etude-lenoir"])
    started_at: Instant
    seconds: Seconds
    loudness: float | None = Field(
        description="RMS in dBFS (0 is the loudest there is, -96 silence); null until the file was looked at",
        examples=[-23.4],
    )
    checksum: str | None = Field(description="SHA-256 of the file; null until it was looked at", examples=[None])
    delete_after: Instant | None = Field(description="When it will be deleted; null: it is kept", examples=[None])
    deleted_at: Instant | None = Field(description="When its sound was deleted", examples=[None])
    paused_seconds: Seconds = Field(description="For how long a conversation's was paused: silence", examples=[0.0])
    objected_at: Instant | None = Field(description="When the caller objected: it is not played", examples=[None])
    on_disk: bool = Field(description="Whether its file is there; false for one that is missing, too")

    @classmethod
    def of(cls, listed: Listed) -> RecordingOut:
        """From the record's own."""
        return cls.model_validate({**asdict(listed.recording), "on_disk": listed.on_disk})


class RecordingsOut(Out):
    """A page of recordings, the newest first."""

    recordings: list[RecordingOut]
    next_cursor: NextCursor
