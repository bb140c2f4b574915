"""Answers that whoever asks may have already: they are told so, and nothing is sent again (RFC 9110, 13.1.2).

The tag is made of the answer itself: also in a month that is over a call may come late, from a spool after an outage,
or be corrected, and then it is another answer.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel

_HEADERS: Final = {"Cache-Control": "private, no-cache"}
"""Kept by whoever asked, and by nobody between us; asked for again each time."""


def answer(request: Request, made: BaseModel | bytes, *, tagged: bool = True) -> Response:
    """An answer, as its model writes itself, or written already; `tagged`: it may be known, and then is not sent."""
    body = made if isinstance(made, bytes) else made.model_dump_json(by_alias=True).encode()
    if not tagged:
        return Response(body, media_type="application/json")
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {**_HEADERS, "ETag": tag}
    if _is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _is_known(known: str, tag: str) -> bool:
    # A proxy that compresses makes a strong tag a weak one.
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in known.split(","))
