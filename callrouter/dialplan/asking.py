"""A rehearsed call from texts, as the command line and the tables of expected routes write them.

Every function raises ValueError with a sentence that says what is wrong and how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

import phonenumbers

from callrouter.core import numbers
from callrouter.core.call import CallerId, DialOutcome, Presentation, QueueOutcome
from callrouter.core.nodes import DialNode, OpeningHoursNode
from callrouter.core.plan import Plan
from callrouter.core.rehearsal import DialBehaviour, QueueBehaviour
from callrouter.core.schedule import DAYS
from callrouter.dialplan.issues import closest, shown

ANYBODY = "*"
"""Name of all queues, or of all contacts."""

_ANONYMOUS = frozenset({"anonymous", "withheld"})
_KEYS = frozenset("0123456789*#")
_RECURRING = re.compile(rf"({'|'.join(DAYS)}|holiday) ([01]?\d|2[0-3]):([0-5]\d)", re.ASCII | re.IGNORECASE)
_Outcome = TypeVar("_Outcome", bound=StrEnum)


def caller_of(written: str, region: str) -> CallerId:
    """A caller by his number, or `anonymous`.

    Raises:
        ValueError: it is neither.
    """
    if written.strip().lower() in _ANONYMOUS:
        return CallerId(presentation=Presentation.WITHHELD)
    number = numbers.normalise(written, region)
    if number is None:
        raise ValueError(f'{shown(written)} is no telephone number of {region}: write one, or "anonymous"')
    return CallerId(number=number)


def did_of(written: str, plan: Plan, region: str) -> str:
    """One of the client's numbers; the first when none is written.

    Raises:
        ValueError: it is none of them.
    """
    if not written:
        return plan.numbers[0] if plan.numbers else ""
    number = numbers.normalise(written, region)
    if number not in plan.numbers:
        raise ValueError(f"{written} is no number of {plan.client}: it has {', '.join(plan.numbers)}")
    return number or ""


def region_of(plan: Plan, default: str) -> str:
    """The country whose national numbers a client's people write: that of the client's own first number."""
    if not plan.numbers:
        return default
    return phonenumbers.region_code_for_number(phonenumbers.parse(plan.numbers[0])) or default


def instant_of(written: str, plan: Plan, now: datetime) -> datetime:
    """`2026-05-01T09:00` in the client's zone, or the next `tue 10:00` that is an ordinary day, or `holiday 10:00`.

    Raises:
        ValueError: it is none of them, or the client has no holidays.
    """
    zone = ZoneInfo(plan.timezone)
    if found := _RECURRING.fullmatch(written.strip()):
        word, hour, minute = found.groups()
        day = _next_day(word.lower(), plan, now.astimezone(zone).date())
        return datetime.combine(day, time(int(hour), int(minute)), zone).astimezone(UTC)
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        wrong = f'{written!r} is no time: write 2026-05-01T09:00, or "tue 10:00", or "holiday 10:00"'
        raise ValueError(wrong) from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _next_day(word: str, plan: Plan, today: date) -> date:
    used = {node.hours for node in plan.nodes.values() if isinstance(node, OpeningHoursNode)}
    schedules = [schedule for name, schedule in plan.schedules.items() if name in used]
    for offset in range(1, 2 * 366):
        day = today + timedelta(days=offset)
        excepted = any(one.first <= day <= one.last for schedule in schedules for one in schedule.exceptions)
        holiday = any(day in schedule.holidays for schedule in schedules)
        if word == "holiday":
            if holiday and not excepted:
                return day
        elif DAYS[day.weekday()] == word and not (holiday or excepted):
            return day
    raise ValueError(f"no {'holiday' if word == 'holiday' else f'ordinary {word}'} comes within two years")


def pressed(written: str) -> str:
    """Keys of a telephone.

    Raises:
        ValueError: one of them is none.
    """
    keys = written.strip()
    if odd := set(keys) - _KEYS:
        raise ValueError(f"{min(odd)!r} is no key of a telephone")
    return keys


def pressed_in_turn(written: str) -> tuple[str, ...]:
    """What is keyed at each question: `2`, or `9,,75011#`; nothing between two commas is silence.

    Raises:
        ValueError: something else than a key stands there.
    """
    return tuple(pressed(part) for part in written.split(",")) if written else ()


def queues_of(written: Mapping[str, str], plan: Plan) -> tuple[dict[str, QueueBehaviour], QueueBehaviour]:
    """What becomes of callers in each queue, and in those not named.

    Raises:
        ValueError: the tree has no such queue, or none has such an outcome.
    """
    known = sorted({queue for node in plan.nodes.values() if (queue := getattr(node, "queue", ""))})
    by_name = {}
    for name, text in written.items():
        if name != ANYBODY and name not in known:
            hint = closest(name, known)
            meant = f' (did you mean "{hint}"?)' if hint else f": it has {', '.join(known) or 'none'}"
            raise ValueError(f"{name!r} is no queue of the tree{meant}")
        by_name[name] = QueueBehaviour(outcome=_outcome(text, QueueOutcome))
    return by_name, by_name.pop(ANYBODY, QueueBehaviour())


def dials_of(written: Mapping[str, str], plan: Plan, region: str) -> tuple[dict[str, DialBehaviour], DialBehaviour]:
    """What each number does when it is rung, from names of contacts and numbers as a person writes them.

    Raises:
        ValueError: it is neither a contact of the tree nor a number, or there is no such outcome.
    """
    contacts = {
        contact.name: contact.number
        for node in plan.nodes.values()
        if isinstance(node, DialNode)
        for contact in node.people()
    }
    by_number, anybody = {}, DialBehaviour()
    for name, text in written.items():
        behaviour = DialBehaviour(outcome=_outcome(text, DialOutcome))
        number = contacts.get(name) or numbers.normalise(name, region)
        if name == ANYBODY:
            anybody = behaviour
        elif number:
            by_number[number] = behaviour
        else:
            hint = closest(name, contacts)
            meant = f' (did you mean "{hint}"?)' if hint else ""
            raise ValueError(f"{name!r} is neither a contact of the tree nor a number{meant}")
    return by_number, anybody


def _outcome(written: str, outcomes: type[_Outcome]) -> _Outcome:
    try:
        return outcomes(written)
    except ValueError:
        raise ValueError(f"write NAME=OUTCOME, one of {', '.join(outcomes)}") from None
