"""The sound of a recording, whole or in part."""

from __future__ import annotations

import asyncio
import os
import re
from http import HTTPStatus
from typing import Final

from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from callrouter.api.problems import problem

_ONE_RANGE: Final = re.compile(rb"bytes=([0-9]{0,15})-([0-9]{0,15})")


class Sound(FileResponse):
    """A file of which one range may be asked for; any other `Range` counts as none (RFC 9110, 14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        asked = [value for name, value in headers if name == b"range"]
        if not asked:
            return await super().__call__(scope, receive, send)
        first, last = range_of(asked)
        size = (await asyncio.to_thread(os.stat, self.path)).st_size
        if (first is not None and first >= size) or (first is None and last == 0):
            sentence = f"the recording has {size} bytes, and none of those that are asked for"
            refusal = problem(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, sentence, headers={"Content-Range": f"bytes */{size}"}
            )
            return await refusal(scope, receive, send)
        if (first is None and last is None) or (first is not None and last is not None and last < first):
            scope = {**scope, "headers": [(name, value) for name, value in headers if name != b"range"]}
        return await super().__call__(scope, receive, send)


def range_of(asked: list[bytes]) -> tuple[int | None, int | None]:
    """First and last byte that are asked for; both None for what is no single range."""
    found = _ONE_RANGE.fullmatch(asked[0]) if len(asked) == 1 else None
    if found is None or not (found[1] or found[2]):
        return None, None
    return int(found[1]) if found[1] else None, int(found[2]) if found[2] else None
