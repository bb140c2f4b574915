"""Pages made of templates, and what browsers are told to do with them: nothing but to show them, here and now."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from callrouter.api.links.words import Words

FOLDER: Final = Path(__file__).parent / "templates"
_STYLE: Final = (FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "media-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PRIVATE: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Of all that a link leads to: no copy stays anywhere, and nobody hears of the address."""
_HEADERS: Final = {
    **PRIVATE,
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_CALLABLE: Final = re.compile(r"\+[0-9]{5,15}")
"""What a telephone can dial."""

_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.tests["callable_number"] = lambda value: _CALLABLE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a page shows of a message; instants are written out already."""

    client: str
    """As people call it."""
    urgent: bool
    taken: str
    caller_name: str
    """Empty: nobody knows it, or a field says it. So is the number."""
    caller_number: str
    fields: tuple[tuple[str, str], ...]
    """Label and value."""
    text: str
    has_sound: bool
    was_spoken: bool
    transcript: str
    """What a machine understood of the sound; empty: there is none."""
    transcript_by: str
    """Which machine."""
    acknowledged: str
    """That it was taken on, and by whom; empty: it was not."""


def cover(words: Words, folder: str, *, status: int = HTTPStatus.OK) -> HTMLResponse:
    """That there is a message, and a button. `folder`: where the button's page is, seen from this one."""
    return _page("cover.html", words, status, folder=folder)


def message(words: Words, shown: Shown, proof: str = "") -> HTMLResponse:
    """All of it, and the other button, unless somebody took it on. `proof`: of what is confidential, that its reader
    gave the right PIN or code."""
    return _page("message.html", words, HTTPStatus.OK, shown=shown, proof=proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a page asks for before it shows anything."""

    by_pin: bool
    means: str = ""
    """How a code comes, as the page says it; of a PIN empty."""
    said: str = ""
    """What came of what was done; empty: nothing was."""
    is_wrong: bool = False
    """Whether that is a complaint."""


def locked(words: Words, folder: str, lock: Lock, *, status: int = HTTPStatus.OK) -> HTMLResponse:
    """That there is a confidential message, and what opens it. `folder` as of a cover."""
    return _page("locked.html", words, status, folder=folder, lock=lock)


def closed(words: Words) -> HTMLResponse:
    """There were too many wrong tries."""
    return _said(words, HTTPStatus.GONE, words.closed_title, words.closed)


def no_way(words: Words) -> HTMLResponse:
    """Nothing can open it."""
    return _said(words, HTTPStatus.FORBIDDEN, words.no_way_title, words.no_way)


def ended(words: Words) -> HTMLResponse:
    """The link's time is over."""
    return _said(words, HTTPStatus.GONE, words.ended_title, words.ended)


def unknown(words: Words) -> HTMLResponse:
    """Nothing is there."""
    return _said(words, HTTPStatus.NOT_FOUND, words.unknown_title, words.unknown)


def away(words: Words) -> HTMLResponse:
    """PostgreSQL is away."""
    answer = _said(words, HTTPStatus.SERVICE_UNAVAILABLE, words.away_title, words.away)
    answer.headers["Retry-After"] = "60"
    return answer


def failed(words: Words) -> HTMLResponse:
    """It is our fault; the log says why."""
    return _said(words, HTTPStatus.INTERNAL_SERVER_ERROR, words.failed_title, words.failed)


def silent(words: Words) -> HTMLResponse:
    """There is no sound to be heard."""
    return _said(words, HTTPStatus.NOT_FOUND, words.listen, words.silent)


def _said(words: Words, status: int, title: str, sentence: str) -> HTMLResponse:
    return _page("said.html", words, status, heading=title, sentence=sentence)


def _page(template: str, words: Words, status: int, **values: object) -> HTMLResponse:
    # The style is ours, and its hash in the policy is of it as it stands.
    content = _templates.get_template(template).render(words=words, style=Markup(_STYLE), **values)  # noqa: S704
    return HTMLResponse(content, status_code=status, headers={**_HEADERS, "Content-Language": words.language})
