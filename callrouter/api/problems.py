"""Errors as problem details (RFC 9457): a sentence for a person, never a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from callrouter.api.bodies import BoundedBodies
from callrouter.api.schemas.service import Problem
from callrouter.errors import Busy, DaysAlone, StoreError
from callrouter.logs import Outage
from callrouter.store.apart import AGAIN_SECONDS
from callrouter.store.calls import TooWide
from callrouter.store.paging import CursorError

MEDIA_TYPE: Final = "application/problem+json"
_SCHEMA: Final = Problem.model_json_schema()
"""Made once: dozens of routes ask for it, and it takes a millisecond."""

log = structlog.get_logger(__name__)


class ProblemResponse(JSONResponse):
    """A JSON answer that says it is a problem."""

    media_type = MEDIA_TYPE


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
) -> ProblemResponse:
    """The answer for a request that cannot be served; `members` are added to it, beside RFC 9457's own."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
    return ProblemResponse(body, status_code=status, headers=dict(headers or {}))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: these problems may come."""
    return {
        # Without `model`, which would announce application/json beside it.
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": _SCHEMA}},
        }
        for status in statuses
    }


Screen = Callable[[Request], Awaitable[None]]
"""Raises HTTPException for who may not ask what they ask."""


async def _nobody_is_refused(_request: Request) -> None:
    pass


def install_problem_handlers(app: FastAPI, screen: Screen = _nobody_is_refused) -> None:
    """Every error of the application leaves as a problem.

    `screen` is asked about requests whose body is no JSON: FastAPI reads that before it asks who sent it, and whoever
    is not let in is to be told that first.
    """

    async def unread(request: Request, error: Exception) -> ProblemResponse:
        try:
            await screen(request)
        except HTTPException as refusal:
            return await _refused(request, refusal)
        if isinstance(error, RequestValidationError):
            return await _invalid(request, error)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "body: is no JSON")

    async def refused(request: Request, error: Exception) -> ProblemResponse:
        # FastAPI's own, of bytes that are no text; of text that is no JSON it says 422.
        ours = isinstance(error, HTTPException) and error.status_code != HTTPStatus.BAD_REQUEST
        return await (_refused if ours else unread)(request, error)

    app.add_middleware(BoundedBodies)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unread)
    app.add_exception_handler(CursorError, _wrong_cursor)
    app.add_exception_handler(TooWide, _too_wide)
    app.add_exception_handler(DaysAlone, _too_wide)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(StoreError, _store_away)
    app.add_exception_handler(Exception, _our_fault)


async def _refused(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)


async def _invalid(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"at": _place(one["loc"]), "reason": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{one['at']}: {one['reason']}" for one in errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


async def _wrong_cursor(_request: Request, error: Exception) -> ProblemResponse:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"query.cursor: {error}")


async def _too_wide(_request: Request, error: Exception) -> ProblemResponse:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


_away = Outage(log, "the API cannot read the record", "", level="warning", remind_seconds=60.0)
"""Of this process: dashboards ask every few seconds."""


async def _store_away(_request: Request, error: Exception) -> ProblemResponse:
    _away.failed(str(error))
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers={"Retry-After": "5"})


async def _busy(_request: Request, error: Exception) -> ProblemResponse:
    # Nothing is away: it is no outage.
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers={"Retry-After": str(AGAIN_SECONDS)})


async def _our_fault(request: Request, error: Exception) -> ProblemResponse:
    # The server logs the traceback; the caller gets none of it.
    log.error("a request failed", method=request.method, path=request.url.path, error=repr(error))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "callrouter failed at this request; its log says why")


def _place(loc: tuple[int | str, ...]) -> str:
    """`query.limit` rather than ('query', 'limit')."""
    return ".".join(str(part) for part in loc)
