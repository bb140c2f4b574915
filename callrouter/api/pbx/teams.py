"""/pbx/teams of the engine: what its PBX's unit is to apply, and what the unit says of it (`callrouter pbx apply`)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import refuse_unknown
from callrouter.api.problems import documented
from callrouter.api.schemas.base import Out, Seconds
from callrouter.asterisk.teams.handover import LONGEST_WAIT_SECONDS, Handover
from callrouter.permissions import Permission
from callrouter.store.tables import AuditOutcome


class UnitReport(BaseModel):
    """What the unit has, and how it would know the answer to be its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nonce: str = Field(pattern="^[0-9a-f]{32,64}$", description="Chosen by the unit, another one each time")
    applied: str = Field(default="", max_length=64, description="The version it has applied; empty: none")
    trouble: str = Field(default="", max_length=1000, description="Why it could not apply what it was handed last")
    wait_seconds: Seconds = Field(
        default=0.0, le=LONGEST_WAIT_SECONDS, description="How long the answer may take while there is no other version"
    )


class HandedOverOut(Out):
    """What the unit is to have."""

    version: str = Field(examples=["5f2d3c9a10be.0"], description="Empty: there is none yet")
    document: str = Field(description="As `callrouter teams` writes it; empty: the unit has it")
    signature: str = Field(description="HMAC-SHA256 of nonce, version and document, a line each, by CALLROUTER_PBX_KEY")


def handover_router(handover: Handover, gate: Gate) -> APIRouter:
    """POST /pbx/teams; that something was applied is in the audit trail."""
    guarded = [*gate.guards, Depends(refuse_unknown)]
    router = APIRouter(tags=["pbx"], dependencies=guarded, responses=documented(401, 403, 409, 413, 422, 429))

    @router.post("/pbx/teams", **gate.needs(Permission.PBX_APPLY))
    async def teams(report: UnitReport, visitor: CurrentVisitor) -> HandedOverOut:
        """The teams and telephones that the PBX is to have, as soon as they are others than the unit has applied."""
        if not handover.is_expected:
            raise HTTPException(
                HTTPStatus.CONFLICT, "CALLROUTER_PBX_KEY is not set: the engine cannot sign what it would hand over"
            )
        if report.applied not in ("", handover.applied):
            visitor.note(Permission.PBX_APPLY, AuditOutcome.DONE, object_=report.applied)
        handed = await handover.answer(
            report.nonce, applied=report.applied, trouble=report.trouble, longest_seconds=report.wait_seconds
        )
        return HandedOverOut.model_validate(handed)

    return router
