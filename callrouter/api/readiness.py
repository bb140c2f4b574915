"""What "ready" means: every check has nothing to say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Response

from callrouter.api.problems import documented, problem
from callrouter.api.schemas import Health, Ready

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else the reason, as a sentence. Raises nothing it could foresee."""

CHECK_SECONDS: Final = 2.0


async def failed_checks(checks: Mapping[str, Check]) -> dict[str, str]:
    """The reasons not to be ready, by the check's name; all checks run at once, none longer than `CHECK_SECONDS`."""
    reasons = await asyncio.gather(*(_reason(check) for check in checks.values()))
    return {name: reason for name, reason in zip(checks, reasons, strict=True) if reason}


def health_router(checks: Mapping[str, Check], version: str, notes: Mapping[str, Check] | None = None) -> APIRouter:
    """/health and /ready; `notes` are checks that fail without keeping anybody from work: they are mentioned."""

    async def degraded() -> list[str]:
        failed = await failed_checks(notes or {})
        return [f"{name}: {reason}" for name, reason in failed.items()]

    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def health() -> Health:
        """The process is alive and its event loop turns."""
        return Health(status="alive", version=version, degraded=await degraded())

    @router.get("/ready", response_model=Ready, responses=documented(503))
    async def ready() -> Ready | Response:
        """It can do its work now; otherwise the reasons."""
        failed = await failed_checks(checks)
        if failed:
            detail = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, checks=failed)
        return Ready(status="ready", checks=list(checks), degraded=await degraded())

    return router


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
