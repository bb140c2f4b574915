"""Who may ask: whoever holds the token."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

_bearer = HTTPBearer(auto_error=False, description="CALLROUTER_API_TOKEN")


def require_token(token: str) -> Callable[..., None]:
    """A dependency that refuses every request without `Authorization: Bearer <token>`.

    Compared in constant time: how long a refusal takes says nothing about the token.

    Raises:
        ValueError: the token is empty, which would let everybody in.
    """
    if not token:
        raise ValueError("an empty API token would let everybody in")
    holds = holds_token(token)

    def check(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if not holds(credentials):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "give the token of CALLROUTER_API_TOKEN as 'Authorization: Bearer <token>'",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check


def holds_token(token: str) -> Callable[..., bool]:
    """A dependency that refuses nobody: whether the request has the token, for pages that then say more."""
    expected = token.encode()

    def check(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> bool:
        given = credentials.credentials.encode() if credentials else b""
        return bool(token) and hmac.compare_digest(given, expected)

    return check
