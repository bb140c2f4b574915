"""What is wrong with a document, where, and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import asdict


class Severity(StrEnum):
    """Whether the file can be served all the same."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """Worth knowing, and nothing to mend."""


class Issue(Struct, frozen=True, kw_only=True):
    """One finding; `str()` gives the sentence for a person."""

    file: str
    """As the operations person knows it: relative to the folder that was loaded."""
    line: int
    """From 1; 0 when it concerns the file as a whole."""
    message: str
    node: str = ""
    field: str = ""
    """Path of the value in the document, dotted."""
    suggestion: str = ""
    """The name that was probably meant."""
    severity: Severity = Severity.ERROR
    name: str = ""
    """Of a warning that a file may accept: what it is called there (`language.bounds.ACCEPTABLE`)."""
    dated: bool = False
    """Whether time brought it about: it refuses a change, and takes no plan out of service."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        kind = "" if self.severity is Severity.ERROR else f"{self.severity.value}: "
        node = f"node {shown(self.node)}: " if self.node else ""
        hint = f' (did you mean "{self.suggestion}"?)' if self.suggestion else ""
        name = f" [{self.name}]" if self.name else ""
        return printable(f"{place}: {kind}{node}{self.message}{hint}{name}")

    def as_json(self) -> dict[str, str | int]:
        """For machines: every field by name."""
        return asdict(self)

    def as_github(self, prefix: str = "") -> str:
        """As an annotation of GitHub's workflow commands; `prefix` leads from the checkout to the folder."""
        node = f"node {shown(self.node)}: " if self.node else ""
        hint = f' (did you mean "{self.suggestion}"?)' if self.suggestion else ""
        where = f"file={_property(prefix + self.file)},line={max(self.line, 1)}"
        kind = "notice" if self.severity is Severity.NOTE else self.severity.value
        return printable(f"::{kind} {where}::{_data(node + self.message + hint)}")


def _data(text: str) -> str:
    """Escaped as GitHub's workflow commands want it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def errors(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Those that keep a file out of service."""
    return tuple(issue for issue in issues if issue.severity is Severity.ERROR)


def lasting(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Errors of the document itself, which no time brought about."""
    return tuple(issue for issue in errors(issues) if not issue.dated)


MOST_OF_ONE_FILE = 500
"""Findings of one file that are shown one by one; a document of a megabyte can hold a hundred thousand."""


def bounded(issues: Iterable[Issue]) -> Iterator[Issue]:
    """Findings, the rest of a file with very many counted: each is logged, and answered to whoever asks for the state,
    by the engine that serves calls meanwhile."""
    told: Counter[str] = Counter()
    left: dict[str, list[Issue]] = {}
    for issue in issues:
        told[issue.file] += 1
        if told[issue.file] <= MOST_OF_ONE_FILE:
            yield issue
        else:
            left.setdefault(issue.file, []).append(issue)
    for file, rest in left.items():
        severity = min((issue.severity for issue in rest), key=list(Severity).index)
        more = "one more finding" if len(rest) == 1 else f"{len(rest)} more findings"
        message = f"and {more} from here on: mend those above first"
        yield Issue(file=file, line=rest[0].line, message=message, severity=severity)


def how_many(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def closest(word: str, names: Iterable[str]) -> str:
    """The name that was probably meant, or an empty string."""
    from difflib import get_close_matches  # only here: where nothing is wrong nothing is meant

    found = get_close_matches(word, sorted(names), n=1, cutoff=0.6)
    return found[0] if found else ""


def printable(text: str) -> str:
    """A text that moves no cursor and colours nothing, whatever a document or a file's name holds."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def shown(value: object, longest: int = 60) -> str:
    """A value of the document in quotes, on one line and of bounded length."""
    text = printable(str(value))
    return f'"{text if len(text) <= longest else text[: longest - 1] + "…"}"'
