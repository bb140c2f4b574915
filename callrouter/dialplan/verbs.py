"""What each verb of the language may hold, one model a verb. Their meaning stands in `core.nodes`.

The text below a key says what the key means: the reference and the editors' schema are made of it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from callrouter.dialplan import values
from callrouter.dialplan.fields import (
    Block,
    Count,
    Day,
    Duration,
    Flag,
    Line,
    Name,
    Names,
    OneOf,
    OneOrMany,
    Percentage,
    Positive,
    Target,
    Value,
    Values,
    Words,
    as_list,
    as_mapping,
)

STANDARD_ACCEPT = "(accept)"
"""Name of the standard sentence that asks a called party to accept."""


def missing(key: str) -> PydanticCustomError:
    """A key that is needed here, though not everywhere."""
    return PydanticCustomError("missing_key", "is missing", {"key": key})


def _retry(value: object) -> object:
    """`no_input: secretaries` for `no_input: { then: secretaries }`."""
    return {"then": value} if isinstance(value, str) else value


def _said(value: object) -> object:
    """A plain sentence for `{ say: … }`."""
    return {"say": value} if isinstance(value, str) else value


class OrText:
    """Tells editors that a text may be written for the mapping it abbreviates."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """The mapping, or a text."""
        return {"anyOf": [handler(core_schema), {"type": "string", "minLength": 1}]}


class OrFlag:
    """Tells editors that `true` or `false` may be written."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Prompts, or a flag."""
        return {"anyOf": [{"type": "boolean"}, handler(core_schema)]}


def _screen(value: object, handler: Any) -> Any:
    """`true` for the standard sentence, `false` for none, or prompts of one's own."""
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "false", "no", "off"):
        return (PromptBlock(sound=STANDARD_ACCEPT),) if values.flag(value) else ()
    return handler(value)


CAUSES = {"rejected": 21, "busy": 17, "unallocated": 1}
"""Q.850 causes by the words of the language."""

Mode = Annotated[str, OneOf("in_turn", "at_once")]
Cause = Annotated[str, OneOf(*CAUSES)]
Retry = Annotated["RetryBlock", BeforeValidator(_retry), OrText()]


class PromptBlock(Block):
    """A text to say, or a sound or shared prompt by name."""

    say: Words | None = None
    """The text to speak: one sentence, or one for each of the client's languages (`{ fr: …, en: … }`)."""
    sound: Line | None = None
    """A prompt of `shared/prompts.yaml`, or a sound file by name, without suffix."""

    @model_validator(mode="after")
    def _one(self) -> PromptBlock:
        if (self.say is None) == (self.sound is None):
            raise ValueError('must hold either "say" or "sound"')
        return self


Spoken = Annotated[PromptBlock, BeforeValidator(_said), OrText()]
Prompts = Annotated[tuple[Spoken, ...], BeforeValidator(as_list), Field(min_length=1), OneOrMany()]


class RetryBlock(Block):
    """What follows silence, or keys that mean nothing."""

    retry: Count = 1
    then: Target
    prompt: Prompts | None = None


class AnswerBlock(Block):
    """Take the call off the hook."""

    next: Target


class PlayBlock(Block):
    """Play prompts."""

    prompt: Prompts
    interruptible: Flag = True
    next: Target


class MenuBlock(Block):
    """Ask for one key."""

    prompt: Prompts
    timeout: Positive = 5.0
    keys: Annotated[dict[str, Target], BeforeValidator(as_mapping), Field(min_length=1)]
    no_input: Retry
    no_match: Retry


class CollectDigitsBlock(Block):
    """Collect digits into a variable."""

    prompt: Prompts
    variable: Name
    min: Count
    max: Count
    timeout: Positive = 5.0
    next: Target
    no_input: Retry
    no_match: Retry

    @model_validator(mode="after")
    def _bounds(self) -> CollectDigitsBlock:
        if not 1 <= self.min <= self.max <= 30:
            raise ValueError(f"min {self.min} and max {self.max} do not fit: 1 ≤ min ≤ max ≤ 30 digits")
        return self


class OpeningHoursBlock(Block):
    """Branch on opening hours."""

    hours: Name | None = None
    open: Target
    closed: Target
    holiday: Target | None = None


class CallerBlock(Block):
    """Branch on lists of callers: every key but `otherwise` is the name of a list."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Target]

    otherwise: Target

    @property
    def lists(self) -> dict[str, str]:
        """Targets by list, in the order written."""
        return self.__pydantic_extra__


class ConditionBlock(Block):
    """One condition of a branch: on a variable, on the day, or on a share of the calls."""

    variable: Name | None = None
    equals: Values = ()
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    percentage: Percentage | None = None
    then: Target

    @model_validator(mode="after")
    def _one_kind(self) -> ConditionBlock:
        dated = self.from_ is not None or self.to is not None
        if sum((self.variable is not None, dated, self.percentage is not None)) != 1:
            raise ValueError('must hold exactly one of "variable", "from" with "to", and "percentage"')
        if self.equals and self.variable is None:
            raise ValueError('"equals" needs "variable"')
        if dated:
            if self.from_ is None or self.to is None:
                raise ValueError('needs both "from" and "to"')
            values.days(f"{self.from_}..{self.to}")
        return self


class BranchBlock(Block):
    """Branch on conditions."""

    when: Annotated[tuple[ConditionBlock, ...], BeforeValidator(as_list), Field(min_length=1)]
    otherwise: Target


class SetBlock(Block):
    """Give variables a value."""

    variables: Annotated[dict[Name, Value], BeforeValidator(as_mapping), Field(min_length=1)] | None = None
    """Variables and their values."""
    language: Name | None = None
    """One of the client's languages: what follows is spoken in it."""
    next: Target

    @model_validator(mode="after")
    def _something(self) -> SetBlock:
        if self.variables is None and self.language is None:
            raise missing("variables")
        return self


class QueueBlock(Block):
    """Put the caller in a team's line."""

    name: Name
    priority: Count = 0
    max_wait: Positive
    brief: Prompts | None = None
    overflow: Target
    done: Target | None = None


class DialBlock(Block):
    """Ring contacts."""

    contacts: Names
    mode: Mode = "in_turn"
    ring: Positive = 20.0
    screen: Annotated[tuple[Spoken, ...], BeforeValidator(as_list), OneOrMany(), WrapValidator(_screen), OrFlag()] = ()
    no_answer: Target
    done: Target | None = None


class RedirectBlock(Block):
    """Send the call to a number for good, or on to another client's tree."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["number", "failed"]}, {"required": ["client"]}, {"required": ["did"]}]
        }
    )

    number: Line | None = None
    """The number to ring; it must be one that may be dialled (`shared/dialling.yaml`)."""
    client: Name | None = None
    """Another client: the call goes on at the start of its tree, with its hours, lists and language."""
    did: Line | None = None
    """A number of another client, instead of its name."""
    ring: Positive = 30.0
    """How long `number` rings."""
    failed: Target | None = None
    """Where the call goes when `number` does not answer; a tree needs none."""

    @model_validator(mode="after")
    def _one(self) -> RedirectBlock:
        if sum(value is not None for value in (self.number, self.client, self.did)) != 1:
            raise ValueError('must name exactly one of "number", "client" and "did"')
        if self.number is not None and self.failed is None:
            raise missing("failed")
        if self.number is None and self.failed is not None:
            raise ValueError('"failed" is for a number only: a tree always goes on somewhere')
        return self


class IncludeBlock(Block):
    """Go on in a snippet of `shared/snippets.yaml`."""

    snippet: Name
    """The snippet's name."""
    with_: Annotated[dict[Name, Annotated[Any, WithJsonSchema({})]], Field(alias="with")] = Field(default_factory=dict)
    """A value for each of the snippet's parameters that has no default."""


class MessageBlock(Block):
    """Take a voice message."""

    prompt: Prompts | None = None
    max: Positive = 120.0
    silence: Positive = 5.0
    min: Duration = 2.0
    deliver: Name | None = None
    done: Target
    empty: Target | None = None

    @model_validator(mode="after")
    def _bounds(self) -> MessageBlock:
        if self.min >= self.max:
            raise PydanticCustomError("bounds", "min is not shorter than max: no message could be kept")
        return self


class RejectBlock(Block):
    """Refuse the call."""

    cause: Cause = "rejected"
    prompt: Prompts | None = None


class HangupBlock(Block):
    """End the call."""

    prompt: Prompts | None = None
