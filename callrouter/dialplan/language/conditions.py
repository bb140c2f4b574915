"""What a branch may ask, as the document writes it, and as the core asks it."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from callrouter.core.conditions import (
    Bounds,
    Condition,
    DateWithin,
    DidIs,
    Measure,
    QueueStands,
    ShareOfCalls,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
    VariableUnset,
)
from callrouter.core.schedule import Span
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import dates, values
from callrouter.dialplan.language.fields import (
    Block,
    DateRanges,
    Day,
    Duration,
    Flag,
    Name,
    Percentage,
    Read,
    Target,
    Texts,
    Values,
)

_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?", re.ASCII)


def _number(value: object) -> float:
    word = values.text(value).strip()
    if not _NUMBER.fullmatch(word):
        raise ValueError(f'{shown(word)} is no number: write digits, such as "18" or "2.5"')
    return float(word)


Number = Annotated[float, Read(_number, {"type": "number"})]


class NumberBounds(Block):
    """Where a number has to lie: one bound, or two."""

    below: Number | None = None
    """Less than this."""
    above: Number | None = None
    """More than this."""
    at_least: Number | None = None
    """This or more."""
    at_most: Number | None = None
    """This or less."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check(self.below, self.above, self.at_least, self.at_most)
        return self


class DurationBounds(Block):
    """Where a time has to lie: one bound, or two."""

    below: Duration | None = None
    """Less than this."""
    above: Duration | None = None
    """More than this."""
    at_least: Duration | None = None
    """This or more."""
    at_most: Duration | None = None
    """This or less."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check(self.below, self.above, self.at_least, self.at_most)
        return self


def _check(below: float | None, above: float | None, at_least: float | None, at_most: float | None) -> None:
    lowest = [value for value in (above, at_least) if value is not None]
    highest = [value for value in (below, at_most) if value is not None]
    if not lowest and not highest:
        raise ValueError('needs a bound: write "below", "above", "at_least" or "at_most"')
    if len(lowest) > 1 or len(highest) > 1:
        raise ValueError("has two bounds on the same side: keep one of them")
    if not (lowest and highest):
        return
    strict = below is not None or above is not None
    if lowest[0] > highest[0] or (strict and lowest[0] == highest[0]):
        raise ValueError("can never hold: nothing lies between these bounds")


_TESTS = ("equals", "one_of", "starts_with", "number", "is_set")
_MEASURES = tuple(str(measure) for measure in Measure)


class ConditionBlock(Block):
    """One condition of a branch: on a variable, a team's queue, the day, the number dialled, or a share of calls."""

    missing: ClassVar[Mapping[str, str]] = {"then": "say where the call goes then"}

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["variable"]},
                {"required": ["queue"]},
                {"required": ["from", "to"]},
                {"required": ["did"]},
                {"required": ["dates"]},
                {"required": ["percentage"]},
            ]
        }
    )

    variable: Name | None = None
    """The variable that is asked: with `equals`, `one_of`, `starts_with`, `number` or `is_set`; alone, whether it is
    set."""
    equals: Values = ()
    """It has this value, or one of these."""
    one_of: Values = ()
    """The same as `equals`, for a list."""
    starts_with: Values = ()
    """It begins with this, or with one of these."""
    number: NumberBounds | None = None
    """It is a number within these bounds; what is no number never is."""
    is_set: Flag | None = None
    """It has been set (`true`), or not (`false`)."""
    queue: Name | None = None
    """The team's queue that is looked at: with `agents`, `free`, `waiting` or `expected_wait`."""
    agents: NumberBounds | None = None
    """Agents logged in."""
    free: NumberBounds | None = None
    """Agents who would be rung at once."""
    waiting: NumberBounds | None = None
    """Callers in the line."""
    expected_wait: DurationBounds | None = None
    """(Callers waiting + 1) × mean conversation ÷ agents; none while more agents are free than callers wait."""
    from_: Annotated[Day | None, Field(alias="from")] = None
    """First day, in the client's zone: `2026-12-24`, or `12-24` for every year."""
    to: Day | None = None
    """Last day, included."""
    did: Texts = ()
    """The caller has dialled this number of the client's, or one of these."""
    dates: DateRanges = ()
    """Days (see Days and dates), such as `christmas`, `12-24`, `public holidays` or `school holidays A`."""
    percentage: Percentage | None = None
    """This share of the calls; the same call always goes the same way."""
    then: Target
    """Where the call goes when the condition holds."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        dated = self.from_ is not None or self.to is not None
        kinds = (self.variable, self.queue, dated, self.dates, self.did)
        if sum(map(bool, kinds)) + (self.percentage is not None) != 1:
            raise ValueError(
                'must hold exactly one of "variable", "queue", "from" with "to", "dates", "did", and "percentage"'
            )
        self._one_question("variable", _TESTS, needed=False)
        self._one_question("queue", _MEASURES, needed=True)
        if dated:
            if self.from_ is None or self.to is None:
                raise ValueError('needs both "from" and "to"')
            dates.days(f"{self.from_}..{self.to}")
        return self

    @property
    def days(self) -> Mapping[str, tuple[str | int, ...]]:
        """The texts that say its days, each with its place."""
        if self.from_ is not None:
            return {f"{self.from_}..{self.to}": ("from",)}
        return {text: ("dates", index) for index, text in enumerate(self.dates)}

    def _one_question(self, subject: str, questions: tuple[str, ...], *, needed: bool) -> None:
        asked = [name for name in questions if getattr(self, name) not in (None, ())]
        if getattr(self, subject) is None:
            if asked:
                raise ValueError(f'"{asked[0]}" needs "{subject}"')
        elif len(asked) > 1 or (needed and not asked):
            listed = ", ".join(f'"{name}"' for name in questions)
            raise ValueError(f'"{subject}" needs exactly one of {listed}')


def condition(
    block: ConditionBlock, timezone: str = "", spans: tuple[Span, ...] = (), dids: tuple[str, ...] = ()
) -> Condition:
    """The condition as the core asks it; days are `spans` in `timezone`, or in the client's own zone, `dids` are the
    numbers of `did` in E.164.
    """
    if block.did:
        return DidIs(numbers=dids)
    if block.variable is not None:
        return _of_variable(block, block.variable)
    if block.queue is not None:
        return _of_queue(block, block.queue)
    if block.percentage is not None:
        return ShareOfCalls(percent=block.percentage)
    dated = all(isinstance(dates.days(text), dates.Dated) for text in block.days)
    return DateWithin(spans=spans, timezone=timezone, written="" if dated else ", ".join(block.days))


def _of_variable(block: ConditionBlock, name: str) -> Condition:
    if block.starts_with:
        return VariableStartsWith(variable=name, prefixes=block.starts_with)
    if block.number is not None:
        return VariableNumber(variable=name, bounds=_bounds(block.number))
    if block.is_set is False:
        return VariableUnset(variable=name)
    return VariableIs(variable=name, values=block.equals or block.one_of)


def _of_queue(block: ConditionBlock, name: str) -> Condition:
    measure = next(measure for measure in Measure if getattr(block, measure) is not None)
    return QueueStands(queue=name, measure=measure, bounds=_bounds(getattr(block, measure)))


def _bounds(block: NumberBounds | DurationBounds) -> Bounds:
    return Bounds(below=block.below, above=block.above, at_least=block.at_least, at_most=block.at_most)
