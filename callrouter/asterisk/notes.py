"""What Asterisk's dialplan notes of a call, for an engine that was away: who answered, when, and in whose hands.

The notes are channel variables (deploy/asterisk/etc/extensions.conf): a living channel shows them in `Status`, a call
that has ended left them in its row of the journal. `missed` makes of them what the core would have been told, had
anybody listened; the core refuses what it has heard already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.core import inputs

VARIABLES: Final = (
    "MEMBERNAME,QEHOLDTIME,CR_QUEUED_AT,CR_ACCEPTED,CR_ACCEPTED_BY,CR_LOST_AT,CR_BEFORE,CR_OBJECTED,CR_OVER_AT,"
    "CR_VOICED"
)
"""What `Status` is asked for; none of them can hold a caller's words."""
SOMEBODY: Final = ""
"""Who answers when it is not known who: nobody counts as the agent."""
FORWARDED: Final = "_forwarded"
"""MEMBERNAME of whoever answers where an agent's telephone sends its calls by itself; no agent is called so."""
EPOCH_DIGITS: Final = 10
MIDDLE: Final = timedelta(seconds=0.5)
"""Asterisk's dialplan knows whole seconds (EPOCH): what it dates happened half a second from their middle, at most.
Whoever reads a PBX adds it to the shift.
"""
LEG_DIGITS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Who has answered, of those rung last."""

    agent: str = ""
    """In a queue, as app_queue says (MEMBERNAME, set when the agent is there: app_queue.c, try_calling)."""
    queued_at: datetime | None = None
    """When that queue was entered, to the second."""
    waited_seconds: float = 0.0
    """How long the caller had waited for the agent (QEHOLDTIME)."""
    accepted_at: datetime | None = None
    """When somebody who was dialled accepted the call, to the second."""
    leg: int = 0
    """Which of those who were dialled."""


NOBODY: Final = Answers()
_NOT_SET: Final = "(null)"
_ANSWERS: Final = (
    *("MEMBERNAME", "CR_QUEUED_AT", "QEHOLDTIME", "CR_ACCEPTED", "CR_ACCEPTED_BY", "CR_OBJECTED", "CR_OVER_AT"),
)
_OBJECTED, _OVER = 5, 6
"""Where the time of an objection, and that of a routine's end, stand after the answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiced:
    """A message that Asterisk's fallback takes, or has taken (CR_VOICED)."""

    began_at: datetime
    node: str
    """Of the tree: whose message it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Who answered while an engine's commands ran, and who once Asterisk's fallback served the call."""

    before: Answers = NOBODY
    lost_at: datetime | None = None
    """When the fallback took the call; None when it never did."""
    since: Answers = NOBODY
    objected_at: datetime | None = None
    """When the caller objected to being recorded, to the second."""
    over_at: datetime | None = None
    """When the queue or the dial that was ordered last was over, to the second; None while it goes on."""
    voiced: Voiced | None = None


def read_voiced(text: str, shift: timedelta = timedelta()) -> Voiced | None:
    """`/<epoch>/<node>`; None for anything else."""
    nothing, _, rest = text.partition("/")
    epoch, _, node = rest.partition("/")
    began_at = instant(epoch, shift)
    return None if nothing or began_at is None else Voiced(began_at=began_at, node=node)


def instant(epoch: str, shift: timedelta = timedelta()) -> datetime | None:
    """Seconds since 1970 by the PBX's clock, by the engine's; None for anything else."""
    seconds = whole_number(epoch, EPOCH_DIGITS)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC) + shift


def read_answers(text: str, shift: timedelta = timedelta()) -> Answers:
    """`<agent>/<queued at>/<seconds waited>/<accepted at>/<leg>`; whatever is missing is not known."""
    agent, queued, waited, accepted, leg = (*text.split("/"), "", "", "", "", "")[:5]
    return Answers(
        agent=agent,
        queued_at=instant(queued, shift),
        waited_seconds=float(whole_number(waited) or 0),
        accepted_at=instant(accepted, shift),
        leg=whole_number(leg, LEG_DIGITS) or 0,
    )


def noted_in(before: str, lost: str, now: str, shift: timedelta = timedelta(), *, voiced: str = "") -> Noted:
    """The notes as the dialplan writes them: before the fallback, when it began, and those that stand now, to which
    the times of an objection and of a routine's end are added.
    """
    lost_at, standing = instant(lost, shift), read_answers(now, shift)
    added = (*now.split("/"), *[""] * len(_ANSWERS))
    objected_at, over_at = instant(added[_OBJECTED], shift), instant(added[_OVER], shift)
    if lost_at is None:
        return Noted(before=standing, objected_at=objected_at, over_at=over_at)
    return Noted(
        before=read_answers(before, shift),
        lost_at=lost_at,
        since=standing,
        objected_at=objected_at,
        over_at=over_at,
        voiced=read_voiced(voiced, shift),
    )


def variables_of(channel: AmiMessage) -> dict[str, str]:
    """The variables that `Status` was asked for; "" for one that is not set (manager.c, generate_status)."""
    pairs = [variable.partition("=") for variable in channel.all("Variable")]
    return {name: "" if value == _NOT_SET else value for name, _, value in pairs}


def noted_on(channel: AmiMessage, shift: timedelta = timedelta()) -> Noted:
    """The notes on a living channel, from its `Status`."""
    values, shift = variables_of(channel), shift + MIDDLE
    now = "/".join(values.get(name, "") for name in _ANSWERS)
    before, lost, voiced = (values.get(name, "") for name in ("CR_BEFORE", "CR_LOST_AT", "CR_VOICED"))
    return noted_in(before, lost, now, shift, voiced=voiced)


def missed(
    noted: Noted, *, reason: str, earliest: datetime, latest: datetime, queued_at: datetime | None = None
) -> list[inputs.Input]:
    """What nobody heard, in order and none of it outside of the time in which it can have happened.

    `reason` says why control was lost, if it was; `queued_at` is when the caller entered the queue, for a PBX that does
    not note it.
    """
    # app_queue counts the wait in whole seconds from a whole second, as the note of when it was entered does.
    told = list(_answered(noted.before, noted.before.queued_at or queued_at or earliest))
    if noted.objected_at is not None:
        told.append(inputs.RecordingTold(sign=inputs.RecordingSign.OBJECTED, at=noted.objected_at))
    if noted.lost_at is not None:
        told.append(inputs.ControlLost(reason=reason, at=noted.lost_at))
        told += _answered(noted.since, noted.since.queued_at or queued_at or noted.lost_at)
    return list(_within(told, earliest, latest))


def _answered(answers: Answers, queued_at: datetime) -> Iterator[inputs.Input]:
    if answers.agent:
        at = queued_at + timedelta(seconds=answers.waited_seconds)
        yield inputs.AgentAnswered(agent=SOMEBODY if answers.agent == FORWARDED else answers.agent, at=at)
    if answers.accepted_at is not None:
        yield inputs.LegAnswered(leg=answers.leg, at=answers.accepted_at)


def _within(told: list[inputs.Input], earliest: datetime, latest: datetime) -> Iterator[inputs.Input]:
    for one in told:
        earliest = min(max(one.at, earliest), latest)
        match one:
            case inputs.AgentAnswered(agent=agent):
                yield inputs.AgentAnswered(agent=agent, at=earliest)
            case inputs.LegAnswered(leg=leg):  # the carrier is not noted
                yield inputs.LegAnswered(leg=leg, at=earliest)
            case inputs.RecordingTold(sign=sign):
                yield inputs.RecordingTold(sign=sign, at=earliest)
            case inputs.ControlLost(reason=reason):
                yield inputs.ControlLost(reason=reason, at=earliest)
