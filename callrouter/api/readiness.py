"""What "ready" means: every check has nothing to say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Depends, Response

from callrouter.api.auth import Gate
from callrouter.api.problems import documented, problem
from callrouter.api.schemas.service import Health, Ready

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else the reason, as a sentence. Raises nothing it could foresee."""

CHECK_SECONDS: Final = 2.0
PRIVATE: Final = "not well; who sends the API's token hears why (`callrouter status` does)"


async def failed_checks(checks: Mapping[str, Check]) -> dict[str, str]:
    """The reasons not to be ready, by the check's name; all checks run at once, none longer than `CHECK_SECONDS`."""
    reasons = await asyncio.gather(*(_reason(check) for check in checks.values()))
    return {name: reason for name, reason in zip(checks, reasons, strict=True) if reason}


def health_router(
    checks: Mapping[str, Check], version: str, gate: Gate, *, notes: Mapping[str, Check] | None = None
) -> APIRouter:
    """/health and /ready; `notes` are checks that fail without keeping anybody from work: they are mentioned.

    Anybody may ask, and hears which checks fail. The reasons, which name hosts, users, files and clients, are for who
    holds `status.read`.
    """
    router = APIRouter(tags=["health"])
    knows = Depends(gate.knows)

    @router.get("/health")
    async def health(known: bool = knows) -> Health:
        """The process is alive and its event loop turns."""
        return Health(status="alive", version=version, degraded=_sentences(await failed_checks(notes or {}), known))

    @router.get("/ready", response_model=Ready, responses=documented(503))
    async def ready(known: bool = knows) -> Ready | Response:
        """It can do its work now; otherwise what keeps it from it, and for who may read the status also why."""
        failed = await failed_checks(checks)
        if failed:
            told = failed if known else dict.fromkeys(failed, PRIVATE)
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "; ".join(_sentences(failed, known)), checks=told)
        return Ready(status="ready", checks=list(checks), degraded=_sentences(await failed_checks(notes or {}), known))

    return router


def _sentences(failed: Mapping[str, str], known: bool) -> list[str]:
    return [f"{name}: {reason if known else PRIVATE}" for name, reason in failed.items()]


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
