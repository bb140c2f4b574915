"""YAML into plain values in which every scalar stays the text it is, and every value knows its line.

YAML 1.1 would read `on`, `no`, `08:00` and `0612345678` as something else than what is written; here nothing is
resolved, the schema gives each text its type. A plain empty value is None. Aliases and tags are refused: a file is
read aloud from top to bottom, and what can be expanded cannot grow without bound.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from callrouter.dialplan.issues import Issue, shown

MAX_BYTES = 1_048_576
"""Largest document: a client's tree needs a hundredth of it."""

MAX_DEPTH = 40
"""Deepest nesting of lists and mappings: a document needs eight."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = tuple[str | int, ...]
"""Path of a value: keys of mappings and positions in lists, from the root."""


@dataclass(frozen=True, kw_only=True)
class Document:
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

    def known(self, *path: str | int) -> Key:
        """The parts of a path that the document holds."""
        known: Key = ()
        for part in path:
            if (*known, part) in self.lines:
                known = (*known, part)
        return known


def read_file(path: Path, name: str) -> Document:
    """Read a document; whatever is wrong with it is among its issues, nothing is raised."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return _refused(name, 0, f"cannot be read: {error.strerror or error}")
    return read(content, name)


def read(content: bytes, name: str) -> Document:
    """Read the bytes of a document; whatever is wrong with it is among its issues, nothing is raised."""
    if len(content) > MAX_BYTES:
        return _refused(name, 0, f"is larger than {MAX_BYTES // 1024} KiB: no client's tree needs that")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _refused(name, 1, "is UTF-16: save it as UTF-8", content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8"
        return _refused(name, line, wrong, content)
    for number, line_text in enumerate(text.split("\n"), start=1):
        if "\t" in line_text[: len(line_text) - len(line_text.lstrip())]:
            return _refused(name, number, "the line begins with a tab: indent with spaces", content)
    try:
        return _compose(text, content, name)
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        return _refused(name, line, f"holds a character YAML does not allow (U+{_code(error.character):04X})", content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return _refused(name, line, f"is not YAML here: {_problem(error)}", content)
    except yaml.YAMLError as error:
        return _refused(name, 1, f"is not YAML: {error}", content)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _code(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "unreadable"
    if "expected <block end>" in problem or "mapping values are not allowed" in problem:
        return f"{problem} (look at the indentation and the quotes of this line and the one before)"
    return problem


def _refused(name: str, line: int, message: str, content: bytes = b"") -> Document:
    return Document(file=name, issues=(Issue(file=name, line=line, message=message),), content=content)


def _compose(text: str, content: bytes, name: str) -> Document:
    """The tree of nodes, after a pass over the events that refuses what could explode in it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            line = _line(event)
            wrong = f"alias *{event.anchor} is not understood: write the value out, or share it by a file in shared/"
            return _refused(name, line, wrong, content)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return _refused(name, _line(event), f"is nested more than {MAX_DEPTH} deep", content)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    root = yaml.compose(text, Loader=_Loader)
    if root is None:
        return _refused(name, 0, "is empty", content)
    builder = _Builder(name)
    value = builder.build(root, ())
    return Document(file=name, value=value, lines=builder.lines, issues=tuple(builder.issues), content=content)


class _Builder:
    """Nodes of PyYAML into plain values, noting lines and what is not allowed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Key, int] = {}
        self.issues: list[Issue] = []

    def build(self, node: Any, path: Key) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.startswith("tag:yaml.org,2002:python"):
            self._issue(node, path, f"tag {shown(node.tag)} is not understood: leave it out")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return None if node.value == "" and node.style is None else node.value

    def _mapping(self, node: Any, path: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._issue(key, path, "a key must be a text")
                continue
            here = (*path, key.value)
            if key.value in values:
                first = self.lines[here]
                self._issue(key, here, f"key {shown(key.value)} stands here a second time (first on line {first})")
                continue
            self.lines[here] = key.start_mark.line + 1
            values[key.value] = self.build(value, here)
        return values

    def _issue(self, node: Any, path: Key, message: str) -> None:
        self.issues.append(
            Issue(
                file=self.name,
                line=node.start_mark.line + 1,
                node=node_name(path),
                field=dotted(path),
                message=message,
            )
        )


def node_name(path: Key) -> str:
    """The node of a client's tree that a path leads into, or an empty string."""
    return str(path[1]) if len(path) > 1 and path[0] == "nodes" else ""


def dotted(path: Key) -> str:
    """A path as a person writes it; inside a node, what follows the verb."""
    return ".".join(str(part) for part in path)
