"""What the nodes of one client are compiled with: its names, its sounds, and the list its issues go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callrouter.core.effects import Sound
from callrouter.core.numbers import CallerList
from callrouter.core.schedule import Schedule
from callrouter.dialplan.issues import Issue, Severity, closest, shown
from callrouter.dialplan.reader import Document, dotted, node_name
from callrouter.dialplan.sentences import ACCEPT
from callrouter.dialplan.shared import Person, Shared
from callrouter.dialplan.sounds import SoundSource
from callrouter.dialplan.verbs import STANDARD_ACCEPT, PromptBlock
from callrouter.errors import SpeechError


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """An exit as it was written: where it leads, and what a person calls it."""

    node: str
    name: str
    target: str
    label: str
    line: int
    field: str


@dataclass(kw_only=True)
class Scope:
    """One client's names while it is compiled; findings are collected, never raised."""

    document: Document
    shared: Shared
    sounds: SoundSource
    name: str
    country: str
    language: str
    timezone: str
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    lists: Mapping[str, CallerList] = field(default_factory=dict)
    contacts: Mapping[str, Person] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)

    def fail(self, message: str, *path: str | int, suggestion: str = "", severity: Severity = Severity.ERROR) -> None:
        """Note what is wrong with the value at a path."""
        known = self.document.known(*path)
        self.issues.append(
            Issue(
                file=self.document.file,
                line=self.document.line(*path),
                node=node_name(known),
                field=dotted(known),
                message=message,
                suggestion=suggestion,
                severity=severity,
            )
        )

    def contact(self, name: str, *path: str | int) -> Person | None:
        """One of the client's contacts, or of those all share."""
        person = self.contacts.get(name) or self.shared.contacts.get(name)
        if person is None:
            self._unknown("contact", name, {*self.contacts, *self.shared.contacts}, "contacts", *path)
        return person

    def queue(self, name: str, *path: str | int) -> None:
        """A team's queue must be known."""
        if name not in self.shared.queues:
            self._unknown("queue", name, set(self.shared.queues), "queues", *path)

    def _unknown(self, kind: str, name: str, known: set[str], shared: str, *path: str | int) -> None:
        if shared in self.shared.refused:
            file = self.shared.refused[shared]
            self.fail(f"{kind} {shown(name)} cannot be looked up: {file} is refused, mend that first", *path)
            return
        suggestion = closest(name, known)
        self.fail(f"{kind} {shown(name)} is not in shared/{shared}.yaml", *path, suggestion=suggestion)

    def voices(self, prompts: Sequence[PromptBlock] | None, *path: str | int) -> tuple[Sound, ...]:
        """The sounds of prompts; one that cannot be made or found is an issue."""
        found: list[Sound] = []
        for index, prompt in enumerate(prompts or ()):
            text = self.text(prompt)
            part = "sound" if prompt.say is None else "say"
            try:
                if text is not None:
                    found.append(self.sounds.say(text, self.language))
                else:
                    found.append(self._named(prompt.sound or ""))
            except SpeechError as error:
                self.fail(str(error), *path, index, part)
        return tuple(found)

    def text(self, prompt: PromptBlock) -> str | None:
        """What is to be said, where it is a text: written here, shared, or one of our own."""
        if prompt.say is not None:
            return prompt.say
        if prompt.sound == STANDARD_ACCEPT:
            return ACCEPT[self.language].format(name=self.name)
        return self.shared.prompts.get(prompt.sound or "", {}).get(self.language)

    def _named(self, name: str) -> Sound:
        if name in self.shared.prompts:
            languages = ", ".join(sorted(self.shared.prompts[name]))
            raise SpeechError(
                f"prompt {shown(name)} of shared/prompts.yaml is written in {languages} only, not in {self.language}"
            )
        if "prompts" in self.shared.refused:
            raise SpeechError(
                f"prompt {shown(name)} cannot be looked up: shared/prompts.yaml is refused, mend that first"
            )
        return self.sounds.sound(name, self.language)

    def leads(self, node: str, verb: str, *exits: tuple[str, str | None, tuple[str | int, ...]]) -> dict[str, str]:
        """Exits of a node: name, target (None where it is not used), and the path behind the verb."""
        used: dict[str, str] = {}
        for name, target, path in exits:
            if target is None:
                continue
            full = ("nodes", node, verb, *path)
            used[name] = target
            self.exits.append(
                Exit(
                    node=node,
                    name=name,
                    target=target,
                    label=_label(name, path),
                    line=self.document.line(*full),
                    field=dotted(self.document.known(*full)),
                )
            )
        return used


def _label(name: str, path: tuple[str | int, ...]) -> str:
    """What the exit is called in the document: the key of a menu, the list of callers, the condition's number."""
    kind, colon, value = name.partition(":")
    if kind == "when" and colon:
        return f"when {int(value) + 1}"
    return value if colon else str(path[0])
