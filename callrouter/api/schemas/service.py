"""Whether the process is well, and why a request was not served."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from callrouter.api.schemas.base import Out


class Problem(Out):
    """Why a request was not served (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no call 1795427775-42-518203"])


class Health(Out):
    """The process is alive."""

    status: Literal["alive"]
    version: str = Field(examples=["0.1.0"])
    degraded: list[str] = Field(
        default=[], description="What is wrong while work goes on", examples=[["dialplans: not served as it stands: …"]]
    )


class Ready(Out):
    """Every check passed."""

    status: Literal["ready"]
    checks: list[str] = Field(examples=[["asterisk", "database", "dialplans"]])
    degraded: list[str] = Field(
        default=[], description="What is wrong while work goes on", examples=[["dialplans: not served as it stands: …"]]
    )
