"""Prompts as the documents write them, and what follows silence and wrong keys."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Line,
    Name,
    OneOrMany,
    Read,
    Retries,
    Target,
    Words,
    as_list,
)
from callrouter.dialplan.language.languages import LANGUAGES, language_code
from callrouter.dialplan.language.own_texts import OwnText

Language = Annotated[str, Read(language_code, {"enum": list(LANGUAGES)})]

STANDARD_ACCEPT = "(accept)"
"""Name of the standard sentence that asks a called party to accept."""


def _retry(value: object) -> object:
    """`no_input: secretaries` for `no_input: { then: secretaries }`."""
    return {"then": value} if isinstance(value, str) else value


def _said(value: object) -> object:
    """A plain sentence for `{ say: … }`."""
    return {"say": value} if isinstance(value, str) else value


class _OrText:
    """Lets editors accept a text for the mapping it abbreviates."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """The mapping, or a text."""
        return {"anyOf": [handler(core_schema), {"type": "string", "minLength": 1}]}


PART_KINDS = ("say", "sound", "digits", "telephone", "number", "date", "time")
"""What a part of a prompt may be."""


class PromptBlock(Block):
    """A text to say, a sound or shared prompt by name, or a value read aloud."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in PART_KINDS]})

    say: Words | None = None
    """The text to speak: one sentence, or one for each of the client's languages (`{ fr: …, en: … }`)."""
    sound: Line | None = None
    """A prompt of `shared/prompts.yaml`, or a sound file by name, without suffix."""
    digits: Name | None = None
    """A variable whose digits are read one by one."""
    telephone: Name | None = None
    """A telephone number: a variable, `caller` or `did`."""
    number: Name | None = None
    """A variable that is read as a whole number."""
    date: Name | None = None
    """A variable that is read as a day (`2026-11-24`)."""
    time: Name | None = None
    """A variable that is read as a time of day (`14:30`)."""
    language: Language | None = None
    """The language, and so the voice, of this part alone, whatever the call is in."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in PART_KINDS) != 1:
            raise ValueError(f"must hold exactly one of {', '.join(PART_KINDS)}")
        if self.language is not None and isinstance(self.say, dict):
            raise ValueError("says in which language it is: write one sentence, in that language")
        return self


class OwnWordsBlock(Block):
    """A block for which sentences of our own are said, each with its number."""

    def own_words(self) -> tuple[tuple[OwnText, int], ...]:
        """All of them."""
        raise NotImplementedError


Spoken = Annotated[PromptBlock, Before(_said), _OrText()]
Prompts = Annotated[tuple[Spoken, ...], Before(as_list), Field(min_length=1), OneOrMany()]


class RetryBlock(Block):
    """What follows silence, or keys that mean nothing."""

    missing: ClassVar[Mapping[str, str]] = {"then": "say where the call goes then"}

    retry: Retries = 1
    """How often it is asked again."""
    then: Target
    """Where the call goes after that."""
    prompt: Prompts | None = None
    """Said before it is asked again."""


Retry = Annotated[RetryBlock, Before(_retry), _OrText()]
