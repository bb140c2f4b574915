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
    first_line: int = 1
    """Where the value begins."""
    lines: Mapping[int, Mapping[str | int, int]] = field(default_factory=dict)
    """The line of each key or item of a mapping or list of `value`, by the identity of the mapping or list: a path for
    every value would cost more than all else that is made of a document."""
    issues: tuple[Issue, ...] = ()
    content: bytes = b""

    def line(self, *path: str | int) -> int:
        """The line of the nearest value that exists on this path.

        Parts the document does not hold are skipped, so that a path through a normalised value
        (one item for a list of one) finds its place.
        """
        line, value = self.first_line, self.value
        for part in path:
            lines = self.lines.get(id(value))
            if lines is not None and part in lines:
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
            if part in self.lines.get(id(value), ()):
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


def refused(name: str, line: int, message: str, content: bytes = b"") -> Document:
    """A document that cannot be read, and why; line 0: all of it."""
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
        return refused(name, _line(event), refusal, content)
    if builder.root is None:
        return refused(name, 0, "is empty", content)
    return Document(
        file=name,
        value=builder.root,
        first_line=builder.first_line,
        lines=builder.lines,
        issues=tuple(builder.issues),
        content=content,
    )


_KEY_NEXT: Any = object()
"""Stands for the key of a mapping that is still to come."""


class _Builder:
    """Events of PyYAML into plain values, noting lines and what is not allowed.

    Reading is nearly half of the time that loading 800 clients takes, and this is the part of it that is ours: types
    are compared, not asked for, and what is being read stands in local names.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Any = None
        self.first_line = 1
        self.lines: dict[int, dict[str | int, int]] = {}
        self.issues: list[Issue] = []
        self._documents = 0
        self._thrown_away: list[Any] = []
        """Kept meanwhile: what is made after it must not get the identity it has in `lines`."""
        self._open: list[tuple[Any, dict[str | int, int], str | int, Any]] = []
        """What holds the mapping or list that is being read, from the root on: the mapping or list, the lines of its
        keys or items, the key or place of what is being read within, and the key afterwards."""

    def take_all(self, get_event: Callable[[], Any]) -> tuple[Any, str]:  # noqa: C901 - it is the loop
        """Take every event; the one that makes the whole document unreadable, and why, are returned."""
        scalar, mapping, sequence = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
        mapping_end, sequence_end, end = yaml.MappingEndEvent, yaml.SequenceEndEvent, yaml.StreamEndEvent
        values: Any = None
        lines: dict[str | int, int] = {}
        # Of a mapping: whose value comes next; None: the value is thrown away.
        key: Any = _KEY_NEXT
        while (event := get_event()) is not None:
            kind = type(event)
            if kind is scalar:
                value: Any = event.value
                if not value and not event.style:
                    value = None
            elif kind is mapping_end or kind is sequence_end:
                values, lines, _, key = self._open.pop()
                continue
            elif kind is mapping or kind is sequence:
                value = {} if kind is mapping else []
            elif kind is end:
                break
            elif refusal := self._refusal(event, kind):
                return event, refusal
            else:
                continue
            if event.tag is not None:
                self._tag(event)
            place: str | int = ""
            if values is None:
                self.root, self.first_line = value, event.start_mark.line + 1
            elif type(values) is list:
                place = len(values)
                lines[place] = event.start_mark.line + 1
                values.append(value)
            elif key is _KEY_NEXT:
                if type(value) is str and value not in lines:
                    key = value
                    lines[key] = event.start_mark.line + 1
                else:
                    key = None
                    self._bad_key(event, value, lines)
            else:
                if key is None:
                    self._thrown_away.append(value)
                else:
                    values[key] = value
                    place = key
                key = _KEY_NEXT
            if kind is not scalar:
                self._open.append((values, lines, place, key))
                if len(self._open) > MAX_DEPTH:
                    return event, f"is nested more than {MAX_DEPTH} deep"
                values, key = value, _KEY_NEXT
                lines = self.lines[id(value)] = {}
        return None, ""

    def _refusal(self, event: Any, kind: type) -> str:
        """Why an event makes the whole document unreadable, if it does."""
        if kind is yaml.AliasEvent:
            return f"alias *{event.anchor} is not understood: write the value out, or share it by a file in shared/"
        if kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                return 'is not YAML here: a second document begins; leave out the line "---"'
        return ""

    def _bad_key(self, event: Any, key: Any, lines: Mapping[str | int, int]) -> None:
        """A key that cannot be, or stands here already."""
        self._thrown_away.append(key)
        if type(key) is not str:
            self._issue(event, self._path, "a key must be a text")
        else:
            wrong = f"key {shown(key)} stands here a second time (first on line {lines[key]})"
            self._issue(event, (*self._path, key), wrong)

    def _tag(self, event: Any) -> None:
        if event.tag != "!":
            self._issue(event, self._path, f"tag {shown(event.tag)} is not understood: leave it out")

    @property
    def _path(self) -> Key:
        """The path of the mapping or list that is being read."""
        return tuple(place for _, _, place, _ in self._open[1:])

    def _issue(self, event: yaml.Event, path: Key, message: str) -> None:
        self.issues.append(
            Issue(file=self.name, line=_line(event), node=node_name(path), field=dotted(path), message=message)
        )


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
