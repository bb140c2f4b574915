"""YAML into plain values in which every scalar stays the text it is, and every value knows its line.

YAML 1.1 would read `on`, `no`, `08:00` and `0612345678` as something else than what is written; here nothing is
resolved, the schema gives each text its type. A plain empty value is None. Aliases and tags are refused: a file is
read aloud from top to bottom, and what can be expanded cannot grow without bound.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from msgspec import Struct

from callrouter.dialplan.issues import Issue, shown

MAX_BYTES = 1_048_576
"""Largest document: a client's tree needs a hundredth of it."""

MAX_DEPTH = 40
"""Deepest nesting of lists and mappings: a document needs eight."""

_TAB_FIRST = re.compile(r"^[^\S\n\t]*\t", re.MULTILINE)

_CONFLICT = re.compile(r"^<{7} .*", re.MULTILINE)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = tuple[str | int, ...]
"""Path of a value: keys of mappings and positions in lists, from the root."""


class LinedMapping(dict[str, Any]):
    """A mapping of a document: a dict that knows on which line each of its keys stands."""

    __slots__ = ("lines",)

    lines: dict[str | int, int]


class LinedList(list[Any]):
    """A list of a document: a list that knows on which line each of its items begins."""

    __slots__ = ("lines",)

    lines: dict[str | int, int]


_NO_LINES: Mapping[str | int, int] = {}
"""Of a text, within which nothing stands."""


class Document(Struct, frozen=True, kw_only=True):
    """A file that was read, well or not."""

    file: str
    value: Any = None
    """Mappings and lists that know their lines, texts, and None."""
    first_line: int = 1
    """Where the value begins."""
    issues: tuple[Issue, ...] = ()
    content: bytes = b""

    def line(self, *path: str | int) -> int:
        """The line of the nearest value that exists on this path.

        Parts the document does not hold are skipped, so that a path through a normalised value
        (one item for a list of one) finds its place.
        """
        line, value = self.first_line, self.value
        for part in path:
            lines = getattr(value, "lines", _NO_LINES)
            if part in lines:
                line, value = lines[part], value[part]
        return line

    def issue(self, message: str, *path: str | int, suggestion: str = "") -> Issue:
        """What is wrong with the value at a path."""
        return Issue(file=self.file, line=self.line(*path), field=dotted(path), message=message, suggestion=suggestion)

    def known(self, *path: str | int) -> Key:
        """The parts of a path that the document holds."""
        known: list[str | int] = []
        value = self.value
        for part in path:
            if part in getattr(value, "lines", _NO_LINES):
                known.append(part)
                value = value[part]
        return tuple(known)


def read(content: bytes, name: str) -> Document:
    """Read the bytes of a document; whatever is wrong with it is among its issues, nothing is raised."""
    if len(content) > MAX_BYTES:
        return refused(name, 0, f"is larger than {MAX_BYTES // 1024} KiB: no client's tree needs that")
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return refused(name, 1, "is UTF-32: save it as UTF-8", content)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return refused(name, 1, "is UTF-16: save it as UTF-8", content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8"
        return refused(name, line, wrong, content)
    if "<<<<<<< " in text and (mark := _CONFLICT.search(text)):
        number = text.count("\n", 0, mark.start()) + 1
        wrong = f"git left a conflict here ({shown(mark[0].strip())}): keep one of the two versions, and no mark of it"
        return refused(name, number, wrong, content)
    if "\t" in text and (tab := _TAB_FIRST.search(text)):
        number = text.count("\n", 0, tab.start()) + 1
        return refused(name, number, "the line begins with a tab: indent with spaces", content)
    try:
        return _compose(text, content, name)
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        return refused(name, line, f"holds a character YAML does not allow (U+{_code(error.character):04X})", content)
    except yaml.MarkedYAMLError as error:
        line, problem = _problem(error)
        return refused(name, line, f"is not YAML here: {problem}", content)
    except yaml.YAMLError as error:
        return refused(name, 1, f"is not YAML: {error}", content)


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1


def _code(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")


def _problem(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """The line of a mistake, and what it probably is."""
    begun = error.context_mark.line + 1 if error.context_mark else 1
    line = error.problem_mark.line + 1 if error.problem_mark else begun
    problem = error.problem or "unreadable"
    if "unexpected end of stream" in problem and "quoted" in (error.context or ""):
        return begun, "a quote that is opened here is never closed"
    if "mapping values are not allowed" in problem:
        return line, (
            "a colon with a space after it stands where none can: put a text that holds one in quotes, or look at the"
            " indentation of this line and the one before"
        )
    if "expected ',' or" in problem:
        return line, (
            f"{problem}: is a comma or a bracket missing, or does an apostrophe end the text? Write a text that holds"
            ' one in double quotes: "It\'s over."'
        )
    if "expected key" in problem or "expected <block end>" in problem:
        return line, f"{problem} (look at the indentation and the quotes of this line and the one before)"
    return line, problem


def refused(name: str, line: int, message: str, content: bytes = b"") -> Document:
    """A document that cannot be read, and why; line 0: all of it."""
    return Document(file=name, issues=(Issue(file=name, line=line, message=message),), content=content)


def _compose(text: str, content: bytes, name: str) -> Document:
    """The values, in one pass over the events of the parser: nothing is expanded on the way."""
    loader = _Loader(text)
    builder = _Builder(name, loader.get_event)
    try:
        value = builder.document()
    except _UnreadableError as error:
        return refused(name, error.line, str(error), content)
    finally:
        loader.dispose()
    if value is None:
        return refused(name, 0, "is empty", content)
    issues = tuple(builder.issues)
    return Document(file=name, value=value, first_line=builder.first_line, issues=issues, content=content)


class _UnreadableError(Exception):
    """The whole document cannot be read, because of what stands on a line."""

    def __init__(self, event: yaml.Event, message: str) -> None:
        super().__init__(message)
        self.line = _line(event)


class _Builder:
    """Events of PyYAML into values that know their lines; what is not allowed is noted.

    Reading is a third of the time that loading 800 clients takes, and this is the part of it that is ours: types are
    compared, not asked for, and a plain text, as nearly all keys and values are, is taken at once.
    """

    def __init__(self, name: str, get_event: Callable[[], Any]) -> None:
        self.name = name
        self.first_line = 1
        self.issues: list[Issue] = []
        self._get_event = get_event

    def document(self) -> Any:
        """The document's one value, or None when it is empty.

        Raises:
            _UnreadableError: there is a second document, an alias, or too deep a nesting.
        """
        value, documents = None, 0
        while type(event := self._get_event()) is not yaml.StreamEndEvent:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    wrong = 'is not YAML here: a second document begins; leave out the line "---"'
                    raise _UnreadableError(event, wrong)
            elif kind is not yaml.StreamStartEvent and kind is not yaml.DocumentEndEvent:
                self.first_line = _line(event)
                value = self._root(event)
        return value

    def _root(self, event: Any) -> Any:
        self._check(event, ())
        if type(event) is yaml.ScalarEvent:
            return _text(event)
        return self._mapping_or_list(event, ())

    def _value(self, event: Any, path: Key, place: str | int) -> Any:
        """The value that begins with an event, read to its end: it stands at a place within what has the path."""
        self._check(event, path)
        if type(event) is yaml.ScalarEvent:
            return _text(event)
        return self._mapping_or_list(event, (*path, place))

    def _check(self, event: Any, path: Key) -> None:
        """Note a tag, and refuse an alias."""
        if type(event) is yaml.AliasEvent:
            wrong = f"alias *{event.anchor} is not understood: write the value out, or share it by a file in shared/"
            raise _UnreadableError(event, wrong)
        if event.tag is not None and event.tag != "!":
            self._issue(event, path, f"tag {shown(event.tag)} is not understood: leave it out")

    def _mapping_or_list(self, event: Any, path: Key) -> LinedMapping | LinedList:
        if len(path) >= MAX_DEPTH:
            raise _UnreadableError(event, f"is nested more than {MAX_DEPTH} deep")
        return self._mapping(path) if type(event) is yaml.MappingStartEvent else self._list(path)

    def _mapping(self, path: Key) -> LinedMapping:
        get_event, scalar, end = self._get_event, yaml.ScalarEvent, yaml.MappingEndEvent
        mapping = yaml.MappingStartEvent if len(path) + 1 < MAX_DEPTH else None
        lines: dict[str | int, int] = {}
        values = LinedMapping()
        values.lines = lines
        while (kind := type(event := get_event())) is not end:
            key = event.value if kind is scalar and event.tag is None else None
            if key and key not in lines:
                lines[key] = event.start_mark.line + 1
            else:
                key = self._odd_key(event, path, lines)
            kind, value = type(event := get_event()), None
            if kind is scalar and event.tag is None:
                value = event.value
            elif kind is mapping and event.tag is None and key is not None:
                values[key] = self._mapping((*path, key))
                continue
            if not value:
                value = self._value(event, path, "" if key is None else key)
            if key is not None:
                values[key] = value
        return values

    def _odd_key(self, event: Any, path: Key, lines: dict[str | int, int]) -> str | None:
        """A key that is more or less than a plain text; None when it cannot be one, or stands here already."""
        self._check(event, path)
        key: str | None = None
        if type(event) is yaml.ScalarEvent:
            key = _text(event)
        if key is None:
            self._issue(event, path, "a key must be a text")
            if type(event) is not yaml.ScalarEvent:
                self._mapping_or_list(event, (*path, ""))
        elif key in lines:
            wrong = f"key {shown(key)} stands here a second time (first on line {lines[key]})"
            self._issue(event, (*path, key), wrong)
            return None
        else:
            lines[key] = _line(event)
        return key

    def _list(self, path: Key) -> LinedList:
        lines: dict[str | int, int] = {}
        values = LinedList()
        values.lines = lines
        get_event, scalar, end = self._get_event, yaml.ScalarEvent, yaml.SequenceEndEvent
        while (kind := type(event := get_event())) is not end:
            lines[len(values)] = event.start_mark.line + 1
            value = event.value if kind is scalar and event.tag is None else None
            values.append(value or self._value(event, path, len(values)))
        return values

    def _issue(self, event: yaml.Event, path: Key, message: str) -> None:
        self.issues.append(
            Issue(file=self.name, line=_line(event), node=node_name(path), field=dotted(path), message=message)
        )


def _text(event: Any) -> str | None:
    """A scalar: what is written, and None for nothing at all."""
    text: str = event.value
    return text if text or event.style else None


def node_name(path: Key) -> str:
    """The node of a client's tree or of a snippet that a path leads into, or an empty string."""
    inner = tree_path(path)
    return str(inner[1]) if len(inner) > 1 and inner[0] == "nodes" else ""


def tree_path(path: Key) -> Key:
    """A path as it would be if the snippet it leads into were a document of its own."""
    return path[2:] if len(path) > 2 and path[0] == "snippets" else path


def dotted(path: Key) -> str:
    """A path as a person writes it; inside a node, what follows the verb."""
    return ".".join(str(part) for part in path)
