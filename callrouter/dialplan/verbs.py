"""What each verb of the language may hold, one model a verb. Their meaning stands in `core.nodes`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from callrouter.dialplan import values
from callrouter.dialplan.issues import closest, shown

LONGEST_SENTENCE = 2_000
"""Characters of a text to say: some two minutes."""

MAX_VALUE = 64
"""Characters of a variable's value: a call's variables travel with it."""

STANDARD_ACCEPT = "(accept)"
"""Name of the standard sentence that asks a called party to accept."""


class Block(BaseModel):
    """A mapping of the document: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def as_list(value: object) -> object:
    """A single value as a list of one."""
    if value is None:
        raise ValueError("is empty")
    return value if isinstance(value, list | tuple) else [value]


def as_mapping(value: object) -> object:
    """A mapping, or a sentence that says one is needed."""
    if value is None:
        raise ValueError("is empty")
    if isinstance(value, dict):
        return value
    raise ValueError(f"must be a mapping, not {shown(value) if isinstance(value, str) else 'a list'}")


def _sentence(value: object) -> str:
    words = " ".join(values.text(value).split())
    if len(words) > LONGEST_SENTENCE:
        raise ValueError(f"is {len(words)} characters long: nobody listens to more than {LONGEST_SENTENCE}")
    return words


def _line(value: object) -> str:
    words = values.text(value).strip()
    if len(words) > 200 or not words.isprintable():
        raise ValueError(f"{shown(words, 30)} must be one line of at most 200 characters")
    return words


def _variable_value(value: object) -> str:
    words = _line(value)
    if len(words) > MAX_VALUE:
        raise ValueError(f"{shown(words, 30)} is longer than {MAX_VALUE} characters: a call carries its variables")
    return words


def _retry(value: object) -> object:
    """`no_input: secretaries` for `no_input: { then: secretaries }`."""
    return {"then": value} if isinstance(value, str) else value


def _said(value: object) -> object:
    """A plain sentence for `{ say: … }`."""
    return {"say": value} if isinstance(value, str) else value


def _screen(value: object, handler: Any) -> Any:
    """`true` for the standard sentence, `false` for none, or prompts of one's own."""
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "false", "no", "off"):
        return (PromptBlock(sound=STANDARD_ACCEPT),) if values.flag(value) else ()
    return handler(value)


def _mode(value: object) -> str:
    word = values.text(value)
    if word not in ("in_turn", "at_once"):
        hint = closest(word, ("in_turn", "at_once"))
        meant = f' (did you mean "{hint}"?)' if hint else ""
        raise ValueError(f"{shown(word)} is neither in_turn nor at_once{meant}")
    return word


def _cause(value: object) -> str:
    word = values.text(value)
    if word not in CAUSES:
        raise ValueError(f"{shown(word)} is none of {', '.join(CAUSES)}")
    return word


CAUSES = {"rejected": 21, "busy": 17, "unallocated": 1}
"""Q.850 causes by the words of the language."""

Name = Annotated[str, BeforeValidator(values.name)]
Target = Name
"""The name of the node an exit leads to."""
Line = Annotated[str, BeforeValidator(_line)]
Sentence = Annotated[str, BeforeValidator(_sentence)]
Texts = Annotated[tuple[Line, ...], BeforeValidator(as_list)]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_list), Field(min_length=1)]
Positive = Annotated[float, BeforeValidator(values.positive_duration)]
Duration = Annotated[float, BeforeValidator(values.duration)]
Count = Annotated[int, BeforeValidator(values.count)]
Flag = Annotated[bool, BeforeValidator(values.flag)]
Retry = Annotated["RetryBlock", BeforeValidator(_retry)]


class PromptBlock(Block):
    """A text to say, or a sound or shared prompt by name."""

    say: Sentence | None = None
    sound: Line | None = None

    @model_validator(mode="after")
    def _one(self) -> PromptBlock:
        if (self.say is None) == (self.sound is None):
            raise ValueError('must hold either "say" or "sound"')
        return self


Spoken = Annotated[PromptBlock, BeforeValidator(_said)]
Prompts = Annotated[tuple[Spoken, ...], BeforeValidator(as_list), Field(min_length=1)]


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
    equals: Texts = ()
    from_: Annotated[str | None, Field(alias="from")] = None
    to: str | None = None
    percentage: Annotated[float | None, BeforeValidator(values.percentage)] = None
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

    variables: Annotated[
        dict[Name, Annotated[str, BeforeValidator(_variable_value)]], BeforeValidator(as_mapping), Field(min_length=1)
    ]
    next: Target


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
    mode: Annotated[str, BeforeValidator(_mode)] = "in_turn"
    ring: Positive = 20.0
    screen: Annotated[tuple[Spoken, ...], BeforeValidator(as_list), WrapValidator(_screen)] = ()
    no_answer: Target
    done: Target | None = None


class RedirectBlock(Block):
    """Send the call to a number for good."""

    number: Line
    ring: Positive = 30.0
    failed: Target


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

    cause: Annotated[str, BeforeValidator(_cause)] = "rejected"
    prompt: Prompts | None = None


class HangupBlock(Block):
    """End the call."""

    prompt: Prompts | None = None
