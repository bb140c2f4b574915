"""What may be done in a conversation that goes on, and what is answered."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from callrouter.api.schemas.base import Instant, Out
from callrouter.core.call import Call, LegPurpose
from callrouter.permissions import Permission


class Act(StrEnum):
    """What is to be done."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    TAKE_OVER = "take-over"
    LEAVE = "leave"
    PAUSE_RECORDING = "pause-recording"
    RESUME_RECORDING = "resume-recording"

    @property
    def permission(self) -> Permission:
        """What it takes; whoever may listen may stop."""
        return _PERMISSIONS[self]


_PERMISSIONS = {
    Act.LISTEN: Permission.CALL_LISTEN,
    Act.WHISPER: Permission.CALL_WHISPER,
    Act.BARGE: Permission.CALL_BARGE,
    Act.TAKE_OVER: Permission.CALL_TAKE_OVER,
    Act.LEAVE: Permission.CALL_LISTEN,
    Act.PAUSE_RECORDING: Permission.RECORDING_PAUSE,
    Act.RESUME_RECORDING: Permission.RECORDING_PAUSE,
}


class SupervisorOut(Out):
    """A telephone that is in the conversation besides."""

    phone: str = Field(examples=["agent-2"])
    since: Instant


class OverseenOut(Out):
    """A conversation, right after something was asked for: a telephone that is rung is in it once it is answered."""

    call_id: str = Field(examples=["1795427775-42-518203"])
    agent: str | None = Field(examples=["agent-1"], description="Who has the caller; null: nobody")
    supervisors: list[SupervisorOut]
    recording: str | None = Field(description="Its name; null: the conversation is not recorded")
    paused: bool = Field(description="Whether silence is recorded at this moment")

    @classmethod
    def of(cls, call: Call, name: str | None, *, paused: bool) -> OverseenOut:
        """Of a call in progress."""
        talking = [leg.party for leg in call.legs if leg.open and leg.purpose is LegPurpose.AGENT]
        return cls(
            call_id=call.call_id,
            agent=talking[-1] if talking else None,
            supervisors=[
                SupervisorOut(phone=leg.party, since=leg.began_at)
                for leg in call.legs
                if leg.open and leg.purpose is LegPurpose.SUPERVISION
            ],
            recording=name,
            paused=paused,
        )
