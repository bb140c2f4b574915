"""What comes from AsyncAGI: the environment a call arrives with, and the results of commands. Pure.

Both are bounded by `res_agi.c`, `launch_asyncagi`: it reads at most 1,024 bytes of the environment and of
each result, and what was left over comes in front of the next result. A result travels URL-encoded in 2,048 bytes: one
that takes more (a long value of other letters than ASCII's) is cut there, and its value reads as None. Commands are
written by `commands.py`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from msgspec import Struct

from callrouter.asterisk.actions import is_channel
from callrouter.asterisk.codec import whole_number
from callrouter.errors import ProtocolError


class AgiEnv(Struct, frozen=True, kw_only=True, gc=False):
    """What AsyncAGIStart says about a channel (`res_agi.c`, `setup_env`).

    `caller_number` and `caller_name` are None when Asterisk has none; both are a caller's own words and may
    hold anything, line breaks too. `presentation` is Asterisk's number (0–3 allowed, 32–35 withheld, 67
    unavailable). `arguments` are those of `AGI(agi:async,…)`. `complete` is False when Asterisk cut the
    environment at 1,024 bytes: its tail then comes in front of the first result, so such a channel is better
    left to the fallback.
    """

    channel: str
    uniqueid: str
    language: str
    caller_number: str | None
    caller_name: str | None
    presentation: int
    dnid: str | None
    rdnis: str | None
    context: str
    extension: str
    arguments: tuple[str, ...]
    complete: bool


_HEAD: Final = ("request", "channel", "language", "type", "uniqueid", "version", "callerid")
_TAIL: Final = (
    *("threadid", "accountcode", "enhanced", "priority", "extension", "context", "rdnis", "dnid"),
    *("callingtns", "callington", "callingani2", "callingpres"),
)
_PLAIN = re.compile(
    r"\nagi_request: [^\n]*\nagi_channel: ([^\n]*)\nagi_language: ([^\n]*)\nagi_type: [^\n]*\nagi_uniqueid: ([^\n]*)"
    r"\nagi_version: [^\n]*\nagi_callerid: ([^\n]*)\nagi_calleridname: ([^\n]*)\nagi_callingpres: ([^\n]*)"
    r"\nagi_callingani2: [^\n]*\nagi_callington: [^\n]*\nagi_callingtns: [^\n]*\nagi_dnid: ([^\n]*)"
    r"\nagi_rdnis: ([^\n]*)\nagi_context: ([^\n]*)\nagi_extension: ([^\n]*)\nagi_priority: [^\n]*"
    r"\nagi_enhanced: [^\n]*\nagi_accountcode: [^\n]*\nagi_threadid: [^\n]*((?:\nagi_arg_\d+: [^\n]*)*)\n\n"
)
"""An environment as it nearly always is: each line once and in order, so nothing in it was forged."""
_ESCAPES: Final = (("%0A", "\n"), ("%3A", ":"), ("%20", " "), ("%2F", "/"), ("%2B", "+"), ("%3C", "<"), ("%3E", ">"))
"""How `ast_uri_encode` writes what an environment is full of."""
_ARGUMENT = re.compile(r"\nagi_arg_\d+: ([^\n]*)")


def parse_env(encoded: str) -> AgiEnv:
    """Read the `Env` header of AsyncAGIStart, URL-encoded.

    A hostile caller number or name may hold line breaks and so forge lines. Asterisk writes the keys in a
    fixed order, hence: of the keys before the caller's own words the first occurrence counts, of those after
    them the last; a value reaches up to the next real key, so that what was forged stays text inside it.

    Raises ProtocolError when this is no AGI environment at all.
    """
    env = _read_env(encoded)
    if not is_channel(env.channel):
        raise ProtocolError(f"the AsyncAGI environment names no channel: {env.channel[:200]!r}")
    return env


def _read_env(encoded: str) -> AgiEnv:
    text = "\n" + _decoded(encoded)
    if plain := _PLAIN.fullmatch(text):
        return _plain_env(plain)
    values: dict[str, str] = {}
    head_end = _read_head(text, values)
    body = text[head_end:]
    name_start = body.find("\nagi_calleridname: ")
    if name_start < 0 or "callerid" not in values:
        raise ProtocolError(f"not an AsyncAGI environment: {encoded[:200]!r}")
    values["callerid"] += body[:name_start]
    name = body[name_start + len("\nagi_calleridname: ") :]
    rest = _read_tail(name, values)
    return AgiEnv(
        channel=values["channel"],
        uniqueid=values["uniqueid"],
        language=values["language"],
        caller_number=_known(values["callerid"]),
        caller_name=_known(rest),
        presentation=whole_number(values.get("callingpres", "")) or 0,
        dnid=_known(values.get("dnid", "unknown")),
        rdnis=_known(values.get("rdnis", "unknown")),
        context=values.get("context", ""),
        extension=values.get("extension", ""),
        arguments=_arguments(text),
        complete="threadid" in values and text.endswith("\n\n"),
    )


def _decoded(encoded: str) -> str:
    text = encoded
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    if "%" not in text:
        return text
    return unquote_to_bytes(encoded).decode("utf-8", "replace")


def _plain_env(found: re.Match[str]) -> AgiEnv:
    channel, language, uniqueid, number, name, presentation, dnid, rdnis, context, extension, arguments = found.groups()
    return AgiEnv(
        channel=channel,
        uniqueid=uniqueid,
        language=language,
        caller_number=_known(number),
        caller_name=_known(name),
        presentation=whole_number(presentation) or 0,
        dnid=_known(dnid),
        rdnis=_known(rdnis),
        context=context,
        extension=extension,
        arguments=tuple(_ARGUMENT.findall(arguments)),
        complete=True,
    )


def _read_head(text: str, values: dict[str, str]) -> int:
    """Fill in the keys before the caller's words, each the first of its name; return where the last
    value's line ends.
    """
    position = 0
    for key in _HEAD:
        prefix = f"\nagi_{key}: "
        start = text.find(prefix, position)
        if start < 0:
            raise ProtocolError(f"the AsyncAGI environment lacks agi_{key}: {text[:200]!r}")
        start += len(prefix)
        position = text.find("\n", start)
        if position < 0:
            position = len(text)
        values[key] = text[start:position]
    return position


def _read_tail(text: str, values: dict[str, str]) -> str:
    """Fill in the keys after the caller's words, each the last of its name, from the end; return what
    stands before.
    """
    for key in _TAIL:
        prefix = f"\nagi_{key}: "
        start = text.rfind(prefix)
        if start < 0:
            continue
        value = text[start + len(prefix) :]
        values[key] = value if key in {"dnid", "rdnis", "extension"} else value.partition("\n")[0]
        text = text[:start]
    return text


def _arguments(text: str) -> tuple[str, ...]:
    """The arguments: whatever follows the last agi_threadid, which comes after everything hostile."""
    start = text.rfind("\nagi_threadid: ")
    return tuple(_ARGUMENT.findall(text, start)) if start >= 0 else ()


def _known(value: str) -> str | None:
    return None if value in {"", "unknown"} else value


class ResultKind(StrEnum):
    """What became of a command."""

    OK = "ok"
    # A negative result (a hang-up, the end of the lease, a failing application: they look alike), or a routine left
    # without Return.
    FAILED = "failed"
    INVALID = "invalid"  # 510: no such command
    DEAD = "dead"  # 511: not on a channel that hung up
    USAGE = "usage"  # 520: wrong syntax
    LOST_SYNC = "lost_sync"  # not a result: the tail of an earlier one; nothing that follows can be trusted


class AgiResult(Struct, frozen=True, gc=False):
    """The result of one AGI command.

    `result` is what follows `result=` (digits, a number; '' if nothing does); `value` what stands in
    parentheses: a variable's value, or `timeout`, `hangup`, `dtmf` …; a variable may hold these very words,
    hence it never decides `kind`. `endpos` is in samples or milliseconds, as the command says. `text` is what
    Asterisk wrote.
    """

    kind: ResultKind
    code: int
    result: str
    value: str | None
    endpos: int | None
    text: str

    @property
    def ok(self) -> bool:
        return self.kind is ResultKind.OK


_ZERO = AgiResult(ResultKind.OK, 200, "0", None, None, "200 result=0")
_ONE = AgiResult(ResultKind.OK, 200, "1", None, None, "200 result=1")
# Most results by far; spelled as ast_uri_encode writes them.
_COMMON: Final[dict[bytes, AgiResult]] = {
    b"200%20result%3D0%0A": _ZERO,
    b"200%20result%3D1%0A": _ONE,
}
_LINE = re.compile(
    r"200 result=(?P<result>[^ (\n]*) ?(?:\((?P<value>.*)\))?(?: digit=\S)?(?: ?endpos=(?P<endpos>\d+))?[^\n]*\n?",
    re.DOTALL,
)
_ERROR = re.compile(r"5[0-9]{2}[ -]")
_ERRORS: Final = {"510": ResultKind.INVALID, "511": ResultKind.DEAD, "520": ResultKind.USAGE}


def parse_encoded_result(encoded: bytes) -> AgiResult:
    """Read the `Result` header of AsyncAGIExec, URL-encoded. Never raises."""
    common = _COMMON.get(encoded)
    return common if common is not None else parse_result(unquote(encoded.decode("ascii", "replace"), errors="replace"))


def parse_result(text: str) -> AgiResult:
    """Read a decoded result; of `100 …` and `200 …` in one (GOSUB) the last counts. Never raises."""
    if text.startswith("100 "):
        text = text.partition("\n")[2] or text
    stripped = text.rstrip("\n")
    code = text[:3]
    if code == "200" and (match := _LINE.fullmatch(text)):
        result, value, endpos = match["result"], match["value"], match["endpos"]
        stuck = value is None and stripped.endswith("Gosub complete (abnormal exit)")
        kind = ResultKind.FAILED if stuck or result.startswith("-") else ResultKind.OK
        return AgiResult(kind, 200, result, value, whole_number(endpos) if endpos else None, stripped)
    if code == "100":
        return AgiResult(ResultKind.OK, 100, "", None, None, stripped)
    if _ERROR.match(text):
        return AgiResult(_ERRORS.get(code, ResultKind.FAILED), int(code), "", None, None, stripped)
    return AgiResult(ResultKind.LOST_SYNC, 0, "", None, None, stripped)
