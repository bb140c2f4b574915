"""Delivery as the documents write it: who is told of a client's messages, by what and when."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from callrouter.core.dispatch import Means
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import Before, Block, Count, Flag, Name, Names, OneOf, OneOrMany, Read, as_list

MOST_POLICIES, MOST_STEPS, MOST_REPEATS = 50, 20, 20
"""What one client may have, one course, and how often its steps may begin again: whom that does not reach, nothing
does."""

LEAST_WAIT_SECONDS = 60.0
"""Nobody reads a message, and answers it, in less."""


def _wait(value: object) -> float:
    seconds = values.positive_duration(value)
    if seconds < LEAST_WAIT_SECONDS:
        raise ValueError(f"{shown(values.text(value))} is shorter than a minute: nobody reads a message in less")
    return seconds


def _clock(value: object) -> time:
    written = values.text(value)
    try:
        minutes = values.clock(written)
    except ValueError:
        raise ValueError(f'{shown(written)} is no time of day: write hours and minutes, as in "18:00"') from None
    if minutes >= values.MINUTES_A_DAY:
        raise ValueError('"24:00" is the midnight at the end of a day: write "00:00"')
    return time(minutes // 60, minutes % 60)


def _steps(value: object) -> object:
    """One step for a list of it; a step of which only the people are said."""
    listed = as_list(value)
    assert isinstance(listed, list | tuple)
    return [{"to": one} if isinstance(one, str) else one for one in listed]


def _each_once(value: object) -> object:
    listed = as_list(value)
    assert isinstance(listed, list | tuple)
    for place, one in enumerate(listed):
        if one in listed[:place]:
            raise ValueError(f"{shown(one)} stands here twice")
    return listed


class _OrOneStep:
    """Lets editors accept the only step of a list, and the name of whom a step tells."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """A name, a step, or a list of them."""
        listed: dict[str, Any] = handler(schema)
        one = [{"type": "string"}, listed["items"]]
        return {"anyOf": [*one, {**listed, "items": {"anyOf": one}}]}


Wait = Annotated[
    float,
    Read(_wait, {"type": "string", "pattern": "^([0-9]+([.][0-9]+)?(ms|s|m|h) ?)+$", "examples": ["10m", "4h"]}),
]
Clock = Annotated[
    time, Read(_clock, {"type": "string", "pattern": "^ ?([01]?[0-9]|2[0-3]):[0-5][0-9] ?$", "examples": ["18:00"]})
]


class StepBlock(Block):
    """People who are told at once, each by all of its means. One after the other is several steps."""

    missing: ClassVar[Mapping[str, str]] = {"to": "name whom it tells: contacts, or a rota of shared/calendars.yaml"}

    to: Annotated[Names, Before(_each_once)]
    """Contacts, or rotas: whoever is on call when the step begins."""
    by: Annotated[
        tuple[Annotated[str, OneOf(*map(str, Means))], ...], Before(_each_once), Field(min_length=1), OneOrMany()
    ] = ()
    """`email`, `sms`, `webhook`, `phone`, or several. By default everything that costs nothing and reaches the contact:
    `email` and `webhook`, as far as it has an `email` and a `url`. An `sms` is sent to its `number`, and `phone` rings
    it: whoever answers is asked for a key, hears the message after it, and takes it on by another one. Who presses none
    has not been told, for it may be a voicemail. `phone` is not together with `at`."""
    wait: Wait | None = None
    """How long an acknowledgement is waited for before the next step begins (`1m` to `24h`); after the last step,
    before the steps begin again, or the message stands on the agents' list. Without it the next step is only for when
    nobody of this one could be told."""
    at: Annotated[tuple[Clock, ...], Before(as_list), Field(min_length=1), OneOrMany()] = ()
    """Times of day, by the client's clock, in quotes: the step begins at the next of them, and messages that wait for
    the same one are told together. Not in `urgent`."""
    hours: Name | None = None
    """Hours of the client that must be open for it to begin: their name, or `open` where there is one set of them. Not
    in `urgent`, and not together with `at`."""

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        if self.at and self.hours is not None:
            raise ValueError('has both "at" and "hours": a step begins at times of day, or while hours are open')
        if self.at and Means.PHONE in self.by:
            wrong = 'has both "at" and by: phone: at times of day several messages are told together'
            raise ValueError(f"{wrong}, which no telephone call does: write hours, or other means")
        for place, one in enumerate(self.at):
            if one in self.at[:place]:
                raise ValueError(f'at: "{one:%H:%M}" stands there twice')
        return self


Steps = Annotated[tuple[StepBlock, ...], Before(_steps), Field(min_length=1, max_length=MOST_STEPS), _OrOneStep()]


class PolicyBlock(Block):
    """What becomes of a message: who is told, by what and when, until somebody acknowledges it.

    Steps go one after the other; a step begins when the `wait` of the one before is over, or as soon as nobody of that
    one could be told. After the last `wait`, and where nobody could be told, the message stands on the agents' list;
    what is acknowledged, or told without a `wait`, is done. A step may be the name of a contact or a rota alone, and
    the only step needs no list: `ordinary: post_box`. An urgent message must reach somebody by two ways at every minute
    of the coming two weeks: `check` refuses a policy by which it does not, and names the first minute.
    """

    urgent: Steps = ()
    """What becomes of an urgent message; by default what becomes of an ordinary one."""
    repeat: Annotated[Count, Field(le=MOST_REPEATS)] = 0
    """How often the steps of `urgent` begin again while nobody has acknowledged, 20 times at most."""
    ordinary: Steps = ()
    """What becomes of any other message; by default what becomes of an urgent one."""
    ages: Wait | None = None
    """After how long an ordinary message that nobody has acknowledged goes the way of an urgent one (`1m` to `24h`);
    by default it never does."""
    last: Name | None = None
    """Contact who is told, by the means of the step, in place of whoever should be on call by a rota and is not: the
    rota has ended, or has nobody then. A rota that ends needs one, or a step after it that tells a contact."""
    confidential: Flag = False
    """Whether what leaves the house holds nothing of the message but a link to it. A webhook gets the ids of message
    and call, the client, times, and the link."""

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if not (self.urgent or self.ordinary):
            raise ValueError('says neither who is told of urgent messages nor of others: write "urgent" or "ordinary"')
        if self.repeat and not self.urgent:
            raise ValueError('repeat says how often the steps of "urgent" begin again: write "urgent"')
        if self.ages is not None and not (self.urgent and self.ordinary):
            raise ValueError(
                'ages leads from the steps of "ordinary" to those of "urgent", which are the same here: write both'
            )
        return self
