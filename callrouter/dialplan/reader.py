"""YAML into plain values in which every scalar stays the text it is, and every value knows its line.

YAML 1.1 would read `on`, `no`, `08:00` and `0612345678` as something else than what is written; here nothing is
resolved, the schema gives each text its type. A plain empty value is None. Aliases and tags are refused: a file is
read aloud from top to bottom, and what can be expanded cannot grow without bound.
"""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, field

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


class Document(Struct, frozen=True, kw_only=True):
    """A file that was read, well or not."""

    file: str
    value: Any = None
    """Mappings, lists, texts and None."""
    lines: Mapping[Key, int] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    content: bytes = b""

    def line(self, *path: str | int) -> int:
        """The line of the nearest value that exists on this path.

        Parts the document does not hold are skipped, so that a path through a normalised value
        (one item for a list of one) finds its place.
        """
        return self.lines.get(self.known(*path), 1)

    def issue(self, message: str, *path: str | int, suggestion: str = "") -> Issue:
        """What is wrong with the value at a path."""
        return Issue(file=self.file, line=self.line(*path), field=dotted(path), message=message, suggestion=suggestion)

    def known(self, *path: str | int) -> Key:
        """The parts of a path that the document holds."""
        if path in self.lines:
            return path
        known: Key = ()
        for part in path:
            if (*known, part) in self.lines:
                known = (*known, part)
        return known


def read_file(path: Path, name: str) -> Document:
    """Read a document; whatever is wrong with it is among its issues, nothing is raised."""
    try:
        if is_special(path):
            return _refused(name, 0, "is not a regular file, nor a link to one: put the document's text in its place")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return _refused(name, 0, f"cannot be read: {error.strerror or error}")
    return read(content, name)


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device, links followed: to open one may wait for ever.

    Raises:
        OSError: there is nothing, or it cannot be looked at.
    """
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def read(content: bytes, name: str) -> Document:
    """Read the bytes of a document; whatever is wrong with it is among its issues, nothing is raised."""
    if len(content) > MAX_BYTES:
        return _refused(name, 0, f"is larger than {MAX_BYTES // 1024} KiB: no client's tree needs that")
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _refused(name, 1, "is UTF-32: save it as UTF-8", content)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _refused(name, 1, "is UTF-16: save it as UTF-8", content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8"
        return _refused(name, line, wrong, content)
    if "<<<<<<< " in text and (mark := _CONFLICT.search(text)):
        number = text.count("\n", 0, mark.start()) + 1
        wrong = f"git left a conflict here ({shown(mark[0].strip())}): keep one of the two versions, and no mark of it"
        return _refused(name, number, wrong, content)
    if "\t" in text and (tab := _TAB_FIRST.search(text)):
        number = text.count("\n", 0, tab.start()) + 1
        return _refused(name, number, "the line begins with a tab: indent with spaces", content)
    try:
        return _compose(text, content, name)
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        return _refused(name, line, f"holds a character YAML does not allow (U+{_code(error.character):04X})", content)
    except yaml.MarkedYAMLError as error:
        line, problem = _problem(error)
        return _refused(name, line, f"is not YAML here: {problem}", content)
    except yaml.YAMLError as error:
        return _refused(name, 1, f"is not YAML: {error}", content)


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
            "a colon with a space behind it stands where none can: put a text that holds one in quotes, or look at the"
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


def _refused(name: str, line: int, message: str, content: bytes = b"") -> Document:
    return Document(file=name, issues=(Issue(file=name, line=line, message=message),), content=content)


def _compose(text: str, content: bytes, name: str) -> Document:
    """The values, in one pass over the events of the parser: nothing is expanded on the way."""
    builder = _Builder(name)
    loader = _Loader(text)
    try:
        event, refusal = builder.take_all(loader.get_event)
    finally:
        loader.dispose()
    if refusal:
        return _refused(name, _line(event), refusal, content)
    if builder.root is None:
        return _refused(name, 0, "is empty", content)
    return Document(file=name, value=builder.root, lines=builder.lines, issues=tuple(builder.issues), content=content)


class _Builder:
    """Events of PyYAML into plain values, noting lines and what is not allowed.

    Reading is most of the time that loading 800 clients takes, and this is the half of it that is ours: types are
    compared, not asked for, and the line of an event is looked up once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Any = None
        self.lines: dict[Key, int] = {}
        self.issues: list[Issue] = []
        self._documents = 0
        self._open: list[_Open] = []

    def take_all(self, get_event: Callable[[], Any]) -> tuple[Any, str]:
        """Take every event; the one that makes the whole document unreadable, and why, are returned."""
        scalar, lines, stack = yaml.ScalarEvent, self.lines, self._open
        mapping_end, list_end, end = yaml.MappingEndEvent, yaml.SequenceEndEvent, yaml.StreamEndEvent
        while (event := get_event()) is not None:
            kind = type(event)
            if kind is scalar and stack and event.tag is None:
                # Nearly all events are these three; the rest of the class says the same for every case.
                parent, text = stack[-1], event.value
                if parent.is_list:
                    path = (*parent.path, len(parent.values))
                    parent.values.append(text if text or event.style else None)
                    lines[path] = event.start_mark.line + 1
                elif parent.has_key:
                    parent.has_key = False
                    if parent.key is not None:
                        parent.values[parent.key] = text if text or event.style else None
                elif text and text not in parent.values:
                    parent.key_path = path = (*parent.path, text)
                    parent.key, parent.has_key = text, True
                    lines[path] = event.start_mark.line + 1
                else:
                    self._key(parent, event, text if text or event.style else None)
            elif kind is mapping_end or kind is list_end:
                stack.pop()
            elif kind is end:
                break
            elif refusal := self._take(event, kind):
                return event, refusal
        return None, ""

    def _take(self, event: Any, kind: type) -> str:
        """Take one event; what makes the whole document unreadable is returned."""
        if kind is yaml.ScalarEvent:
            self._tag(event)
            value = event.value
            self._value(event, value if value or event.style else None)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._tag(event)
            values: dict[str, Any] | list[Any] = {} if kind is yaml.MappingStartEvent else []
            path = self._value(event, values)
            self._open.append(_Open(values=values, path=path, is_list=type(values) is list))
            if len(self._open) > MAX_DEPTH:
                return f"is nested more than {MAX_DEPTH} deep"
        elif kind is yaml.AliasEvent:
            return f"alias *{event.anchor} is not understood: write the value out, or share it by a file in shared/"
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                return 'is not YAML here: a second document begins; leave out the line "---"'
        return ""

    def _value(self, event: yaml.Event, value: Any) -> Key:
        """Put a value where it belongs, or take it for a key; the path it has."""
        if not self._open:
            self.root = value
            self.lines[()] = _line(event)
            return ()
        parent = self._open[-1]
        values = parent.values
        if parent.is_list:
            path: Key = (*parent.path, len(values))
            values.append(value)
            self.lines[path] = _line(event)
            return path
        if not parent.has_key:
            self._key(parent, event, value)
            return (*parent.path, "")
        parent.has_key = False
        key = parent.key
        if key is None:
            return (*parent.path, "")
        values[key] = value
        return parent.key_path

    def _key(self, parent: _Open, event: yaml.Event, key: Any) -> None:
        """A key; one that cannot be, or stands here already, takes its value into nothing."""
        parent.has_key, parent.key = True, None
        if type(key) is not str:
            self._issue(event, parent.path, "a key must be a text")
            return
        path = (*parent.path, key)
        if key in parent.values:
            first = self.lines[path]
            self._issue(event, path, f"key {shown(key)} stands here a second time (first on line {first})")
            return
        parent.key, parent.key_path = key, path
        self.lines[path] = _line(event)

    def _tag(self, event: Any) -> None:
        if event.tag is not None and event.tag != "!":
            path = self._open[-1].path if self._open else ()
            self._issue(event, path, f"tag {shown(event.tag)} is not understood: leave it out")

    def _issue(self, event: yaml.Event, path: Key, message: str) -> None:
        self.issues.append(
            Issue(file=self.name, line=_line(event), node=node_name(path), field=dotted(path), message=message)
        )


class _Open(Struct, kw_only=True):
    """A mapping or list that is being read."""

    values: Any
    """A mapping or a list."""
    path: Key
    is_list: bool
    has_key: bool = False
    key: str | None = None
    """The key whose value comes next; None: the value is thrown away."""
    key_path: Key = ()
    """Its path."""


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
