"""What each verb of the language may hold, one model a verb. Their meaning stands in `core.nodes`.

The text below a key says what the key means: the reference and the editors' schema are made of it.
"""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, WithJsonSchema, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.conditions import ConditionBlock
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Count,
    Duration,
    Flag,
    Line,
    Name,
    Names,
    OneOf,
    OneOrMany,
    Positive,
    Retries,
    Target,
    Value,
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


class NotEmpty:
    """Tells editors that a mapping holds something."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """At least one entry."""
        return {**handler(core_schema), "minProperties": 1}


class Keys:
    """Tells editors which keys a telephone has."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """One of them each."""
        return {**handler(core_schema), "propertyNames": {"pattern": "^[0-9*#]$"}}


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
    if isinstance(value, str) and len(value.split()) == 1:  # "oui", "non"
        raise ValueError(
            f"{shown(value)} would be said to whoever answers: write true or false, or a sentence that asks for a 1"
        )
    return handler(value)


CAUSES = {"rejected": 21, "busy": 17, "unallocated": 1}
"""Q.850 causes by the words of the language."""

Mode = Annotated[str, OneOf("in_turn", "at_once")]
Cause = Annotated[str, OneOf(*CAUSES)]


class PromptBlock(Block):
    """A text to say, or a sound or shared prompt by name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    say: Words | None = None
    """The text to speak: one sentence, or one for each of the client's languages (`{ fr: …, en: … }`)."""
    sound: Line | None = None
    """A prompt of `shared/prompts.yaml`, or a sound file by name, without suffix."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.say is None) == (self.sound is None):
            raise ValueError('must hold either "say" or "sound"')
        return self


class PartBlock(PromptBlock):
    """A text to say, a sound or shared prompt by name, or a variable read aloud."""

    digits: Name | None = None
    """A variable whose digits are read one by one."""
    number: Name | None = None
    """A variable that is read as a whole number."""
    date: Name | None = None
    """A variable that is read as a day (`2026-11-24`)."""
    time: Name | None = None
    """A variable that is read as a time of day (`14:30`)."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in PART_KINDS) != 1:
            raise ValueError(f"must hold exactly one of {', '.join(PART_KINDS)}")
        return self


PART_KINDS = ("say", "sound", "digits", "number", "date", "time")
Part = Annotated[PartBlock, Before(_said), OrText()]
Parts = Annotated[tuple[Part, ...], Before(as_list), Field(min_length=1), OneOrMany()]
Spoken = Annotated[PromptBlock, Before(_said), OrText()]
Prompts = Annotated[tuple[Spoken, ...], Before(as_list), Field(min_length=1), OneOrMany()]


class RetryBlock(Block):
    """What follows silence, or keys that mean nothing."""

    retry: Retries = 1
    """How often it is asked again."""
    then: Target
    """Where the call goes after that."""
    prompt: Prompts | None = None
    """Said before it is asked again."""


Retry = Annotated[RetryBlock, Before(_retry), OrText()]


class AnswerBlock(Block):
    """Take the call off the hook."""

    next: Target
    """The node that follows."""


class PlayBlock(Block):
    """Play prompts."""

    prompt: Parts
    """What is said: one text or sound, or a sequence with variables read aloud."""
    interruptible: Flag = True
    """Whether a key cuts it short."""
    next: Target
    """The node that follows."""


class MenuBlock(Block):
    """Ask for one key."""

    prompt: Prompts
    """The question."""
    timeout: Positive = 5.0
    """Silence after the question before it counts as none."""
    keys: Annotated[dict[str, Target], Before(as_mapping), Field(min_length=1), NotEmpty(), Keys()]
    """Which key leads to which node; keys in quotes."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where a key that means nothing leads, and after how many tries."""


class CollectDigitsBlock(Block):
    """Collect digits into a variable."""

    prompt: Prompts
    """The question."""
    variable: Name
    """The variable that takes the digits."""
    min: Count
    """Fewest digits, 1 or more."""
    max: Count
    """Most digits, 30 or fewer; the last one ends the wait."""
    timeout: Positive = 5.0
    """Silence after the question and between two keys before it counts as the end."""
    next: Target
    """Where the call goes with enough digits."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where too few digits lead, and after how many tries."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if not 1 <= self.min <= self.max <= 30:
            raise ValueError(f"min {self.min} and max {self.max} do not fit: 1 ≤ min ≤ max ≤ 30 digits")
        return self


class OpeningHoursBlock(Block):
    """Branch on opening hours."""

    hours: Name | None = None
    """Which of the client's hours, when there are several."""
    open: Target
    """Where the call goes in opening hours."""
    closed: Target
    """Where it goes outside them."""
    holiday: Target | None = None
    """Where it goes on public holidays; by default where `closed` leads."""


class CallerBlock(Block):
    """Branch on lists of callers: every key but `otherwise` is the name of a list."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Target]

    otherwise: Target
    """Where callers go whom none of the lists holds."""

    @property
    def lists(self) -> dict[str, str]:
        """Targets by list, in the order written."""
        return self.__pydantic_extra__


class BranchBlock(Block):
    """Branch on conditions."""

    when: Annotated[tuple[ConditionBlock, ...], Before(as_list), Field(min_length=1, max_length=200), OneOrMany()]
    """Conditions, asked in the order written; the first that holds decides."""
    otherwise: Target
    """Where the call goes when none holds."""


class SetBlock(Block):
    """Give variables a value."""

    variables: Annotated[dict[Name, Value], Before(as_mapping), Field(min_length=1)] | None = None
    """Variables and their values."""
    language: Name | None = None
    """One of the client's languages: what follows is spoken in it."""
    next: Target
    """The node that follows."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.variables is None and self.language is None:
            raise missing("variables")
        return self


class QueueBlock(Block):
    """Put the caller in a team's line."""

    name: Name
    """A queue of `shared/queues.yaml`."""
    priority: Count = 0
    """Callers with a higher one are answered first."""
    max_wait: Positive
    """The longest a caller waits."""
    brief: Prompts | None = None
    """Whispered to the agent before he is connected."""
    overflow: Target
    """Where the call goes when nobody answers in time, the queue is full, or nobody is logged in."""
    done: Target | None = None
    """Where it goes after the conversation; by default it ends."""


class DialBlock(Block):
    """Ring contacts."""

    contacts: Names
    """Whom to ring: contacts, or rotas that say who is on call; all numbers must be ones that may be dialled."""
    mode: Mode = "in_turn"
    """`in_turn`: one after the other; `at_once`: all, and the first to accept is connected."""
    ring: Positive = 20.0
    """How long each is rung."""
    screen: Annotated[tuple[Spoken, ...], Before(as_list), OneOrMany(), WrapValidator(_screen), OrFlag()] = ()
    """`true`: whoever answers must press 1 to accept, so that no voicemail takes the call; or a prompt of your own
    that asks so."""
    no_answer: Target
    """Where the call goes when nobody answers or accepts."""
    done: Target | None = None
    """Where it goes after the conversation; by default it ends."""


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
    def _one(self) -> Self:
        if sum(value is not None for value in (self.number, self.client, self.did)) != 1:
            raise ValueError('must name exactly one of "number", "client" and "did"')
        if self.number is not None and self.failed is None:
            raise missing("failed")
        if self.number is None and self.failed is not None:
            raise ValueError('"failed" is for a number only: a tree always goes on somewhere')
        return self


class IncludeBlock(Block):
    """Go on in a snippet of `shared/snippets.yaml`.

    ```yaml
    include: { snippet: take_a_message, with: { to: post_box, after: bye } }
    ```

    The snippet's nodes become nodes of this tree, under this node's name (`message/ask`); `with` gives its parameters.
    """

    snippet: Name
    """The snippet's name."""
    with_: Annotated[dict[Name, Annotated[Any, WithJsonSchema({})]], Field(alias="with")] = Field(default_factory=dict)
    """A value for each of the snippet's parameters that has no default."""


class MessageBlock(Block):
    """Take a voice message."""

    prompt: Prompts | None = None
    """Said before the tone."""
    max: Positive = 120.0
    """The longest message."""
    silence: Positive = 5.0
    """Silence that ends it."""
    min: Duration = 2.0
    """What is shorter is no message."""
    deliver: Name | None = None
    """The contact who gets it."""
    done: Target
    """Where the call goes after the message."""
    empty: Target | None = None
    """Where it goes when nothing was said; by default where `done` leads."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min >= self.max:
            raise PydanticCustomError("bounds", "min is not shorter than max: no message could be kept")
        return self


class RejectBlock(Block):
    """Refuse the call."""

    cause: Cause = "rejected"
    """What the caller's telephone is told: `rejected`, `busy` or `unallocated`."""
    prompt: Prompts | None = None
    """Said first; without it the call is refused unanswered."""


class HangupBlock(Block):
    """End the call."""

    prompt: Prompts | None = None
    """Said first."""
