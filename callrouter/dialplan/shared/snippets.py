"""Snippets: sub-trees with typed parameters, checked once by themselves and then filled in where they are included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from callrouter.core import numbers
from callrouter.dialplan.documents.snippets import SnippetBlock
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import targets
from callrouter.dialplan.language.reader import Document, Key
from callrouter.dialplan.language.validation import validate_part
from callrouter.dialplan.verbs import NodeBlock
from callrouter.dialplan.verbs.include import IncludeBlock

_REFERENCE = re.compile(r"\$(?:([a-z][a-z0-9_-]*)|\$)")
"""`$name`; `$$` is a dollar."""

_SAMPLES = {
    "number": "+33199000000",
    "duration": "1m",
    "count": "1",
}
"""A value of each type that every place of the type takes; for the others a name will do."""


class Snippet(Struct, frozen=True, kw_only=True):
    """A snippet that is right by itself."""

    name: str
    block: SnippetBlock
    document: Document

    @property
    def root(self) -> Key:
        """Where it stands in its document."""
        return ("snippets", self.name)

    def ways_out(self) -> frozenset[str]:
        """Parameters that name a node of whoever includes it."""
        return frozenset(name for name, parameter in self.block.parameters.items() if parameter.type == "node")

    def filled(self, arguments: Mapping[str, Any]) -> tuple[dict[str, NodeBlock], list[Issue]]:
        """Its nodes with every parameter's value in place; a way out keeps the parameter's name."""
        given = {**arguments, **{name: name for name in self.ways_out()}}
        nodes: dict[str, NodeBlock] = {}
        issues: list[Issue] = []
        for name, raw in self.block.nodes.items():
            path = (*self.root, "nodes", name)
            for where, key in _filled_twice(raw, given, ("nodes", name)):
                message = f"the parameter makes this key {shown(key)}, which stands here already"
                issues.append(_issue(self, message, *where))
            node, wrong = validate_part(NodeBlock, self.document, fill(raw, given), path)
            issues.extend(wrong)
            if node is not None:
                nodes[name] = node
        return nodes, issues


def fill(value: Any, arguments: Mapping[str, Any]) -> Any:
    """The value with `$name` replaced, in keys too."""
    if isinstance(value, str):
        return _filled(value, arguments)
    if isinstance(value, list):
        return [fill(item, arguments) for item in value]
    if isinstance(value, dict):
        return {_filled(key, arguments): fill(item, arguments) for key, item in value.items()}
    return value


def _filled_twice(value: Any, arguments: Mapping[str, Any], path: Key) -> Iterator[tuple[Key, str]]:
    """Keys that a parameter makes the same as another one, which would be lost without a word."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _filled_twice(item, arguments, (*path, index))
    elif isinstance(value, dict):
        seen: set[str] = set()
        for key in sorted(value, key=lambda one: "$" in one):
            filled = str(_filled(key, arguments))
            if filled in seen:
                yield (*path, key), filled
            seen.add(filled)
            yield from _filled_twice(value[key], arguments, (*path, key))


def _filled(text: str, arguments: Mapping[str, Any]) -> Any:
    if "$" not in text:
        return text
    whole = _REFERENCE.fullmatch(text)
    if whole and whole[1] in arguments:
        return arguments[whole[1]]

    def value(match: re.Match[str]) -> str:
        return str(arguments.get(match[1], match[0])) if match[1] else "$"

    return _REFERENCE.sub(value, text)


def read_snippets(blocks: Mapping[str, SnippetBlock], document: Document) -> tuple[dict[str, Snippet], list[Issue]]:
    """The snippets that are right by themselves, and what is wrong with the others."""
    found: dict[str, Snippet] = {}
    issues: list[Issue] = []
    for name, block in blocks.items():
        snippet = Snippet(name=name, block=block, document=document)
        wrong = list(_references(snippet)) or _with_samples(snippet)
        issues.extend(wrong)
        if not wrong:
            found[name] = snippet
    for snippet in list(found.values()):
        if circle := _circle(snippet.name, found):
            message = f"snippet {shown(snippet.name)} includes itself: {' → '.join(circle)}"
            issues.append(_issue(snippet, message))
            del found[snippet.name]
    return found, issues


def _issue(snippet: Snippet, message: str, *path: str | int, suggestion: str = "") -> Issue:
    full = (*snippet.root, *path)
    return Issue(
        file=snippet.document.file,
        line=snippet.document.line(*full),
        node=str(path[1]) if len(path) > 1 else "",
        field=".".join(str(part) for part in full),
        message=message,
        suggestion=suggestion,
    )


def _references(snippet: Snippet) -> Iterator[Issue]:
    """Every `$name` is a parameter, and every parameter is used."""
    used: set[str] = set()
    for path, text in _texts(snippet.block.nodes, ("nodes",)):
        for match in _REFERENCE.finditer(text):
            name = match[1]
            if name and name not in snippet.block.parameters:
                message = f"${name} is no parameter of the snippet (a dollar is written $$)"
                yield _issue(snippet, message, *path, suggestion=closest(name, snippet.block.parameters))
            elif name:
                used.add(name)
    for name in snippet.block.parameters:
        if name not in used:
            yield _issue(snippet, f"parameter {shown(name)} is never used: write ${name} in a node", "parameters", name)


def _texts(value: Any, path: Key) -> Iterator[tuple[Key, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key), key
            yield from _texts(item, (*path, key))


def _with_samples(snippet: Snippet) -> list[Issue]:
    """What is wrong whatever the arguments are: found with a sample of each type."""
    samples = {name: _SAMPLES.get(block.type, "sample") for name, block in snippet.block.parameters.items()}
    samples |= _keys_of_their_own(snippet)
    nodes, issues = snippet.filled(samples)
    known = {*snippet.block.nodes, *snippet.ways_out()}
    for name, node in nodes.items():
        verb = node.verb.name
        for path, target in targets(node.block):
            if target not in known:
                written = _written(snippet.block.nodes[name], (verb, *path))
                message = f"leads to {shown(written)}, which is neither a node of the snippet nor a parameter"
                if "$" in written:
                    message = f"leads to {shown(written)}: only a parameter of type node, alone, is a way out"
                issues.append(_issue(snippet, message, "nodes", name, verb, *path, suggestion=closest(target, known)))
    return issues or list(_unreached(snippet, nodes))


def _written(value: Any, path: Key) -> str:
    """The text at a path of a node as it was written, where a list of one or a mapping may be left out."""
    for part in path:
        inside = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
        value = inside.get(part, value)
    return value if isinstance(value, str) else ""


def _keys_of_their_own(snippet: Snippet) -> dict[str, str]:
    """For parameters that are keys (`keys: { $urgent: … }`): samples that are no other key of the snippet."""
    written = {text for path, text in _texts(snippet.block.nodes, ()) if path[-1] == text}
    digits = (key for key in "1234567890*#" if key not in written)
    found: dict[str, str] = {}
    for name, parameter in snippet.block.parameters.items():
        if f"${name}" in written and parameter.type in ("count", "text"):
            found[name] = next(digits, "1") if parameter.type == "count" else f"sample-{len(found)}"
    return found


def _unreached(snippet: Snippet, nodes: Mapping[str, NodeBlock]) -> Iterator[Issue]:
    """Nodes to which no way leads from the snippet's beginning."""
    reached: set[str] = set()
    waiting = [snippet.block.start]
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in reached:
            reached.add(name)
            waiting.extend(_onward(nodes[name]))
    for name in nodes:
        if name not in reached:
            yield _issue(snippet, "nothing in the snippet leads here: no call can reach this node", "nodes", name)


def _onward(node: NodeBlock) -> Iterator[str]:
    """Where a node may lead: its exits, and whatever a snippet within it is given, which may be a way out."""
    yield from (target for _, target in targets(node.block))
    if isinstance(node.block, IncludeBlock):
        yield from (value for value in node.block.with_.values() if isinstance(value, str))


def _circle(name: str, snippets: Mapping[str, Snippet]) -> tuple[str, ...]:
    """The way from a snippet back to itself by what it includes, or nothing."""

    def included(one: str) -> Iterator[str]:
        for raw in snippets[one].block.nodes.values() if one in snippets else ():
            inner = raw.get("include") if isinstance(raw, dict) else None
            if isinstance(inner, dict) and isinstance(inner.get("snippet"), str):
                yield inner["snippet"]

    waiting: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    while waiting:
        way = waiting.pop()
        for following in included(way[-1]):
            if following == name:
                return (*way, name)
            if following not in seen:
                seen.add(following)
                waiting.append((*way, following))
    return ()


CHECKS: Mapping[str, Callable[[object], object]] = {
    "node": values.name,
    "text": lambda value: value if isinstance(value, dict) else values.text(value),
    "queue": values.name,
    "contact": values.name,
    "number": values.text,
    "duration": values.positive_duration,
    "count": values.count,
    "hours": values.name,
    "list": values.name,
}
"""What an argument of each type must look like; each raises ValueError with a sentence that says the mend."""


def is_number(value: str, country: str) -> bool:
    """Whether a text is a telephone number of a country or an international one."""
    return numbers.written(value, country) is not None
