"""Telephone numbers and callers' names out of log lines, where the operator wants them masked.

A number keeps its last three digits, so that an operator can tell callers apart; a name, and whatever else a caller or
a client's web service wrote, goes. The client's own number (`did`) stays, and so do the ids by which a call is found in
the record, where those who may can see the number: call ids, Asterisk's channel ids, versions, instants, addresses.

Numbers are known by their looks, wherever they stand: eight digits and more, or fewer after a `+`, in groups or not.
What looks like one is masked, though it may be none: a size in bytes, say. In the text of an exception what stands
between quotes is a value, and goes as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

LAST: Final = 3
"""Digits of a number that stay."""
HIDDEN: Final = "…"

IDS: Final = frozenset(
    {"call_id", "channel", "client", "did", "level", "plan_version", "pbx", "timestamp", "uniqueid", "version"}
)
"""Fields that stay as they are."""
NUMBERS: Final = frozenset({"ani", "caller", "caller_number", "diverted_from", "number"})
"""Fields that hold a number, or what somebody sends in its place."""
WORDS: Final = frozenset({"address", "body", "caller_name", "name", "variables"})
"""Fields that hold what callers, and clients' web services, write."""
FAULTS: Final = frozenset({"error", "outcome"})
"""Fields that hold an error of Python's as it shows itself."""

_IDS = (
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"  # an instant
    r"|\b1\d{9}-\d{1,6}-\d{1,6}\b"  # a call
    r"|\b1\d{9}\.\d{1,6}\b"  # a channel
    r"|(?<=[a-z])-000[0-9a-f]{5}\b"  # the end of a channel's name
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"  # an address
    r"|\b(?=(?:[0-9]*[a-f]){2})[0-9a-f]{8,}\b"  # a version, or another id in hexadecimal digits
)
_NUMBER = re.compile(
    rf"(?P<id>{_IDS})"
    r"|(?:\+|%2B)\d[\d ().-]*\d"
    r"|\d{8,}"
    r"|\(?\d{1,4}\)?(?:[ ./-]{1,2}\(?\d{1,4}\)?){3,}",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_FEWEST: Final = {"+": 5, "%": 5}
"""Digits of a number that begins so; of any other eight."""


def masked_text(text: str) -> str:
    """The text with the last digits alone of each number."""
    return _NUMBER.sub(_masked_match, text)


def masked_number(number: str) -> str:
    """What stands in a number's place, whatever it is: its last characters."""
    return HIDDEN + number[-LAST:] if len(number) > LAST else HIDDEN


def masked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a log line, or of anything inside it, each by its name."""
    return {name: _masked(name, value) for name, value in fields.items()}


def _masked(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float) or name in IDS:
        return value
    if name in WORDS:
        return HIDDEN
    if isinstance(value, str):
        return _masked_string(name, value)
    if isinstance(value, Mapping):
        return {masked_text(str(key)): _masked(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(name, one) for one in value]
    if inside := getattr(value, "__struct_fields__", ()) or getattr(value, "__dataclass_fields__", ()):
        return {field: _masked(field, getattr(value, field)) for field in inside}
    return _masked_fault(str(value))


def _masked_string(name: str, value: str) -> str:
    if name in NUMBERS:
        return masked_number(value)
    if name == "exception":
        return _masked_trace(value)
    if name in FAULTS:
        return _masked_fault(value)
    if name == "record":
        return _masked_record(value)
    return masked_text(value)


def _masked_fault(text: str) -> str:
    return masked_text(_QUOTED.sub(HIDDEN, text))


def _masked_trace(text: str) -> str:
    """A traceback: the lines of the program stay, and the words of what was raised lose their values."""
    lines: list[str] = []
    code = False
    for line in text.split("\n"):
        place = line.lstrip(" |+-").startswith('File "')
        lines.append(masked_text(line) if place or code else _masked_fault(line))
        code = place
    return "\n".join(lines)


def _masked_record(text: str) -> str:
    """A call, as the record would have it."""
    try:
        found = json.loads(text)
    except ValueError:
        return HIDDEN
    return json.dumps(_masked("", found), ensure_ascii=False)


def _masked_match(found: re.Match[str]) -> str:
    text = found[0]
    if found["id"]:
        return text
    digits = re.sub(r"%2B|\D", "", text, flags=re.IGNORECASE)
    return HIDDEN + digits[-LAST:] if len(digits) >= _FEWEST.get(text[0], 8) else text
