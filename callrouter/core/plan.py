"""The compiled tree a call walks: every exit resolved, every default filled, every sound found.

A plan is immutable; a call keeps the one it started with, by client and version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import asdict

from callrouter.core.agents.preference import Preference
from callrouter.core.agents.standing import WrapUp
from callrouter.core.call import Call, CallerId
from callrouter.core.dialling import Dialling
from callrouter.core.dispatch import PlanHouse, Policy, Reach, Subscription, of_contact
from callrouter.core.dispatch.monthly import MonthlyReport
from callrouter.core.effects import Briefing, Sound
from callrouter.core.forms import Form, form_for
from callrouter.core.identity import Identity
from callrouter.core.nodes._base import Node
from callrouter.core.nodes.about import About, Family
from callrouter.core.numbers import CallerList
from callrouter.core.retention.rule import NOTHING_SAID, Retention
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule
from callrouter.core.service_level import Promise, ServiceLevelTarget
from callrouter.core.transfers.targets import TransferRules

MAX_VISITS = 400
"""Nodes a call may pass in its whole life; a tree that needs more is a loop nobody gets out of."""

MAX_VISITS_WITHOUT_WAIT = 64
"""Nodes a call may pass without waiting for anything."""

MAX_MESSAGES = 8
"""Messages one caller may leave in one call."""

MAX_VARIABLES_LENGTH = 240
"""Characters all of a plan's variables may take, names and longest values together: they travel with the call."""


def names_of(node: str) -> tuple[str, ...]:
    """All names by which a node of a plan may be meant: its own, and what the documents write.

    `word/ask@en` is `word/ask` in one of the client's languages, and part of what the node `word` includes.
    """
    written = node.partition("@")[0]
    parts = written.split("/")
    return (node, *("/".join(parts[:count]) for count in range(len(parts), 0, -1)))


def variables_length(nodes: Iterable[About]) -> int:
    """The most characters that the variables of a tree can take, names and values together."""
    longest: dict[str, int] = {}
    for about in nodes:
        for name, length in about.variables.longest.items():
            longest[name] = max(length, longest.get(name, 0))
    return sum(len(name) + length for name, length in longest.items())


class Plan(Struct, frozen=True, kw_only=True, dict=True):
    """One client's dialplan, compiled."""

    client: str
    """The client's identifier, [a-z0-9-]+."""
    formerly: tuple[str, ...] = ()
    """Identifiers it had before; what is recorded under them is the client's too."""
    name: str
    version: str
    """Short hash of all the client's documents."""
    numbers: tuple[str, ...]
    """DIDs in E.164."""
    timezone: str
    language: str
    holidays: tuple[str, ...] = ()
    """Whose public holidays its days are called by: `FR`, `FR-57`; those that its hours keep, else its country's."""
    start: str
    nodes: Mapping[str, Node]
    fallback: str = ""
    """The node a call goes to when something could not be done; empty: hang up."""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    service_level: ServiceLevelTarget = field(default_factory=ServiceLevelTarget)
    identity: Identity | None = None
    """Who calls when somebody outside is rung; None: nothing is declared, and Asterisk shows what it has of the
    caller."""
    dialling: Dialling | None = None
    """Which numbers may be rung for it; None: none."""
    max_calls: int = 0
    """Live calls it may have at once; 0: what the operator has set for those who do not say."""
    source: str = ""
    """The client's file, as the operations person knows it."""
    answer_phrase: str = ""
    """How agents answer for the client; whispered to them where a queue has no other brief."""
    phrase_sounds: tuple[Sound, ...] = ()
    wrap_up: WrapUp | None = None
    """How long agents are left alone after a conversation; None: as their team has it."""
    team_wrap_ups: Mapping[str, float] = field(default_factory=dict)
    """Seconds, by queue that has any."""
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    """By team: whom the client wants, where it is not what the team does."""
    derived: Mapping[str, Preference] = field(default_factory=dict)
    """By queue of the PBX that is derived from a team's: what the client wants of the team, and what those clients do
    whose trees are part of this one.
    """

    transfers: TransferRules = field(default_factory=TransferRules)
    """Where agents may give its callers to."""
    contacts: Mapping[str, str] = field(default_factory=dict)
    """Whom a message may be for: the client's contacts and those all share, by name what a person calls them."""
    forms: tuple[Form, ...] = ()
    """What is asked of its callers for a message that somebody writes down, in the file's order."""
    form_lists: Mapping[str, CallerList] = field(default_factory=dict)
    """The lists of callers that its forms ask, by name."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """What becomes of messages, by the name that `deliver` calls it by."""
    people: Mapping[str, Reach] = field(default_factory=dict)
    """Where its contacts are reached: those that messages may be for, and those who may be on call."""
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    """Those that its policies tell."""
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    """Other systems that are told what happens, by name."""
    reports: tuple[MonthlyReport, ...] = ()
    """Who is sent a report of each month."""
    retention: Retention = NOTHING_SAID
    """For how long what is kept, where the file says it."""

    def policy_for(self, deliver: str) -> Policy | None:
        """What becomes of a message for a policy or a contact; None: there is neither."""
        if deliver in self.policies:
            return self.policies[deliver]
        reach = self.people.get(deliver)
        return of_contact(reach) if reach is not None else None

    def kind_of(self, call: Call) -> str:
        """The node that puts a caller through, or was the last to do so; empty: none has."""
        passed = (call.node, *(visit.node for visit in reversed(call.visits)))
        about = self.about
        return next((node for node in passed if node in about and about[node].family is Family.REACHES), "")

    def form_for(self, *, at: datetime, caller: CallerId | None = None, kind: str = "") -> Form | None:
        """The form for a message of a caller, at an aware instant; None: no form of the client's is for it.

        `kind` is what `kind_of` says of the call. Without a call there is no caller whom a list could hold.
        """

        def in_list(name: str) -> bool:
            return caller is not None and bool(self.form_lists[name].match(caller))

        return form_for(self.forms, at=at, schedules=self.schedules, in_list=in_list, kind=kind)

    @property
    def house(self) -> PlanHouse:
        """What is asked of it when a step of a message begins."""
        return PlanHouse(people=self.people, rotas=self.rotas, schedules=self.schedules, timezone=self.timezone)

    def briefing(self, queue: str) -> Briefing:
        """What an agent of a queue is shown of this client, and left alone for afterwards."""
        team = self.team_wrap_ups.get(queue, 0.0)
        wrap_up = self.wrap_up or WrapUp(answered_seconds=team, transferred_seconds=team)
        return Briefing(client=self.client, name=self.name, phrase=self.answer_phrase, wrap_up=wrap_up)

    def where(self, node: str) -> str:
        """A node and its place, for a person; just its name when the plan does not have it."""
        place = self.place(node)
        return f"{node} ({place})" if place else node

    def place(self, node: str) -> str:
        """File and line of a node, and of what put it into this tree; empty when they are not known."""
        found = self.nodes.get(node)
        file = found.source or self.source if found else ""
        if not found or not found.line or not file:
            return ""
        return f"{file}:{found.line}" + (f", from {found.included_at}" if found.included_at else "")

    @cached_property
    def promise(self) -> Promise:
        """What the client is promised, as kept with this version: reports judge its calls by it."""
        return Promise(**asdict(self.service_level), timezone=self.timezone)

    @cached_property
    def about(self) -> Mapping[str, About]:
        """What each node says of itself, by name; for those who look at trees, not for calls."""
        return {name: node.about() for name, node in self.nodes.items()}

    @cached_property
    def node_index(self) -> Mapping[str, int]:
        """Position of each node, in the document's order: what the serialised call writes for a name."""
        return {name: index for index, name in enumerate(self.nodes)}

    @cached_property
    def node_names(self) -> tuple[str, ...]:
        """The reverse of `node_index`."""
        return tuple(self.nodes)

    @cached_property
    def shape(self) -> str:
        """Changes with the nodes' names and their order: by these a serialised call is read."""
        return hashlib.sha256("\0".join(self.nodes).encode()).hexdigest()[:12]
