"""Retention as the documents write it: for how long what is kept."""

import re
from typing import Annotated, Final, Self

from pydantic import model_validator

from callrouter.core.retention.rule import MONTH_DAYS, Kind, Retention, why_refused, without_effect
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import Block, Read

_WRITTEN: Final = re.compile(r"(\d{1,5})\s*(d|days?|months?)?", re.ASCII)
_SCHEMA: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 3650},
        {"type": "string", "pattern": "^[0-9]{1,5} *(d|days?|months?)?$"},
    ]
}


def _days(value: object) -> int:
    """Days of `400 days`, `13 months`, `400`.

    Raises:
        ValueError: it is nothing of the kind.
    """
    word = values.text(value).strip()
    found = _WRITTEN.fullmatch(word)
    if found is None:
        raise ValueError(f'{shown(word)} is no length of time to keep something for: write "400 days" or "13 months"')
    many = int(found[1])
    return many * MONTH_DAYS if (found[2] or "").startswith("month") else many


Kept = Annotated[int, Read(_days, _SCHEMA)]
"""A month is 31 days: nothing goes sooner than a calendar would have it."""


class RetentionBlock(Block):
    """For how long what callers of this client leave is kept: `retention: { calls: 24 months, recordings: 30 days }`.

    In days, or in months of 31 days. A kind that is left out is kept as the operator has set it
    (`CALLROUTER_KEEP_CALLS_DAYS` and the like), and for ever where that says nothing, either. What is older is deleted
    by the worker, once a day; figures of days stay. A rule that is shorter than the one before counts a day after it
    went live, so that a slip can be mended: `callrouter retention plan` says what it would delete. A client that is
    withdrawn keeps its last rule.
    """

    calls: Kept | None = None
    """Calls, with all that hangs on them: visits to queues, offers, legs, traces, recorded conversations, callbacks
    that are settled, what other systems were told. 62 days at least. Their figures by day stay."""
    recordings: Kept | None = None
    """The sound of messages, and of conversations where the queue's `record` does not say less. In France six months
    at most (CNIL)."""
    messages: Kept | None = None
    """Messages, with their recording, what became of them, and who was told; 7 days at least. One that somebody still
    has to be told of, or to take on, stays."""
    transcripts: Kept | None = None
    """What a machine wrote down of recorded messages; it goes with the recording at the latest."""
    traces: Kept | None = None
    """How a call went through the tree: `callrouter explain` knows nothing of it any more, and figures stay right."""

    @model_validator(mode="after")
    def _acts(self) -> Self:
        rule = retention_of(self)
        for kind, days in rule.said.items():
            if wrong := why_refused(kind, days):
                raise ValueError(wrong)
        for one, other in without_effect(rule).items():
            raise ValueError(f"{one} go with their {other}: say no more for {one} than for {other}")
        if not rule.said:
            raise ValueError(f"says nothing: write {', '.join(Kind)}")
        return self


def retention_of(block: RetentionBlock | None) -> Retention:
    """What a file says."""
    if block is None:
        return Retention()
    return Retention(**{kind.value: getattr(block, kind.value) for kind in Kind})
