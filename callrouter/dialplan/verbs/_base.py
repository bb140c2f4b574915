"""What a verb of the language is, and what it may ask of the client in whose tree it stands."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from callrouter.core.agents.preference import Preference
from callrouter.core.dialling import Dialling
from callrouter.core.effects import ReadAs, Sound
from callrouter.core.forms import Form
from callrouter.core.identity import Identity
from callrouter.core.nodes import Node
from callrouter.core.numbers import CallerList
from callrouter.core.read_aloud import PromptPart
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule, Span
from callrouter.core.templates import BUILT_IN
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.keys import KEYS
from callrouter.dialplan.language.own_texts import OwnText
from callrouter.dialplan.language.prompts import PromptBlock
from callrouter.dialplan.language.spoken_keys import spoken_keys


class Somebody(Protocol):
    """A contact of the client's."""

    @property
    def number(self) -> str | None:
        """E.164; None: no telephone."""

    @property
    def url(self) -> str | None:
        """Where somebody's system is told something."""

    @property
    def source(self) -> str:
        """The file that says so."""


class Names(Protocol):
    """What the names in a document mean for one client; what is wrong is noted, never raised.

    A path leads to a value of the client's tree: `("nodes", "welcome", "menu", "keys", "1")`.
    """

    @property
    def country(self) -> str:
        """ISO code: whose national numbers are written."""

    @property
    def language(self) -> str:
        """What is spoken where the node stands."""

    @property
    def timezone(self) -> str:
        """IANA name."""

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """The client's hours."""

    @property
    def hours_prefix(self) -> str:
        """In front of the names of another client's hours in the plan; empty in the client's own tree."""

    @property
    def objections(self) -> dict[str, str]:
        """By which key callers object to being recorded, by node, as far as the nodes were built."""

    @property
    def dialling(self) -> Dialling:
        """What the client may have dialled."""

    @property
    def priority(self) -> int:
        """The client's callers' in queues, where a node says nothing else."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The client's own numbers, in E.164."""

    @property
    def lists(self) -> Mapping[str, CallerList]:
        """The client's lists of callers, and those of `shared/lists.yaml`."""

    def unknown_list(self, name: str, *path: str | int) -> None:
        """Say that there is no such list, and what was probably meant."""

    def line(self, *path: str | int) -> int:
        """Where a value is written, from 1."""

    def fail(self, message: str, *path: str | int, suggestion: str = "", name: str = "") -> None:
        """Note what is wrong with a value, and what was probably meant; `name`: of a warning, to accept it by."""

    def leads(self, node: str, verb: str, *exits: tuple[str, str | None, tuple[str | int, ...]]) -> dict[str, str]:
        """Exits of a node: name, target (None where it is not used), and the path from below the verb on."""

    def voices(
        self, prompts: Sequence[PromptBlock] | None, *path: str | int, before: tuple[PromptPart, ...] = ()
    ) -> tuple[PromptPart, ...]:
        """The sounds of prompts, and the places of values that are read aloud between them.

        `before`: what follows them at once, for both must fit into one command.
        """

    def figures(self, read_as: ReadAs, *path: str | int) -> tuple[str, ...]:
        """Sounds of figures, for a language that the switch has none of its own for."""

    def own_voice(self, text: OwnText, *path: str | int) -> tuple[Sound, ...]:
        """The sound of a sentence of our own, in the language of the call."""

    def own_counts(self, texts: Iterable[tuple[OwnText, int]], *path: str | int) -> tuple[Sound, ...]:
        """The sounds of sentences of our own with numbers; none where one of them cannot be had."""

    def days(self, written: str, *path: str | int) -> tuple[Span, ...]:
        """The days that a text stands for, as far as they are known."""

    def queue(self, name: str, *path: str | int) -> None:
        """A team's queue must be known."""

    def line_of(self, team: str, *path: str | int) -> Preference | None:
        """Whom of a team, which must be known, the client wants for callers who wait there; None: as the team does."""

    def contact(self, name: str, *path: str | int) -> Somebody | None:
        """One of the client's contacts, or of those all share."""

    def deliver(self, name: str, *path: str | int) -> str:
        """The policy or the contact that messages are for, which must be known, as the plan calls it."""

    def form(self, name: str, *path: str | int) -> Form | None:
        """One of the client's forms, for whichever calls it is."""

    def on_call(self, name: str, *path: str | int) -> Rota | Somebody | None:
        """Somebody to ring: a contact, or a rota that says who it is."""

    def identity(self, block: IdentityBlock, *path: str | int) -> Identity | None:
        """Whose number a node shows; None where it may not, as was noted."""

    def may_dial(self, number: str, *path: str | int, who: str = "") -> None:
        """A number must be one that may be dialled."""


class Verb(Struct, frozen=True, kw_only=True):
    """A verb as the documents write it. Nothing of it has a default.

    Raises:
        TypeError: the block does not say what to write for its keys (`missing`), or the name is not the node's.
    """

    name: str
    node: type[Node] | None
    """What it becomes; None: no node of its own, but the beginning of another tree, which the assembly finds."""
    block: type[Block]
    """What it may hold; its docstring and the text below each key are what editors and the reference say."""
    build: Callable[[Names, str, Any], Node | None] | None
    """Makes the node of a name from its block; None where something it cannot do without is wrong, as was noted."""
    describe: Callable[[Any], str] | None
    """What a node does, in a few words, for drawings."""

    def __post_init__(self) -> None:
        """Refuse what is said only in part."""
        if "missing" not in vars(self.block):
            raise TypeError(f"{self.block.__name__} leaves out missing")
        if (self.node is None) is not (self.build is None) or (self.node is None) is not (self.describe is None):
            raise TypeError(f"{self.name} leaves out node, build or describe: a verb has all of them, or none")
        if self.node is not None and self.node.kind != self.name:
            raise TypeError(f"{self.name} becomes a {self.node.kind}: the names must be the same")


def own_name(names: Names, variable: str, *path: str) -> None:
    """A variable must not have the name of a value every call has: `{caller}` would say either."""
    if variable in BUILT_IN:
        names.fail(f"variable {shown(variable)} is a value every call has already: give yours another name", *path)


def as_whom(identity: Identity | None) -> str:
    """Whose number a node shows, after what it does; empty where it is that of the client's other calls."""
    return f", as {identity}" if identity else ""


def refuse_odd_keys(names: Names, keys: Iterable[str], *path: str) -> None:
    """Keys must be ones that a telephone has."""
    for key in keys:
        if key not in KEYS:
            names.fail(f"{shown(key)} is no key: a telephone has 0 to 9, * and #", *path, key)


def refuse_unknown_keys(names: Names, sounds: Iterable[PromptPart], keys: Container[str], *path: str | int) -> None:
    """A sentence must not ask for a key that leads nowhere."""
    asked = [key for sound in sounds for key in spoken_keys(sound.text) if key not in keys]
    for key in dict.fromkeys(asked):
        names.fail(f"the question asks for key {shown(key)}, which leads nowhere: the keys lack it", *path)
