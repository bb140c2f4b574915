"""What a node says of itself, so that nothing else has to know which verb it is.

The proof, `route --all`, `diff`, the drawings and the command line ask `node.about()`, and treat a node by the answer.
An `About` has no part that may be left out: a verb that reads nothing says `Reads()`. Each verb's case file states what
its nodes answer, and `tests/core/nodes/test_about.py` holds the answers against what the nodes do.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from enum import Enum, Flag, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from callrouter.core.agents.preference import team_of
from callrouter.core.call import Call
from callrouter.core.conditions import Condition, OfTheOffer
from callrouter.core.effects import Effect, EnterQueue, LookAtQueues
from callrouter.core.numbers import CallerList
from callrouter.core.rota import Contact, Rota

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

Path = tuple[str | int, ...]
"""Where something is written, from below the verb on: `("contacts", 0)`."""

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})

SENT: Final = ""
"""In `About.unheard`: a field that is part of what a web service is sent."""


WHOSE_NUMBER: Final = "the number that whoever is rung sees"
"""In `About.unheard`: of nodes that ring somebody outside."""


class Family(Enum):
    """What a node is there for, as far as callers and drawings care."""

    ASKS = auto()
    """It asks the caller for keys, and goes by them."""
    DECIDES = auto()
    """It goes by what is known already."""
    REACHES = auto()
    """It puts the caller through to somebody; where nothing follows, the call ends with the conversation."""
    KEEPS = auto()
    """It keeps what the caller wants, for somebody to see to later."""
    REFUSES = auto()
    ENDS = auto()
    DOES = auto()
    """It does something besides, and goes on."""


class LeftBy(Flag):
    """What may take a call out of a node by one of its exits; several where several may."""

    NOTHING = auto()
    """To have entered it is enough: the call may pass at once."""
    TIME = auto()
    """A prompt is over; nobody need do anything."""
    SILENCE = auto()
    """The caller was asked, and says or presses nothing."""
    WRONG_KEYS = auto()
    """The caller presses what means nothing there."""
    KEY = auto()
    """The caller presses a key that means something."""
    SPEECH = auto()
    """The caller says something after a beep."""
    OTHERS = auto()
    """Somebody else: an agent, whoever is rung, a web service."""


class Reads(Struct, frozen=True, kw_only=True, gc=False):
    """What of a call decides how it goes on, besides its variables' values and the caller's keys."""

    lists: tuple[CallerList, ...] = ()
    """Lists of callers, in the order asked."""
    own_number: bool = False
    """The very number that calls."""
    hours: str = ""
    """A set of hours of the plan, by name."""
    holidays: bool = False
    """Whether its public holidays differ from other closed days."""
    rotas: tuple[Rota, ...] = ()
    conditions: tuple[Condition, ...] = ()
    """All it asks, in order: of variables, days, shares of the calls, queues."""

    @property
    def of_the_offer(self) -> bool:
        """Whether it reads who calls, which number, when, or what is drawn."""
        return bool(
            self.lists or self.own_number or self.hours or self.rotas or any(map(_is_of_the_offer, self.conditions))
        )

    def seen(self, plan: Plan, call: Call, at: datetime) -> Hashable:
        """What it reads of who calls, which number, when and what is drawn: calls alike in this are alike to it."""
        found: list[Hashable] = []
        if self.lists:
            found.append(next((one.name for one in self.lists if one.match(call.caller)), None))
        if self.own_number:
            found.append(call.caller.number)
        if self.hours:
            now = plan.schedules[self.hours].at(at)
            found.append((now.open, self.holidays and now.holiday))
        found.extend(rota.at(at) for rota in self.rotas)
        found.extend(bool(one.holds(plan, call, at)) for one in self.conditions if isinstance(one, OfTheOffer))
        return tuple(found)


def _is_of_the_offer(condition: Condition) -> bool:
    return isinstance(condition, OfTheOffer)


class Needed(Struct, frozen=True, kw_only=True, gc=False):
    """A variable that must be set on every way to the node."""

    variable: str
    path: Path = ()
    """Where it is used."""


class Variables(Struct, frozen=True, kw_only=True, gc=False):
    """What a node does with variables."""

    needed: tuple[Needed, ...] = ()
    """Those whose value it uses, whatever it is."""
    compared: frozenset[str] = frozenset()
    """Those of which a value, or that there is none, decides how the call goes on."""
    longest: Mapping[str, int] = _NONE
    """Those it may set, and the longest value of each in characters."""
    known_after: Mapping[str, frozenset[str]] = _NONE
    """By exit: those that are surely set when the node was left by it, and that it made sure of itself."""


class Ring(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody a node rings."""

    whom: Contact | Rota | str
    """A contact, a rota that says who it is, or a number by itself, in E.164."""
    path: Path

    @property
    def numbers(self) -> tuple[tuple[str, str], ...]:
        """Whose telephone may ring: name (empty for a number by itself) and number."""
        if isinstance(self.whom, str):
            return (("", self.whom),)
        people = self.whom.people() if isinstance(self.whom, Rota) else (self.whom,)
        return tuple((one.name, one.number) for one in people)


class Address(Struct, frozen=True, kw_only=True, gc=False):
    """A web service, and what it takes to be let in."""

    url: str
    """With `x` for the value of each variable, none of which is part of the host."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets it is sent."""


class Uses(Struct, frozen=True, kw_only=True, gc=False):
    """Whom and what outside the tree a node names; queues stand in what it does."""

    rings: tuple[Ring, ...] = ()
    at_once: bool = False
    """Whether all of them are rung together, and not one after the other."""
    asks: tuple[Address, ...] = ()
    """Web services that are asked while the caller waits."""
    tells: tuple[str, ...] = ()
    """Addresses of those who are told something afterwards."""
    calls_back_from: tuple[str, ...] = ()
    """Queues at the PBX whose agents call back afterwards."""
    delivers: str = ""
    """The policy or the contact that messages are for which are taken here; empty: none are, or nobody is named."""


class Effort(Struct, frozen=True, kw_only=True, gc=False):
    """What a node costs a caller who wants to get through."""

    keys: int = 0
    """Keys that must be pressed here at least."""
    seconds: float = 0.0
    """What is said before the caller can go on, where that is not what they chose to hear."""


class About(Struct, frozen=True, kw_only=True, gc=False):
    """All that others need to know of a node. Each verb states every part."""

    family: Family
    left_by: Mapping[str, LeftBy]
    """For each exit the node has."""
    does: tuple[Effect, ...]
    """Each kind of effect it may ask for, as far as it is known before a call: which queues, whom it may ring."""
    reads: Reads
    variables: Variables
    uses: Uses
    effort: Effort
    unheard: Mapping[str, str]
    """Fields whose change no caller hears at once, and what a person calls them; or `SENT`."""

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues it has callers wait in."""
        return tuple(effect.queue for effect in self.does if isinstance(effect, EnterQueue))

    @property
    def queues_seen(self) -> tuple[str, ...]:
        """Queues it looks at."""
        return tuple(queue for effect in self.does if isinstance(effect, LookAtQueues) for queue in effect.queues)

    @property
    def queues_named(self) -> tuple[str, ...]:
        """All teams whose queues it names."""
        return (*self.queues, *self.queues_seen, *map(team_of, self.uses.calls_back_from))

    @property
    def pbx_queues(self) -> tuple[str, ...]:
        """All queues that the PBX must have for it, those derived from a team's among them."""
        entered = (effect.pbx_queue for effect in self.does if isinstance(effect, EnterQueue))
        return (*entered, *self.queues_seen, *self.uses.calls_back_from)


class NumberAsked(Struct, frozen=True, kw_only=True, gc=False):
    """A number that is keyed into a variable."""

    variable: str
    min_digits: int
    max_digits: int


class Question(Struct, frozen=True, kw_only=True, gc=False):
    """What may be keyed where a node asks for keys; silence besides."""

    keys: tuple[str, ...] = ()
    """What means something, in the order written."""
    number: NumberAsked | None = None
    """Any number is wanted."""
    seldom: tuple[str, ...] = ()
    """What means something too, or is a mistake, and is keyed by few."""
    wrong: str = ""
    """Keys that mean nothing there; empty where all mean something."""
