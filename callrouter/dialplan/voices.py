"""What the texts of a document sound like: prompts, sentences of our own, and values read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from msgspec.structs import replace

from callrouter.core.effects import ReadAs, Sound
from callrouter.core.read_aloud import OF_EVERY_CALL, PromptPart, SpokenVariable
from callrouter.core.templates import BUILT_IN
from callrouter.dialplan.document_part import DocumentPart
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.languages import FIGURES, READ_BY_ASTERISK
from callrouter.dialplan.language.own_texts import ACCEPT, OwnText, counted
from callrouter.dialplan.language.prompts import STANDARD_ACCEPT, PromptBlock
from callrouter.dialplan.language.sentences import pieces
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


class Voices(DocumentPart, kw_only=True):
    """A part of a document with the language it is spoken in; what cannot be spoken is an issue."""

    shared: Shared
    sounds: SoundSource
    name: str
    country: str
    language: str
    timezone: str
    first_language: str = ""
    """The language of texts that do not say theirs; empty: whichever is spoken."""

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

    def spoken_in(self, language: str | None) -> Self:
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
