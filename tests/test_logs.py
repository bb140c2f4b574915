"""Log lines: one event is one line, whatever it holds, and names the call it belongs to."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from callrouter.logs import Outage, configure_logs, make_safe, safe_text

HOSTILE = 'Jean\r\n2026-01-01 [info] all is well\x1b[2J"; ${SHELL(id)} \u202etxt\u2028x'


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def lines(log_format: str, *, level: str = "info", numbers: str = "whole") -> io.StringIO:
    stream = io.StringIO()
    configure_logs(log_format=log_format, level=level, numbers=numbers, stream=stream)
    return stream


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_hostile_name_stays_on_its_line(log_format: str) -> None:
    stream = lines(log_format)

    structlog.get_logger().info(f"call from {HOSTILE}", name=HOSTILE, names=[HOSTILE], by={HOSTILE: HOSTILE})
    logging.getLogger("somebody.else").warning("call from %s", HOSTILE)

    written = stream.getvalue().splitlines()
    assert len(written) == 2
    assert not any(char in stream.getvalue() for char in "\r\x1b\u202e\u2028")
    assert all("${SHELL(id)}" in line for line in written)


@pytest.mark.parametrize("level", ["info", "debug"])
def test_addresses_that_are_asked_are_not_logged(level: str) -> None:
    """They hold callers' numbers and clients' secrets; what failed is logged by us, with the host alone."""
    stream = lines("console", level=level)

    for name in ("httpx", "httpcore.connection"):
        logging.getLogger(name).info("HTTP Request: GET https://crm.example/callers/%2B33612340001")
        logging.getLogger(name).debug("send_request_headers.started")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_full_disk_costs_lines_and_nothing_else(log_format: str) -> None:
    """Whoever logs is in the middle of a call: the reader of Asterisk's events must not fail because of a line."""
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  # closing it fails as well
    try:
        configure_logs(log_format=log_format, level="info", stream=full)
        log = structlog.get_logger().bind()
        for _ in range(1000):
            log.warning("a line that finds no place")
            log.error("nor does this one", exc_info=ValueError("in a call"))
        logging.getLogger("somebody.else").warning("nor does that of a library")
    finally:
        with contextlib.suppress(OSError):
            full.close()

    closed = io.StringIO()
    configure_logs(log_format=log_format, level="info", stream=closed)
    closed.close()
    structlog.get_logger().warning("at the very end")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_numbers_are_masked_when_asked(log_format: str) -> None:
    """In our own lines, in those of libraries, and in what is raised, through every field and a query string."""
    stream = lines(log_format, numbers="masked")

    log, raised = structlog.get_logger(), ValueError("Jean", "+33612345678")
    log.info("call from +33612345678", did="+33199000010", caller="+33612345678", of={"0612345678": ["06 12 34 56 78"]})
    logging.getLogger("a.library").warning('"GET %s HTTP/1.1" 200', "/api/calls?caller=%2B33612345678")
    try:
        raise raised
    except ValueError:
        log.exception("it failed", error="ValueError('Jean')")

    written = stream.getvalue()
    assert "+33199000010" in written
    assert written.count("678") >= 5
    assert not any(part in written for part in ("12345", "34 56", "Jean"))


def test_json_lines_hold_the_event_its_time_level_and_fields() -> None:
    stream = lines("json")

    structlog.get_logger().warning("link down", attempts=3)

    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "link down", "attempts": 3, "level": "warning"}


def test_below_the_level_nothing_is_written() -> None:
    stream = lines("console", level="warning")

    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_is_kept_but_cannot_forge_a_line(log_format: str) -> None:
    stream = lines(log_format)

    try:
        int(HOSTILE)
    except ValueError:
        structlog.get_logger().exception("it failed")

    assert "ValueError: invalid literal" in stream.getvalue()
    for line in stream.getvalue().splitlines():
        assert line.startswith(("{", "20", "  | ")), line
    assert not any(char in stream.getvalue() for char in "\r\x1b\u202e\u2028")


def test_long_values_are_cut_and_say_so() -> None:
    assert safe_text("x" * 5000).endswith("… (5000 characters)")
    assert len(safe_text("x" * 5000)) < 1100


@given(st.text(alphabet=st.characters(), max_size=50))
def test_any_text_becomes_one_printable_line(text: str) -> None:
    safe = safe_text(text)

    assert len(safe.splitlines()) <= 1
    safe.encode("utf-8")


def test_plain_values_are_left_alone() -> None:
    event = {"n": 1, "f": 0.5, "none": None, "yes": True, "text": "Étude Lenoir 📞"}

    assert make_safe(None, "info", dict(event)) == event


class Away:
    """An outage by a clock of our own, and the lines it has written."""

    def __init__(self, over: str = "it is back", begun: str = "it is away") -> None:
        self.now = 1000.0
        self._stream = lines("json")
        self.outage = Outage(structlog.get_logger("test"), begun, over, remind_seconds=60.0, monotonic=lambda: self.now)

    def said(self) -> list[dict[str, object]]:
        """The lines since the last time, without level and instant."""
        written = [json.loads(line) for line in self._stream.getvalue().splitlines()]
        self._stream.truncate(0)
        self._stream.seek(0)
        return [{name: one[name] for name in one if name not in ("timestamp", "level")} for one in written]


def test_what_is_away_is_one_line_and_a_count() -> None:
    """A try a second for a minute and a half: it begins, it is still so, it is over."""
    away = Away()
    for _ in range(90):
        away.outage.failed("nobody answers", waiting=3)
        away.now += 1
    away.outage.ended(waiting=0)
    away.outage.ended(waiting=0)

    assert away.said() == [
        {"event": "it is away", "reason": "nobody answers", "waiting": 3},
        {"event": "it is away", "reason": "nobody answers", "waiting": 3, "tries": 61, "away_seconds": 60.0},
        {"event": "it is back", "tries": 90, "away_seconds": 90.0, "waiting": 0},
    ]
    away.outage.failed("nobody answers")
    assert away.said() == [{"event": "it is away", "reason": "nobody answers"}]


def test_another_reason_is_another_line() -> None:
    """Once each, also when they take turns; of those that are never the same only the first few."""
    away = Away()
    for reason in ("refused", "no route", "refused", "no route"):
        away.outage.failed(reason)
    assert [(one["reason"], one.get("tries")) for one in away.said()] == [("refused", None), ("no route", 2)]

    for port in range(100):
        away.outage.failed(f"refused from port {port}")
    assert len(away.said()) == 6


def test_where_nobody_knows_the_end_a_pause_is_one() -> None:
    """Requests that find something away say nothing when it is back: after a pause it is away anew."""
    away = Away(over="")
    away.outage.failed("nobody answers")
    away.now += 30
    away.outage.failed("nobody answers")
    away.now += 61
    away.outage.failed("nobody answers")
    away.outage.ended()

    assert [one.get("tries") for one in away.said()] == [None, None]


def test_the_reason_may_be_the_line() -> None:
    """Where it is a sentence that says all."""
    away = Away(begun="")
    away.outage.failed("nobody answers at 127.0.0.1", state="down")

    assert away.said() == [{"event": "nobody answers at 127.0.0.1", "state": "down"}]
