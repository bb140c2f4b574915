"""What the nodes of one client are compiled with: what its names mean, where it is written, and how it sounds."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import MINYEAR, date

from msgspec import Struct, field

from callrouter.core import numbers
from callrouter.core.agents.preference import Preference
from callrouter.core.dialling import Dialling
from callrouter.core.dispatch import Policy
from callrouter.core.forms import Form
from callrouter.core.identity import Identity
from callrouter.core.numbers import CallerList
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule, Span
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.reader import Document, Key, dotted, tree_path
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.dialplan.shared.identities import WrongIdentity, identity_of
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.voices import Voices


def _allowing(number: str, country: str) -> str:
    """What lets a number be dialled, if it is meant."""
    where = "of the client or of shared/dialling.yaml if it is meant"
    abroad = numbers.country_of(number)
    if abroad and abroad != country and not numbers.is_home(number, country):
        return f"add {abroad} to dialling.countries {where}"
    return f"add it to dialling.prefixes {where}"


class Exit(Struct, frozen=True, kw_only=True):
    """An exit as it was written, and where it leads."""

    node: str
    name: str
    target: str
    document: Document
    root: Key
    path: Key
    """The path after the verb."""
    verb: str

    @property
    def label(self) -> str:
        """What a person calls it: the key of a menu, the list of callers, the condition's number."""
        kind, colon, value = self.name.partition(":")
        if kind == "when" and colon:
            return f"when {int(value) + 1}"
        return value if colon else str(self.path[0])

    @property
    def line(self) -> int:
        """Where it is written."""
        return self.document.line(*self._full)

    @property
    def field(self) -> str:
        """Its path in the document, dotted."""
        return dotted(tree_path(self.document.known(*self._full)))

    @property
    def _full(self) -> Key:
        return (*self.root, "nodes", self.node, self.verb, *self.path)


class NameScope(Voices, kw_only=True):
    """One client's names while it is compiled.

    A snippet, another client's tree and another language have scopes of their own, made by `replace`: names
    stay the includer's for a snippet, and become the other client's for its tree.
    """

    almanac: Almanac = field(default_factory=lambda: Almanac(codes=(), year=MINYEAR))
    """Whose public holidays the client means."""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    """The client's own, in E.164."""
    today: date = date.min
    priority: int = 0
    """Of the client's callers in queues, where a node says nothing else."""
    lists: Mapping[str, CallerList] = field(default_factory=dict)
    contacts: Mapping[str, Person] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    """What is asked for messages, without the calls it is for: those hang on the tree."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """What becomes of messages, by the name that the document gives it."""
    named_for: set[str] = field(default_factory=set)
    """Policies and contacts that messages are for, as far as forms and nodes were built."""
    shadowed: Set[str] = frozenset()
    """Of another client's tree: names of contacts and policies that mean others in the plan."""
    dialling: Dialling = field(default_factory=Dialling)
    written: Set[str] = frozenset()
    """Nodes of this tree, right or wrong, and whatever else its exits may lead to by name."""
    wrong_exits: list[Exit] = field(default_factory=list)
    """Those that lead to nothing that is written."""
    hours_prefix: str = ""
    """In front of the names of another client's hours, and of its contacts and policies."""
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    """Whom the client wants, by team of which it does not want what the team does."""
    objections: dict[str, str] = field(default_factory=dict)
    """By which key callers object to being recorded, by node; of all its trees."""
    waited_in: set[str] = field(default_factory=set)
    """Teams for which its callers may wait, as far as its nodes were built."""
    derived: dict[str, Preference] = field(default_factory=dict)
    """Queues of the PBX that the plan needs and that are derived from a team's, by name; of all its trees."""

    def contact(self, name: str, *path: str | int) -> Person | None:
        """One of the client's contacts, or of those all share."""
        person = self.contacts.get(name) or self.shared.contacts.get(name)
        if person is None:
            self._unknown("contact", name, {*self.contacts, *self.shared.contacts}, "contacts", *path)
        return person

    def deliver(self, name: str, *path: str | int) -> str:
        """The policy or the contact that messages are for, as the plan calls it; what nobody has is noted."""
        self.named_for.add(name)
        if name in self.policies:
            return self.called(name)
        if name in self.shared.rotas and name not in self.contacts and name not in self.shared.contacts:
            mend = 'name a policy, written under "delivery", with a step that tells it'
            self.fail(f"{shown(name)} is a rota, and messages are for a contact or a policy: {mend}", *path)
            return name
        person = self.contacts.get(name) or self.shared.contacts.get(name)
        if person is None:
            self._unknown("contact", name, {*self.contacts, *self.shared.contacts, *self.policies}, "contacts", *path)
        elif not person.reach.means:
            wrong = f"contact {shown(name)} has neither email nor url, and is told of no message by itself"
            self.fail(f"{wrong}: it stands on the agents' list", *path, name="nobody-told")
        return self.called(name)

    def called(self, name: str) -> str:
        """What the plan calls a contact, a rota or a policy of the document."""
        own = name in self.contacts or name in self.policies or name in self.shadowed
        return self.hours_prefix + name if own else name

    def whom(self, name: str) -> Person | Rota | None:
        """A contact, the client's own before one that all share, or a rota; None: nobody is called so."""
        return self.contacts.get(name) or self.shared.contacts.get(name) or self.shared.rotas.get(name)

    def form(self, name: str, *path: str | int) -> Form | None:
        """One of the client's forms, for whichever calls it is."""
        found = self.forms.get(name)
        if found is None:
            wrong = f"the client has no form called {shown(name)}"
            known = "" if self.forms else ': write it under "forms"'
            self.fail(wrong + known, *path, suggestion=closest(name, self.forms))
        return found

    def on_call(self, name: str, *path: str | int) -> Rota | Person | None:
        """Somebody to ring: a contact, or a rota that says who it is."""
        rota = self.shared.rotas.get(name)
        if rota is not None and name not in self.contacts and name not in self.shared.contacts:
            return rota
        if name in self.contacts or name in self.shared.contacts:
            return self.contact(name, *path)
        if name in self.shared.bad.get("rotas", ()):
            self.fail(f"rota {shown(name)} is refused: mend it in shared/calendars.yaml first", *path)
            return None
        if "calendars" in self.shared.refused:
            file = self.shared.refused["calendars"]
            self.fail(f"contact {shown(name)} may be a rota of {file}, which is refused: mend that first", *path)
            return None
        self._unknown("contact", name, {*self.contacts, *self.shared.contacts, *self.shared.rotas}, "contacts", *path)
        return None

    def may_dial(self, number: str, *path: str | int, who: str = "") -> None:
        """A number must be one that may be dialled; an empty one stands for somebody who is blamed elsewhere."""
        if not number:
            self.fail(f"{who or 'somebody'} has no telephone number that is known: mend that first", *path)
        elif refusal := self.dialling.refusal(number):
            whose = f"{who}: " if who else ""
            mend = _allowing(number, self.country)
            if self.dialling.is_refused(number):
                mend = "take that out of refused in shared/dialling.yaml if it is meant; prefixes cannot allow it"
            self.fail(f"{whose}{number} may not be dialled: {refusal}; {mend}", *path)

    def identity(self, block: IdentityBlock | None, *path: str | int) -> Identity | None:
        """Whose number is shown; None where that is not declared, or may not be shown, as is noted."""
        found = identity_of(block, self.shared.trunk, self.numbers, self.country, self.today)
        if isinstance(found, WrongIdentity):
            self.fail(f"identity: {found.message}", *path, *((found.key,) if found.key else ()))
            return None
        return found

    def days(self, written: str, *path: str | int) -> tuple[Span, ...]:
        """The days that a text stands for, as far as they are known."""
        try:
            return self.almanac.spans(written)
        except ValueError as error:
            self.fail(str(error), *path)
            return ()

    def queue(self, name: str, *path: str | int) -> None:
        """A team's queue must be known."""
        if name not in self.shared.queues:
            self._unknown("queue", name, set(self.shared.queues), "queues", *path)

    def line_of(self, team: str, *path: str | int) -> Preference | None:
        """Whom of a team, which must be known, the client wants for callers who wait there; None: as the team does."""
        self.queue(team, *path)
        self.waited_in.add(team)
        preference = self.preferences.get(team)
        if preference is not None:
            self.derived[preference.queue] = preference
        return preference

    def calendar(self, name: str, *path: str | int) -> None:
        """Say that a shared calendar is not there."""
        self._unknown("calendar", name, set(self.shared.calendars), "calendars", *path)

    def unknown_list(self, name: str, *path: str | int) -> None:
        """Say that a list is neither the client's nor shared."""
        if self.shared.lists or "lists" in self.shared.refused or name in self.shared.bad.get("lists", ()):
            self._unknown("list", name, set(self.lists), "lists", *path)
        else:
            self.fail(f"the client has no list called {shown(name)}", *path, suggestion=closest(name, self.lists))

    def _unknown(self, kind: str, name: str, known: set[str], shared: str, *path: str | int) -> None:
        if shared in self.shared.refused:
            file = self.shared.refused[shared]
            self.fail(f"{kind} {shown(name)} cannot be looked up: {file} is refused, mend that first", *path)
            return
        if name in self.shared.bad.get(shared, ()):
            self.fail(f"{kind} {shown(name)} is refused: mend it in shared/{shared}.yaml first", *path)
            return
        suggestion = closest(name, known)
        self.fail(f"{kind} {shown(name)} is not in shared/{shared}.yaml", *path, suggestion=suggestion)

    def leads(self, node: str, verb: str, *exits: tuple[str, str | None, tuple[str | int, ...]]) -> dict[str, str]:
        """Exits of a node: name, target (None where it is not used), and the path after the verb."""
        used: dict[str, str] = {}
        for name, target, path in exits:
            if target is not None:
                used[name] = target
                if target not in self.written:
                    self.wrong_exits.append(
                        Exit(
                            node=node,
                            name=name,
                            target=target,
                            document=self.document,
                            root=self.root,
                            path=path,
                            verb=verb,
                        )
                    )
        return used
