"""What the nodes of one client are compiled with: its names, its sounds, and the list its issues go to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import MINYEAR, date

from msgspec import Struct, field
from msgspec.structs import replace

from callrouter.core import numbers
from callrouter.core.agents.preference import Preference
from callrouter.core.dialling import Dialling
from callrouter.core.effects import ReadAs, Sound
from callrouter.core.identity import Identity
from callrouter.core.numbers import CallerList
from callrouter.core.read_aloud import OF_EVERY_CALL, PromptPart, SpokenVariable
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule, Span
from callrouter.core.templates import BUILT_IN
from callrouter.dialplan.issues import Issue, Severity, closest, shown
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.languages import FIGURES, READ_BY_ASTERISK
from callrouter.dialplan.language.own_texts import ACCEPT, OwnText, counted
from callrouter.dialplan.language.prompts import STANDARD_ACCEPT, PromptBlock
from callrouter.dialplan.language.reader import Document, Key, dotted, node_name, tree_path
from callrouter.dialplan.language.sentences import pieces
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.dialplan.shared.identities import WrongIdentity, identity_of
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.shared.reading import Shared
from callrouter.dialplan.sounds import SoundSource
from callrouter.errors import SpeechError

_READ_AS = tuple(ReadAs)
LONGEST_COMMAND = 850
"""Bytes of sounds' names that the switch takes at once."""
LONGEST_SOUND_NAME = 80
"""Bytes allowed for the name of a sound, its folder included."""


_NO_BRACES = str.maketrans("", "", "{}")
"""For a client's name within a sentence: it stands for no value there."""


def _longest_bytes(parts: Sequence[PromptPart]) -> int:
    """The most the names of all sounds can take."""
    return sum([LONGEST_SOUND_NAME if isinstance(part, Sound) else part.longest_bytes for part in parts])


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


class Place(Struct, frozen=True, kw_only=True):
    """Where a node that a tree did not write itself was written."""

    document: Document
    path: Key
    included_at: str
    """`file:line` of what put it into the tree."""


class Scope(Struct, kw_only=True):
    """One client's names while it is compiled; findings are collected, never raised.

    A snippet, another client's tree and another language have scopes of their own, made by `replace`: names
    stay the includer's for a snippet, and become the other client's for its tree.
    """

    document: Document
    shared: Shared
    sounds: SoundSource
    name: str
    country: str
    language: str
    timezone: str
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
    dialling: Dialling = field(default_factory=Dialling)
    issues: list[Issue] = field(default_factory=list)
    written: Set[str] = frozenset()
    """Nodes of this tree, right or wrong, and whatever else its exits may lead to by name."""
    wrong_exits: list[Exit] = field(default_factory=list)
    """Those that lead to nothing that is written."""
    first_language: str = ""
    """The language of texts that do not say theirs; empty: whichever is spoken."""
    root: Key = ()
    """Where in the document the tree stands: empty for a client's own."""
    included_at: str = ""
    """`file:line` that put this tree where it is; empty for a client's own."""
    hours_prefix: str = ""
    """In front of the names of another client's hours."""
    places: dict[str, Place] = field(default_factory=dict)
    """Nodes of the plan that were written elsewhere, by name."""
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    """Whom the client wants, by team of which it does not want what the team does."""
    objections: dict[str, str] = field(default_factory=dict)
    """By which key callers object to being recorded, by node; of all its trees."""
    waited_in: set[str] = field(default_factory=set)
    """Teams for which its callers may wait, as far as its nodes were built."""
    derived: dict[str, Preference] = field(default_factory=dict)
    """Queues of the PBX that the plan needs and that are derived from a team's, by name; of all its trees."""

    def line(self, *path: str | int) -> int:
        """The line of a value of this tree."""
        return self.document.line(*self.root, *path) if self.root else self.document.line(*path)

    def known(self, *path: str | int) -> Key:
        """The part of a path that the tree holds."""
        return self.document.known(*self.root, *path)[len(self.root) :]

    def at(self, *path: str | int) -> str:
        """File and line of a value of this tree."""
        return f"{self.document.file}:{self.line(*path)}"

    def fail(
        self,
        message: str,
        *path: str | int,
        suggestion: str = "",
        severity: Severity = Severity.ERROR,
        name: str = "",
        dated: bool = False,
    ) -> None:
        """Note what is wrong with the value at a path; a node's name may be the one it has in the plan.

        `name`: of a warning, what the file may accept it by; `dated`: time alone brought it about.
        """
        document, full, included_at = self.document, (*self.root, *path), self.included_at
        if path[:1] == ("nodes",) and len(path) > 1 and (place := self.places.get(str(path[1]))):
            document, full, included_at = place.document, (*place.path, *path[2:]), place.included_at
        known = document.known(*full)
        self.issues.append(
            Issue(
                file=document.file,
                line=document.line(*full),
                node=node_name(known),
                field=dotted(tree_path(known)),
                message=f"{message} (put here by {included_at})" if included_at else message,
                suggestion=suggestion,
                severity=Severity.WARNING if name else severity,
                name=name,
                dated=dated,
            )
        )

    def contact(self, name: str, *path: str | int) -> Person | None:
        """One of the client's contacts, or of those all share."""
        person = self.contacts.get(name) or self.shared.contacts.get(name)
        if person is None:
            self._unknown("contact", name, {*self.contacts, *self.shared.contacts}, "contacts", *path)
        return person

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

    def voices(
        self, prompts: Sequence[PromptBlock] | None, *path: str | int, before: tuple[PromptPart, ...] = ()
    ) -> tuple[PromptPart, ...]:
        """The sounds of prompts, and the places of values read aloud; what cannot be made or found is an issue.

        `before`: what follows them at once, for both must fit into one command.
        """
        if not prompts:
            return ()
        found: list[PromptPart] = []
        for index, prompt in enumerate(prompts):
            found += self._voice(prompt, *path, index)
        if _longest_bytes((*found, *before)) > LONGEST_COMMAND:
            where = ", with the question after it," if before else ""
            mend = "say less, or a part of it in a play of its own"
            self.fail(f"the sequence{where} is too long for one play: {mend}", *path)
        return tuple(found)

    def own_voice(self, text: OwnText, *path: str | int) -> tuple[Sound, ...]:
        """The sound of a sentence of our own; one that is not there, or cannot be made, is an issue."""
        words = self.own_text(text)
        if words is None:
            self.fail(self._untranslated(text), *path)
            return ()
        if "{" in words:
            self.fail(f"prompt {text.name} of shared/prompts.yaml holds a value in braces: none is read there", *path)
            return ()
        return self.spoken(words, *path)

    def own_counts(self, texts: Iterable[tuple[OwnText, int]], *path: str | int) -> tuple[Sound, ...]:
        """The sounds of sentences of our own, each with its number; what is not there, or cannot be made, is an issue,
        and then there is none.
        """
        found: list[Sound] = []
        for text, count in texts:
            words = self.own_text(text)
            if words is None:
                self.fail(self._untranslated(text), *path)
                return ()
            if "{" in (words := counted(words, count)):
                wrong = (
                    f"prompt {text.name} of shared/prompts.yaml holds a value in braces: {{count}} alone is read there"
                )
                self.fail(wrong, *path)
                return ()
            if not (sound := self.spoken(words, *path)):
                return ()
            found += sound
        return tuple(found)

    def spoken(self, words: str, *path: str | int) -> tuple[Sound, ...]:
        """The sound of a sentence in the client's language; one that cannot be made is an issue."""
        try:
            return (self.sounds.say(words, self.language),)
        except SpeechError as error:
            self.fail(str(error), *path)
            return ()

    def _voice(self, prompt: PromptBlock, *path: str | int) -> Sequence[PromptPart]:
        scope = self if prompt.language is None else self.spoken_in(prompt.language)
        return scope._part(prompt, *path)

    def spoken_in(self, language: str | None) -> Scope:
        """As it is for a part with a language of its own: its texts are written in that one; None: it has none."""
        return self if language is None else replace(self, language=language, first_language="")

    def _part(self, prompt: PromptBlock, *path: str | int) -> Sequence[PromptPart]:
        say = prompt.say
        plain = type(say) is str and "{" not in say  # nearly every prompt: a sentence, and nothing read aloud in it
        read_as = None if plain else next((kind for kind in _READ_AS if getattr(prompt, kind) is not None), None)
        if read_as is not None:
            return (self._value(getattr(prompt, read_as), read_as, *path, read_as),)
        text, part = self.text(prompt), "sound" if prompt.say is None else "say"
        if prompt.say is not None and text is None:
            written = ", ".join(prompt.say) if isinstance(prompt.say, dict) else self.first_language
            missing = f"the text is written in {written} only, and callers come here in {self.language}"
            self.fail(f"{missing}: write {{ {written}: …, {self.language}: … }}", *path, part)
            return ()
        try:
            return (self._named(prompt.sound or ""),) if text is None else self._sentence(text, *path, part)
        except SpeechError as error:
            self.fail(str(error), *path, part)
            return ()

    def _sentence(self, text: str, *path: str | int) -> Sequence[PromptPart]:
        if "{" not in text:
            return (self.sounds.say(text, self.language),)
        return [
            self.sounds.say(piece, self.language)
            if isinstance(piece, str)
            else self._value(piece.variable, piece.read_as, *path)
            for piece in pieces(text)
        ]

    def _value(self, variable: str, read_as: ReadAs, *path: str | int) -> SpokenVariable:
        if variable in BUILT_IN and (variable not in OF_EVERY_CALL or read_as not in (ReadAs.TELEPHONE, ReadAs.DIGITS)):
            wrong = "is a telephone number" if variable in OF_EVERY_CALL else "is a text, which cannot be read aloud"
            self.fail(f"{variable} {wrong}", *path)
        return SpokenVariable(
            variable=variable,
            read_as=read_as,
            language=self.language,
            timezone=self.timezone,
            region=self.country,
            figures=self.figures(read_as, *path),
        )

    def figures(self, read_as: ReadAs, *path: str | int) -> tuple[str, ...]:
        """Sounds of figures, for a language that Asterisk's own sounds do not read: `FIGURES`, spoken."""
        if self.language in READ_BY_ASTERISK:
            return ()
        if read_as not in (ReadAs.DIGITS, ReadAs.TELEPHONE):
            known = " and ".join(READ_BY_ASTERISK)
            self.fail(f"a {read_as} is read aloud in {known} only, not in {self.language}; digits are", *path)
            return ()
        try:
            return tuple([self.sounds.say(figure, self.language).file for figure in FIGURES])
        except SpeechError as error:
            self.fail(str(error), *path)
            return ()

    def own_text(self, text: OwnText) -> str | None:
        """A sentence of our own: as `shared/prompts.yaml` has it, or as we do; None: nobody has translated it."""
        written = self.shared.prompts.get(text.name, {}).get(self.language)
        return written or text.said(self.language, name=self.name.translate(_NO_BRACES))

    def _untranslated(self, text: OwnText) -> str:
        return (
            f"there is no sentence of callrouter's own in {self.language} for this ({text.meaning}):"
            f" write it as prompt {text.name} of shared/prompts.yaml, {{ {self.language}: … }}"
        )

    def text(self, prompt: PromptBlock) -> str | None:
        """What is to be said, where it is a text: written here, shared, or one of our own."""
        say = prompt.say
        if isinstance(say, dict):
            return say.get(self.language)
        if say is not None:
            return say if self.language == (self.first_language or self.language) else None
        if prompt.sound == STANDARD_ACCEPT:
            return self.own_text(ACCEPT)
        return self.shared.prompts.get(prompt.sound or "", {}).get(self.language)

    def _named(self, name: str) -> Sound:
        if name == STANDARD_ACCEPT:
            raise SpeechError(f"{self._untranslated(ACCEPT)}; or write screen: {{ say: … }}")
        if name in self.shared.prompts:
            languages = ", ".join(sorted(self.shared.prompts[name]))
            raise SpeechError(
                f"prompt {shown(name)} of shared/prompts.yaml is written in {languages} only, not in {self.language}"
            )
        if name in self.shared.bad.get("prompts", ()):
            raise SpeechError(f"prompt {shown(name)} is refused: mend it in shared/prompts.yaml first")
        if "prompts" in self.shared.refused:
            raise SpeechError(
                f"prompt {shown(name)} cannot be looked up: shared/prompts.yaml is refused, mend that first"
            )
        return self.sounds.sound(name, self.language)

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
