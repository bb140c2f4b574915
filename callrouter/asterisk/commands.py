"""AGI commands and the quoting of what stands in them. Pure.

`quote` is the one encoder for AGI arguments, `app_arguments` the one for the arguments of an application run
by EXEC; both refuse what cannot be represented. A value that a stranger wrote passes `as_text` first, which
makes it text that fits.

The bounds are ours: a command has at most 100 arguments, well below what `res_agi.c` has room for, and travels in one
AMI line of at most 1,024 bytes.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from callrouter.asterisk.codec import MAX_LINE_BYTES
from callrouter.errors import EncodingError

AgiCommand = NewType("AgiCommand", bytes)
"""A complete AGI command that passed the encoder, ready for the `Command` header."""

MAX_VALUE_BYTES: Final = 900
MAX_ARGUMENTS: Final = 100
MAX_COMMAND_BYTES: Final = MAX_LINE_BYTES - len(b"Command: \r\n")

_FORBIDDEN = re.compile(r"[\r\n\0]")
_BREAKS = re.compile(r"\r\n|[\r\n\0]")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_INHERITED = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*")
_ID = re.compile(r"[A-Za-z0-9_.-]+")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9]*")
# What an application gets as it was written: no separator, quote, bracket or escape of `main/app.c`,
# `__ast_app_separate_args`, and no `${`.
_APP_ARGUMENT = re.compile(r"[^,\"\\()\[\]{}$|;\r\n\0]*")
_SOUND = re.compile(r"[A-Za-z0-9_./:+@=-]+")


def as_text(value: str, *, max_bytes: int = MAX_VALUE_BYTES) -> str:
    """A stranger's words as one line of text: breaks and NUL become spaces, and the end is cut beyond `max_bytes`.

    `max_bytes` counts UTF-8 with quotes and backslashes escaped; no character is cut in two, no escape from
    its quote.
    """
    value = _BREAKS.sub(" ", value).encode("utf-8", "replace").decode()
    if len(_escaped(value).encode()) <= max_bytes:
        return value
    size = 0
    for index, character in enumerate(value):
        size += 2 if character in '"\\' else len(character.encode())
        if size > max_bytes:
            return value[:index]
    return value


def quote(value: str) -> str:
    """One AGI argument in quotes, as `res_agi.c`, `parse_args` reads it back.

    Raises EncodingError for CR, LF, NUL, or beyond MAX_VALUE_BYTES once escaped: pass strangers' words
    through `as_text`.
    """
    if _FORBIDDEN.search(value):
        raise EncodingError(f"an AGI argument cannot hold CR, LF or NUL: {value[:80]!r}")
    escaped = _escaped(value)
    if len(escaped.encode("utf-8", "replace")) > MAX_VALUE_BYTES:
        raise EncodingError(f"an AGI argument takes at most {MAX_VALUE_BYTES} bytes: {value[:80]!r}…")
    return f'"{escaped}"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def command(*words: str) -> AgiCommand:
    """Join words that are quoted or fixed already. Raises EncodingError beyond MAX_ARGUMENTS or
    MAX_COMMAND_BYTES.
    """
    if len(words) > MAX_ARGUMENTS:
        raise EncodingError(f"an AGI command takes at most {MAX_ARGUMENTS} arguments, not {len(words)}")
    line = " ".join(words).encode("utf-8", "replace")
    if len(line) > MAX_COMMAND_BYTES:
        raise EncodingError(f"an AGI command takes at most {MAX_COMMAND_BYTES} bytes, not {len(line)}: {line[:80]!r}…")
    return AgiCommand(line)


def app_arguments(*values: str) -> str:
    """The arguments of an application, joined by commas. Raises EncodingError for what would be read as
    syntax.
    """
    for value in values:
        if not _APP_ARGUMENT.fullmatch(value):
            raise EncodingError(
                f"an application's argument cannot hold , \" \\ ( ) [ ] {{ }} $ | ; CR, LF or NUL: {value[:80]!r}; "
                "put such a value into a channel variable"
            )
    return ",".join(values)


def variable_name(name: str, *, inherit: bool = False) -> str:
    """Check a channel variable's name; never a function. `inherit` allows leading underscores
    (`__CR_CALL`).
    """
    if not (_INHERITED if inherit else _VARIABLE).fullmatch(name):
        raise EncodingError(f"{name!r} cannot be a channel variable: capitals, digits and '_' only")
    return name


def opaque_id(value: str) -> str:
    """Check a value that GOSUB or a path takes: letters, digits, '_', '.', '-'. Raises EncodingError."""
    if not _ID.fullmatch(value):
        raise EncodingError(f"{value!r} cannot be written there: letters, digits, '_', '.' and '-' only")
    return value


def answer() -> AgiCommand:
    return AgiCommand(b"ANSWER")


def noop() -> AgiCommand:
    """Does nothing; as commands run in order, its result is a sync point after a running one."""
    return AgiCommand(b"NOOP")


def leave() -> AgiCommand:
    """End AsyncAGI and go on in Asterisk's dialplan."""
    return AgiCommand(b"ASYNCAGI BREAK")


def music(*, on: bool) -> AgiCommand:
    """Start or stop the channel's music on hold; returns at once (`res_agi.c`, handle_setmusic)."""
    return AgiCommand(b"SET MUSIC ON" if on else b"SET MUSIC OFF")


def hangup() -> AgiCommand:
    """Hang this channel up."""
    return AgiCommand(b"HANGUP")


def exec_app(application: str, *arguments: str) -> AgiCommand:
    """Run an application; `${…}` is not evaluated unless AGIEXECFULL is set. Raises EncodingError."""
    if not _APPLICATION.fullmatch(application):
        raise EncodingError(f"{application!r} cannot be the name of an application")
    if not arguments:
        return command("EXEC", application)
    return command("EXEC", application, quote(app_arguments(*arguments)))


def playback(sounds: tuple[str, ...], options: str = "") -> AgiCommand:
    """Play sound files, given without suffix, one after the other; survives a missing one."""
    return exec_app("Playback", _files(sounds), *((options,) if options else ()))


def read(
    variable: str,
    sounds: tuple[str, ...],
    *,
    max_digits: int,
    timeout_seconds: float,
    attempts: int = 1,
    options: str = "",
) -> AgiCommand:
    """Play sounds and collect digits into `variable` and READSTATUS on the channel (`app_read.c`).

    A key ends the prompts. `timeout_seconds` is the wait for each digit, in thousandths at best; 0 would mean
    Asterisk's own (10 s), hence is refused.
    """
    if not 1 <= max_digits <= 255 or attempts < 1 or timeout_seconds <= 0:
        raise EncodingError(f"Read takes 1–255 digits, attempts and a time-out above 0, not {max_digits}/{attempts}")
    name = variable_name(variable)
    return exec_app(
        "Read",
        name,
        _files(sounds),
        str(max_digits),
        options,
        str(attempts),
        f"{timeout_seconds:.3f}".rstrip("0").rstrip("."),
    )


def set_variable(name: str, value: str) -> AgiCommand:
    """Set a channel variable; the value is not evaluated. See `as_text` for values that strangers wrote."""
    return command("SET", "VARIABLE", variable_name(name, inherit=True), quote(value))


def get_variable(name: str) -> AgiCommand:
    """Read a channel variable: result 1 and the value, or 0. Values beyond some 990 bytes desynchronise
    the results.
    """
    return command("GET", "VARIABLE", variable_name(name))


def lease(seconds: float) -> AgiCommand:
    """Let the channel's lease end so many seconds after this command runs (func_timeout.c)."""
    return command("SET", "VARIABLE", "TIMEOUT(absolute)", quote(f"{seconds:g}"))


def gosub(context: str, extension: str = "s", priority: int = 1) -> AgiCommand:
    """Run a routine of Asterisk's dialplan; values travel before it by `set_variable`."""
    return command("GOSUB", opaque_id(context), opaque_id(extension), str(priority))


def _files(sounds: tuple[str, ...]) -> str:
    for sound in sounds:
        if not _SOUND.fullmatch(sound):
            raise EncodingError(f"{sound!r} cannot be a sound's name: letters, digits and _ . / : + @ = - only")
    return "&".join(sounds)
