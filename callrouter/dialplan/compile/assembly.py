"""All the nodes of one client's plan: its own, those of snippets, of other clients, and of other languages.

A tree is grown from where calls begin. A node that includes a snippet or leads to another client is no node of the
plan: whoever leads to it is led to the beginning of that tree, whose nodes are built under a prefix (`night/ask`,
`etude-lenoir/filter`). A tree in another of the client's languages is built again under a suffix (`welcome@en`), as far
as callers reach it. So the engine and the proof see one plain tree, and clients that lead to each other become a
loop of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from callrouter.core import numbers
from callrouter.core.call import replace
from callrouter.core.nodes import Node
from callrouter.dialplan.document_part import Place
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.snippets import CHECKS, Snippet, fill, is_number
from callrouter.dialplan.verbs import NodeBlock
from callrouter.dialplan.verbs.include import IncludeBlock
from callrouter.dialplan.verbs.redirect import RedirectBlock
from callrouter.dialplan.verbs.set_variables import SetBlock

if TYPE_CHECKING:
    from callrouter.dialplan.compile.neighbours import Neighbours
    from callrouter.dialplan.documents.drafts import Draft

MAX_NODES = 5_000
"""Nodes of one plan, with all that it includes."""

MAX_SNIPPETS_DEEP = 8
"""Snippets within snippets."""


class Growth(Struct, kw_only=True, eq=False):
    """One tree that grows: a client's, or a snippet's at one place, in one language."""

    scope: NameScope
    blocks: Mapping[str, NodeBlock]
    prefix: str = ""
    suffix: str = ""
    languages: Collection[str] = ()
    outer: Growth | None = None
    """Of a snippet: the tree it is included in."""
    include: str = ""
    """Of a snippet: the node of `outer` that includes it."""
    ways_out: Mapping[str, str] = field(default_factory=dict)
    """Of a snippet: its parameters that name a node of `outer`."""
    depth: int = 0
    resolved: dict[str, str] = field(default_factory=dict)
    """Targets, and the nodes of the plan they lead to."""

    def name(self, node: str) -> str:
        """What one of its nodes is called in the plan."""
        return f"{self.prefix}{node}{self.suffix}"


class Lead(Struct, frozen=True, kw_only=True):
    """A place that leads to another client."""

    scope: NameScope
    path: tuple[str, ...]
    draft: Draft


class Assembly:
    """Grows the plan of one client; what is wrong goes to the scopes."""

    def __init__(
        self,
        root: Growth,
        neighbours: Neighbours | None,
        open_client: Callable[[Draft, str, str], Growth | None],
        client: str,
    ) -> None:
        """`open_client` makes the beginning of another client's tree, under a prefix, for a place in a file."""
        self.root = root
        self.nodes: dict[str, Node] = {}
        self.aliases: set[str] = set()
        """Nodes of the client's own that stand for the beginning of another tree, whole or broken."""
        self.leads: list[Lead] = []
        self._neighbours = neighbours
        self._open_client = open_client
        self._client = client
        self._trees: dict[tuple[str, str], Growth | None] = {("", ""): root}
        """All of them, by prefix and suffix; None: it could not be found."""
        self._redirects: dict[str, tuple[Growth, str] | None] = {}
        """By node that leads to another client: that one's tree, and where it begins."""
        self._going_round: set[str] = set()
        """Nodes of which it was said that they lead round to themselves."""
        self._waiting: list[tuple[Growth, str]] = []
        self._asked: set[str] = set()
        self._reached_blocks: set[str] = set()
        self._foreign: dict[str, Draft] = {}
        self.broken: set[str] = set()
        """Nodes that stand for a tree which could not be found: what they lead to is not known."""

    @property
    def uses(self) -> Mapping[str, Draft]:
        """Documents of other clients that the plan is made of, by file."""
        return {draft.document.file: draft for draft in self._foreign.values()}

    @property
    def foreign(self) -> tuple[str, ...]:
        """What the names of other clients' nodes begin with."""
        return tuple(tree.prefix for tree in self._trees.values() if tree and tree.prefix and tree.outer is None)

    def grow(self, starts: Collection[str]) -> list[str]:
        """Build all that can be reached from these nodes, and then what cannot; the starts' names in the plan."""
        begun = [self._resolve(self.root, start) for start in starts]
        self._build()
        for name, block in self.root.blocks.items():
            if name in self._reached_blocks:
                continue
            if _is_alias(block):
                self._resolve(self.root, name)
                self.root.scope.fail("nothing leads here: no call can reach this node", "nodes", name)
            else:
                self._want(self.root, name)
        self._build()
        self._collect_exits()
        # The client's own come first, in the document's order.
        self.nodes = {name: self.nodes[name] for name in self.root.blocks if name in self.nodes} | self.nodes
        return begun

    def _collect_exits(self) -> None:
        """Wrong exits of the client's own nodes, including nodes that calls reach only in another language.

        Those of snippets lead within the snippet, so they are judged here. Another client's are judged with its tree.
        """
        exits = self.root.scope.wrong_exits
        known = {leads.node for leads in exits}
        for tree in list(self._trees.values()):
            if tree is not None and tree.outer is None and not tree.prefix and tree is not self.root:
                exits.extend(leads for leads in tree.scope.wrong_exits if leads.node not in known)
                known |= {leads.node for leads in tree.scope.wrong_exits}
        for tree in self._trees.values():
            if tree is not None and tree.outer is not None and not _is_foreign(tree):
                self._check_snippet_exits(tree)

    @staticmethod
    def _check_snippet_exits(tree: Growth) -> None:
        for leads in tree.scope.wrong_exits:
            wrong = f"exit {shown(leads.label)} leads to {shown(leads.target)}, which does not exist"
            meant = closest(leads.target, tree.scope.written)
            tree.scope.fail(wrong, "nodes", leads.node, leads.verb, *leads.path, suggestion=meant)

    def _build(self) -> None:
        while self._waiting:
            tree, name = self._waiting.pop()
            if len(self.nodes) >= MAX_NODES:
                self.root.scope.fail(f"the plan grows beyond {MAX_NODES} nodes with all it includes", "nodes")
                self._waiting.clear()
                return
            written = tree.blocks[name]
            block, verb = written.block, written.verb
            assert verb.build is not None, "what stands for another tree was resolved"
            node = verb.build(tree.scope, name, block)
            for key, wrong, warning in written.odd:
                tree.scope.fail(wrong, "nodes", name, verb.name, key, name=warning)
            if node is not None:
                onward = self._onward(tree, name, block) if type(block) is SetBlock else tree
                full = name if tree is self.root else tree.name(name)
                self.nodes[full] = self._placed(tree, name, node, onward)

    def _placed(self, tree: Growth, name: str, node: Node, onward: Growth | None) -> Node:
        """The node under its name in the plan, with its exits leading to names of the plan."""
        exits = node.exits
        if onward is not None and exits:
            known = onward.resolved
            exits = {way: known.get(to) or self._resolve(onward, to) for way, to in exits.items()}
        if tree is self.root:
            return node if exits == node.exits else replace(node, exits=exits)
        scope, full = tree.scope, tree.name(name)
        scope.places[full] = Place(
            document=scope.document, path=(*scope.root, "nodes", name), included_at=scope.included_at
        )
        own = scope.document.file == self.root.scope.document.file
        source = "" if own else scope.document.file
        return replace(node, name=full, exits=exits, source=source, included_at=scope.included_at)

    def _want(self, tree: Growth, name: str) -> str:
        """The node is to be built; its name in the plan."""
        full = tree.name(name)
        if full not in self._asked:
            self._asked.add(full)
            self._waiting.append((tree, name))
        return full

    def _resolve(self, tree: Growth, target: str) -> str:
        """The node of the plan that a target leads to; what cannot be found keeps its name."""
        found = tree.resolved.get(target)
        if found is None:
            found = tree.resolved[target] = self._resolve_first(tree, target)
        return found

    def _resolve_first(self, tree: Growth, target: str) -> str:
        if tree is self.root and (block := tree.blocks.get(target)) is not None and not _is_alias(block):
            # A node of the client's own that leads on by itself, as nearly all are: it keeps its name.
            self._reached_blocks.add(target)
            if target not in self._asked:
                self._asked.add(target)
                self._waiting.append((tree, target))
            return target
        passed: list[tuple[Growth, str]] = []
        while True:
            if target in tree.ways_out and tree.outer is not None:
                tree, target = tree.outer, tree.ways_out[target]
                continue
            if tree.outer is None and not tree.prefix:
                self._reached_blocks.add(target)
            block = tree.blocks.get(target)
            if block is None:
                return tree.name(target)
            if not _is_alias(block):
                return self._want(tree, target)
            if (tree, target) in passed:
                way = " → ".join(node.name(name) for node, name in (*passed, (tree, target)))
                self.broken.add(tree.name(target))
                self._fail_once(tree, f"leads round to itself, and no call ever gets anywhere: {way}", target)
                return tree.name(target)
            passed.append((tree, target))
            if tree is self.root:
                self.aliases.add(target)
            found = self._beyond(tree, target)
            if found is None:
                self.broken.add(tree.name(target))
                return tree.name(target)
            tree, target = found

    def _fail_once(self, tree: Growth, message: str, name: str) -> None:
        if (full := tree.name(name)) not in self._going_round:
            self._going_round.add(full)
            tree.scope.fail(message, "nodes", name)

    def _beyond(self, tree: Growth, name: str) -> tuple[Growth, str] | None:
        """The tree that a node stands for, and where it begins."""
        block = tree.blocks[name].block
        if isinstance(block, IncludeBlock):
            key = (tree.prefix + name + "/", tree.suffix)
            if key not in self._trees:
                self._trees[key] = self._included(tree, name, block)
            found = self._trees[key]
            return (found, tree.scope.shared.snippets[block.snippet].block.start) if found else None
        assert isinstance(block, RedirectBlock)
        return self._redirected(tree, name, block)

    # Another client

    def _redirected(self, tree: Growth, name: str, block: RedirectBlock) -> tuple[Growth, str] | None:
        full = tree.name(name)
        if full not in self._redirects:
            self._redirects[full] = self._redirect(tree, name, block)
        return self._redirects[full]

    def _redirect(self, tree: Growth, name: str, block: RedirectBlock) -> tuple[Growth, str] | None:
        draft = self._find_client(tree.scope, name, block)
        if draft is None or draft.file is None:
            return None
        own = draft.file.client == self._client
        other = self.root if own else self._client_tree(tree, name, draft)
        return (other, draft.file.start) if other else None

    def _find_client(self, scope: NameScope, name: str, block: RedirectBlock) -> Draft | None:
        key = "client" if block.client is not None else "did"
        path = ("nodes", name, "redirect", key)
        known = self._neighbours
        if block.client is not None:
            draft = known.client(block.client) if known else None
            if draft is None:
                names = known.clients() if known else ()
                wrong = f"client {shown(block.client)} has no file in this folder"
                scope.fail(wrong, *path, suggestion=closest(block.client, names))
        else:
            number = numbers.written(block.did or "", scope.country)
            draft = known.did(number) if known and number else None
            if number is None:
                scope.fail(f"{shown(block.did)} {numbers.wrong_number(block.did or '', scope.country)}", *path)
            elif draft is None:
                scope.fail(f"{number} is the number of no client: to ring it, write number instead of did", *path)
        if draft is not None:
            self._foreign.setdefault(draft.document.file, draft)
            self.leads.append(Lead(scope=scope, path=path, draft=draft))
        return draft

    def _client_tree(self, tree: Growth, name: str, draft: Draft) -> Growth | None:
        assert draft.file is not None
        prefix = f"{draft.file.client}/"
        if draft.file.client in self.root.blocks and _is_include(self.root.blocks[draft.file.client]):
            wrong = f"a node that includes a snippet has the name of client {shown(draft.file.client)}: rename the node"
            tree.scope.fail(wrong, "nodes", name)
            return None
        if (prefix, "") not in self._trees:
            self._trees[prefix, ""] = self._open_client(draft, prefix, tree.scope.at("nodes", name))
        return self._trees[prefix, ""]

    # Snippets

    def _included(self, tree: Growth, name: str, block: IncludeBlock) -> Growth | None:
        scope, here = tree.scope, ("nodes", name, "include")
        snippet = scope.shared.snippets.get(block.snippet)
        if snippet is None:
            self._no_snippet(scope, block.snippet, *here)
            return None
        if tree.depth >= MAX_SNIPPETS_DEEP:
            scope.fail(f"snippets include each other more than {MAX_SNIPPETS_DEEP} deep", *here, "snippet")
            return None
        before = len(scope.issues)
        arguments = self._arguments(tree, snippet, block, here)
        if len(scope.issues) > before:
            return None
        blocks, wrong = snippet.filled(arguments)
        if wrong:
            scope.issues.extend(replace(one, message=f"{one.message} (put here by {scope.at(*here)})") for one in wrong)
            return None
        ways_out = {way: arguments[way] for way in snippet.ways_out()}
        return Growth(
            scope=replace(
                scope,
                document=snippet.document,
                root=snippet.root,
                included_at=f"{scope.at(*here)}{f', from {scope.included_at}' if scope.included_at else ''}",
                written={*blocks, *ways_out},
                wrong_exits=[],
            ),
            blocks=blocks,
            prefix=f"{tree.prefix}{name}/",
            suffix=tree.suffix,
            languages=tree.languages,
            outer=tree,
            include=name,
            ways_out=ways_out,
            depth=tree.depth + 1,
        )

    def _no_snippet(self, scope: NameScope, name: str, *here: str) -> None:
        shared = scope.shared
        if "snippets" in shared.refused or name in shared.bad_snippets:
            scope.fail(f"snippet {shown(name)} cannot be used: mend it in shared/snippets.yaml first", *here, "snippet")
        else:
            wrong = f"snippet {shown(name)} is not in shared/snippets.yaml"
            scope.fail(wrong, *here, "snippet", suggestion=closest(name, shared.snippets))

    def _arguments(self, tree: Growth, snippet: Snippet, block: IncludeBlock, here: tuple[str, ...]) -> dict[str, Any]:
        scope, parameters = tree.scope, snippet.block.parameters
        found: dict[str, Any] = {}
        for name, value in block.with_.items():
            if name not in parameters:
                wrong = f"snippet {shown(snippet.name)} has no parameter {shown(name)}"
                listed = "" if closest(name, parameters) else f": it has {', '.join(parameters) or 'none'}"
                scope.fail(wrong + listed, *here, "with", name, suggestion=closest(name, parameters))
                continue
            found[name] = value
            self._check_argument(tree, parameters[name].type, name, value, (*here, "with", name))
        for name, parameter in parameters.items():
            if name in found:
                continue
            if parameter.default is None:
                wrong = f"parameter {shown(name)} of snippet {shown(snippet.name)} is missing: give a {parameter.type}"
                scope.fail(wrong, *here, "with")
                continue
            found[name] = fill(parameter.default, found)
            self._check_argument(tree, parameter.type, name, found[name], here)
        return found

    def _check_argument(self, tree: Growth, kind: str, name: str, value: Any, path: tuple[str, ...]) -> None:
        scope = tree.scope
        try:
            CHECKS[kind](value)
        except ValueError as error:
            scope.fail(f"parameter {shown(name)} ({kind}): {error}", *path)
            return
        match kind:
            case "node" if value not in tree.blocks and value not in tree.ways_out and not self._is_broken(tree, value):
                wrong = f"parameter {shown(name)} leads to {shown(value)}, which does not exist"
                scope.fail(wrong, *path, suggestion=closest(value, tree.blocks))
            case "queue":
                scope.queue(value, *path)
            case "contact" if value not in scope.policies:
                scope.on_call(value, *path)
            case "number" if not is_number(value, scope.country):
                scope.fail(f"{shown(value)} {numbers.wrong_number(value, scope.country)}", *path)
            case "hours" if value not in scope.schedules:
                wrong = f"the client has no hours called {shown(value)}"
                scope.fail(wrong, *path, suggestion=closest(value, scope.schedules))
            case "list" if value not in scope.lists:
                wrong = f"the client has no list called {shown(value)}"
                scope.fail(wrong, *path, suggestion=closest(value, scope.lists))

    @staticmethod
    def _is_broken(tree: Growth, name: str) -> bool:
        """Whether the node is written, though it has errors of its own."""
        nodes = tree.scope.document.value.get("nodes") if tree.outer is None else None
        return isinstance(nodes, dict) and name in nodes

    # Languages

    def _onward(self, tree: Growth, name: str, block: SetBlock) -> Growth | None:
        """Where a `set` goes on: in the same tree, or in its copy in another language."""
        if block.language is None:
            return tree
        if block.language not in tree.languages:
            spoken = ", ".join(tree.languages)
            wrong = f"language {shown(block.language)} is none of the client's ({spoken}): add it to languages"
            tree.scope.fail(wrong, "nodes", name, "set", "language", suggestion=closest(block.language, tree.languages))
            return None
        return self._in_language(tree, block.language)

    def _in_language(self, tree: Growth, language: str) -> Growth | None:
        if tree.outer is not None:
            outer = self._in_language(tree.outer, language)
            found = self._beyond(outer, tree.include) if outer else None
            return found[0] if found else None
        suffix = "" if language == next(iter(tree.languages)) else f"@{language}"
        if (tree.prefix, suffix) not in self._trees:
            self._trees[tree.prefix, suffix] = replace(
                tree, scope=replace(tree.scope, language=language, wrong_exits=[]), suffix=suffix, resolved={}
            )
        return self._trees[tree.prefix, suffix]


def _is_foreign(tree: Growth) -> bool:
    """Whether it is another client's tree, or a snippet within that."""
    while tree.outer is not None:
        tree = tree.outer
    return bool(tree.prefix)


def _is_alias(block: NodeBlock) -> bool:
    """Whether the node stands for the beginning of another tree."""
    return _is_include(block) or (isinstance(block.block, RedirectBlock) and block.block.number is None)


def _is_include(block: NodeBlock) -> bool:
    return block.verb.node is None
