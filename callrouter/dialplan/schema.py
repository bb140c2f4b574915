"""The documents as pydantic models: what may be written, and what each text becomes.

Unknown keys are refused. A node is a mapping with exactly one key, its verb. What one verb may hold stands in
`verbs`; what a value may look like in `values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from callrouter.core.schedule import DAYS
from callrouter.core.service_level import Formula
from callrouter.dialplan import values
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.verbs import (
    AnswerBlock,
    Block,
    BranchBlock,
    CallerBlock,
    CollectDigitsBlock,
    DialBlock,
    HangupBlock,
    Line,
    MenuBlock,
    MessageBlock,
    Name,
    Names,
    OpeningHoursBlock,
    PlayBlock,
    Positive,
    QueueBlock,
    RedirectBlock,
    RejectBlock,
    Sentence,
    SetBlock,
    Texts,
    as_list,
    as_mapping,
)

HOURS_KEYS = ("open", "holidays", "closed", "exceptions")
UNNAMED_HOURS = "(hours)"
"""Stands for the name of the one set of hours that has none: no document can write it."""


def _checked(check: Any) -> BeforeValidator:
    """Keeps the text, once `check` has found that it can be read."""

    def validate(value: object) -> object:
        check(value)
        return value

    return BeforeValidator(validate)


def _named_hours(value: object) -> object:
    """The one unnamed set of hours as a set with a name."""
    if isinstance(value, dict) and any(key in HOURS_KEYS for key in value):
        return {UNNAMED_HOURS: value}
    return value


def _formula(value: object) -> Formula:
    word = values.text(value)
    try:
        return Formula(word)
    except ValueError:
        hint = closest(word, list(Formula))
        meant = f' (did you mean "{hint}"?)' if hint else f": the formulas are {', '.join(Formula)}"
        raise ValueError(f"{shown(word)} is no formula{meant}") from None


def _hours_name(value: object) -> object:
    return value if value == UNNAMED_HOURS else values.name(value)


HoursName = Annotated[str, BeforeValidator(_hours_name)]
Days = Annotated[str, _checked(values.weekdays)]
Dates = Annotated[str, _checked(values.days)]
ClockRanges = Annotated[tuple[Annotated[str, _checked(values.clock_range)], ...], BeforeValidator(as_list)]


class HoursBlock(Block):
    """One set of opening hours, on the wall clock of the client's zone."""

    open: Annotated[dict[Days, ClockRanges], BeforeValidator(as_mapping)]
    holidays: Texts = ()
    """Countries, or `FR-57` for one with its region: their public holidays are closed."""
    closed: Annotated[tuple[Dates, ...], BeforeValidator(as_list)] = ()
    exceptions: dict[Dates, ClockRanges] = Field(default_factory=dict)
    """Days with other hours than the week's; asked before `closed` and before holidays."""


class ServiceLevelBlock(Block):
    """What the client was promised."""

    within: Annotated[float, BeforeValidator(values.positive_duration)] = 20.0
    target: Annotated[float, BeforeValidator(values.share)] = 0.8
    short_abandon: Annotated[float, BeforeValidator(values.duration)] = 5.0
    formula: Annotated[Formula, BeforeValidator(_formula)] = Formula.SHORT_ABANDON_EXCLUDED


class FallbackBlock(Block):
    """Who has the call when something cannot be done: a queue, a number or a node."""

    queue: Name | None = None
    number: Line | None = None
    node: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> FallbackBlock:
        if sum(value is not None for value in (self.queue, self.number, self.node)) != 1:
            raise ValueError('must name exactly one of "queue", "number" and "node"')
        return self


class ContactBlock(Block):
    """Somebody of the client's: to be rung (`number`), or written to (`email`)."""

    name: Line = ""
    number: Line | None = None
    email: Line | None = None

    @model_validator(mode="after")
    def _reachable(self) -> ContactBlock:
        if self.number is None and self.email is None:
            raise ValueError('has neither "number" nor "email": nobody could reach it')
        if self.email is not None and not _looks_like_email(self.email):
            raise ValueError(f"email {shown(self.email)} is no e-mail address")
        return self


def _looks_like_email(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(local and at and "." in domain.strip(".") and not any(char.isspace() for char in address))


class TeamQueueBlock(Block):
    """A team's line: who answers it, and how it rings them."""

    title: Line = ""
    members: Annotated[tuple[Name, ...], BeforeValidator(as_list)] = ()
    strategy: Line = "leastrecent"
    ring: Positive = 15.0
    retry: Positive = 1.0
    wrap_up: Annotated[float, BeforeValidator(values.duration)] = 0.0
    max_callers: Annotated[int, BeforeValidator(values.count)] = 0
    """Callers who may wait; 0 is no bound."""

    @model_validator(mode="after")
    def _known_strategy(self) -> TeamQueueBlock:
        known = ("ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "linear")
        if self.strategy not in known:
            hint = closest(self.strategy, known)
            raise ValueError(
                f"strategy {shown(self.strategy)} is unknown"
                + (f' (did you mean "{hint}"?)' if hint else f": the strategies are {', '.join(known)}")
            )
        return self


class NodeBlock(Block):
    """A step of the tree: its verb, and what the verb needs."""

    answer: AnswerBlock | None = None
    play: PlayBlock | None = None
    menu: MenuBlock | None = None
    collect_digits: CollectDigitsBlock | None = None
    opening_hours: OpeningHoursBlock | None = None
    caller: CallerBlock | None = None
    branch: BranchBlock | None = None
    set_: SetBlock | None = Field(default=None, alias="set")
    queue: QueueBlock | None = None
    dial: DialBlock | None = None
    redirect: RedirectBlock | None = None
    message: MessageBlock | None = None
    reject: RejectBlock | None = None
    hangup: HangupBlock | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_verb(cls, value: object) -> object:
        """One verb; one that needs nothing may stand alone (`hangup:`)."""
        if not isinstance(value, dict) or not value:
            raise ValueError(f"holds no verb: write one of {', '.join(VERBS)} below it")
        known = [key for key in value if key in VERBS]
        if len(known) > 1:
            raise ValueError(f"holds {len(known)} verbs ({', '.join(known)}): a node has exactly one")
        return {key: {} if inner is None else inner for key, inner in value.items()}

    @property
    def verb(self) -> tuple[str, Block]:
        """The verb as the document writes it, and what it holds."""
        return next(
            (field.alias or key, block)
            for key, field in NodeBlock.model_fields.items()
            if (block := getattr(self, key)) is not None
        )


VERBS = tuple(field.alias or key for key, field in NodeBlock.model_fields.items())


class ClientFile(Block):
    """One client's document."""

    client: Name
    name: Line = ""
    numbers: Annotated[Texts, Field(min_length=1)]
    timezone: Line
    language: Line
    country: Line | None = None
    hours: Annotated[dict[HoursName, HoursBlock], BeforeValidator(_named_hours)] = Field(default_factory=dict)
    lists: Mapping[Name, Texts] = Field(default_factory=dict)
    contacts: Mapping[Name, ContactBlock] = Field(default_factory=dict)
    service_level: ServiceLevelBlock = Field(default_factory=ServiceLevelBlock)
    fallback: FallbackBlock | None = None
    start: Name
    nodes: Annotated[dict[Name, NodeBlock], BeforeValidator(as_mapping), Field(min_length=1, max_length=500)]


class ContactsFile(Block):
    """shared/contacts.yaml."""

    country: Line | None = None
    contacts: Annotated[dict[Name, ContactBlock], BeforeValidator(as_mapping)]


class QueuesFile(Block):
    """shared/queues.yaml."""

    queues: Annotated[dict[Name, TeamQueueBlock], BeforeValidator(as_mapping)]


class PromptsFile(Block):
    """shared/prompts.yaml: sentences by name, then by language."""

    prompts: Annotated[dict[Name, dict[Name, Sentence]], BeforeValidator(as_mapping)]


__all__ = ["DAYS", "VERBS", "Block", "ClientFile", "ContactsFile", "Names", "NodeBlock", "PromptsFile", "QueuesFile"]
