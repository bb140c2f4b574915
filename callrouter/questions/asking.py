"""A rehearsed call from texts, as the command line and the tables of expected routes write them.

Every function raises ValueError with a sentence that says what is wrong and how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from msgspec import Struct

from callrouter.core import numbers
from callrouter.core.call import CallerId, DialOutcome, Presentation, QueueOutcome
from callrouter.core.effects import Lookup
from callrouter.core.inputs import QueueLook
from callrouter.core.plan import Plan, names_of
from callrouter.core.rota import Contact, Rota
from callrouter.core.schedule import DAYS
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import values
from callrouter.questions.examples import standing
from callrouter.questions.rehearsal import DialBehaviour, QueueBehaviour

EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
"""Nobody calls before or after."""

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
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise ValueError(f"{written!r} is not within {EARLIEST_YEAR} to {LATEST_YEAR}")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def remarks_on(written: str, at: datetime, plan: Plan) -> Iterator[str]:
    """What should be known of a time that was understood: it does not exist, or its holidays are not known."""
    zone = ZoneInfo(plan.timezone)
    local = at.astimezone(zone)
    clock = re.search(r"([0-9]{1,2}):([0-9]{2})", written)
    if clock and not _has_offset(written) and (int(clock[1]), int(clock[2])) != (local.hour, local.minute):
        yield f"{clock[0]} does not exist on that day, the clocks go forward: {local:%H:%M} is taken"
    used = hours_in(plan)
    years = {day.year for name in used for day in plan.schedules[name].holidays}
    if years and local.year not in years:
        yield f"public holidays are known for {min(years)} to {max(years)} only: {local.year} is taken to have none"


def _has_offset(written: str) -> bool:
    try:
        return datetime.fromisoformat(written.strip()).tzinfo is not None
    except ValueError:
        return False


def _next_day(word: str, plan: Plan, today: date) -> date:
    used = hours_in(plan)
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


class QueueStates(Struct, frozen=True, kw_only=True):
    """How queues stand, and what becomes of callers in them."""

    behaviours: Mapping[str, QueueBehaviour]
    others: QueueBehaviour
    """What becomes of callers in queues that are not named."""
    looks: Mapping[str, QueueLook | None]


def queues_of(written: Mapping[str, str], plan: Plan) -> QueueStates:
    """`full`, `agents:0,waiting:7`, `unseen` or several of them, for queues by name.

    A queue that is `empty` has no agents, and one without agents is `empty`, as long as nothing else is said.

    Raises:
        ValueError: the tree has no such queue, or what is said of it cannot be understood.
    """
    known = queues_in(plan)
    behaviours: dict[str, QueueBehaviour] = {}
    looks: dict[str, QueueLook | None] = {}
    for name, text in written.items():
        if name != ANYBODY and name not in known:
            raise ValueError(f"{name!r} is no queue of the tree{_meant(name, known)}")
        outcome, look = _queue_state(text)
        behaviours[name] = QueueBehaviour(outcome=outcome)
        looks |= dict.fromkeys(known if name == ANYBODY else (name,), look)
    others = behaviours.pop(ANYBODY, QueueBehaviour())
    return QueueStates(behaviours=behaviours, others=others, looks=looks)


def queues_in(plan: Plan) -> tuple[str, ...]:
    """All queues a tree has callers wait in, or looks at."""
    return tuple(sorted({queue for about in plan.about.values() for queue in (*about.queues, *about.queues_seen)}))


def hours_in(plan: Plan) -> frozenset[str]:
    """The sets of hours a tree goes by."""
    return frozenset(about.reads.hours for about in plan.about.values() if about.reads.hours)


def _queue_state(written: str) -> tuple[QueueOutcome, QueueLook | None]:
    outcome: QueueOutcome | None = None
    seen = True
    said: dict[str, float] = {}
    for part in (part.strip() for part in written.split(",")):
        measure, colon, value = part.partition(":")
        if colon:
            said[measure] = _measured(measure, value)
        elif part == UNSEEN:
            seen = False
        else:
            outcome = _outcome(part, QueueOutcome, f"{', '.join(_MEASURES)} with a number (agents:0), or {UNSEEN}")
    if outcome is QueueOutcome.EMPTY:
        said.setdefault("agents", 0)
    counts = {name: int(said[name]) for name in _COUNTED if name in said}
    look = standing(**counts, talk=said.get("talk"))
    if look.free > look.agents:
        raise ValueError(f"{look.free} agents cannot be free where {look.agents} are logged in")
    nobody = QueueOutcome.EMPTY if look.agents == 0 else QueueOutcome.ANSWERED
    return outcome or nobody, look if seen else None


UNSEEN = "unseen"
"""Said of a queue that cannot be looked at."""
_COUNTED = ("agents", "free", "waiting")
_MEASURES = (*_COUNTED, "talk")


def _measured(measure: str, value: str) -> float:
    if measure not in _MEASURES:
        raise ValueError(f"{measure!r} cannot be said of a queue{_meant(measure, _MEASURES)}")
    try:
        return values.duration(value) if measure == "talk" else values.count(value)
    except ValueError as error:
        raise ValueError(f"{measure}: {error}") from None


class LookedUp(Struct, frozen=True, kw_only=True):
    """What web services answer, as `Script` has it."""

    answers: Mapping[str, str] | None
    failing: frozenset[str]


def lookups_of(written: Mapping[str, str], plan: Plan) -> LookedUp:
    """Values by variable; `failed` for the name of a lookup, or for `*`: none of them is answered.

    Raises:
        ValueError: no lookup has such a variable or such a name, or the value is longer than its field.
    """
    asked = [(node, one) for node, about in plan.about.items() for one in about.does if isinstance(one, Lookup)]
    names = {name for node, _ in asked for name in names_of(node)}
    longest = {field.variable: field.longest for _, lookup in asked for field in lookup.fields}
    answers: dict[str, str] = {}
    failing: set[str] = set()
    for name, value in written.items():
        if value == FAILED and (name == ANYBODY or name in names):
            failing.add(name)
        elif name not in longest:
            raise ValueError(f"{name!r} is no variable of a lookup{_meant(name, (*longest, *names))}")
        elif not value or len(value.encode()) > longest[name]:
            raise ValueError(f"{name} holds 1 to {longest[name]} bytes: no lookup could answer {shown(value)}")
        else:
            answers[name] = value
    everything = ANYBODY in failing
    return LookedUp(answers=None if everything else answers, failing=frozenset(failing - {ANYBODY}))


def dials_of(written: Mapping[str, str], plan: Plan, region: str) -> tuple[dict[str, DialBehaviour], DialBehaviour]:
    """What each number does when it is rung, from names of contacts and rotas and numbers as a person writes them.

    Of a rota it is said of everybody it names; what is said of one of them comes before that.

    Raises:
        ValueError: it is neither a contact or rota of the tree nor a number, or there is no such outcome.
    """
    entries = _rung_in(plan)
    rotas = {entry.name: entry.people() for entry in entries if isinstance(entry, Rota)}
    people = {entry.name: entry for entry in entries if not isinstance(entry, Rota)}
    people |= {one.name: one for rota in rotas.values() for one in rota}
    of_rotas: dict[str, DialBehaviour] = {}
    by_number, anybody = {}, DialBehaviour()
    for name, text in written.items():
        behaviour = DialBehaviour(outcome=_outcome(text, DialOutcome))
        if name == ANYBODY:
            anybody = behaviour
        elif name in people:
            by_number[people[name].number] = behaviour
        elif name in rotas:
            of_rotas |= dict.fromkeys((one.number for one in rotas[name]), behaviour)
        elif number := numbers.normalise(name, region):
            by_number[number] = behaviour
        else:
            hint = closest(name, (*people, *rotas))
            meant = f' (did you mean "{hint}"?)' if hint else ""
            raise ValueError(f"{name!r} is neither a contact of the tree nor a number{meant}")
    return {**of_rotas, **by_number}, anybody


def dialled_in(plan: Plan) -> frozenset[str]:
    """Names of all contacts and rotas a tree rings."""
    entries = _rung_in(plan)
    people = (one.name for entry in entries if isinstance(entry, Rota) for one in entry.people())
    return frozenset((*people, *(entry.name for entry in entries)))


def _rung_in(plan: Plan) -> list[Contact | Rota]:
    """Contacts and rotas, as the nodes name them."""
    rings = (ring for about in plan.about.values() for ring in about.uses.rings)
    return [ring.whom for ring in rings if not isinstance(ring.whom, str)]


def _meant(name: str, known: Collection[str]) -> str:
    """What was probably meant, or all there is."""
    hint = closest(name, known)
    return f' (did you mean "{hint}"?)' if hint else f": it has {', '.join(sorted(known)) or 'none'}"


def _outcome(written: str, outcomes: type[_Outcome], besides: str = "") -> _Outcome:
    try:
        return outcomes(written)
    except ValueError:
        also = f", or {besides}" if besides else ""
        raise ValueError(f"write NAME=OUTCOME, one of {', '.join(outcomes)}{also}") from None


def speaking_seconds(written: str) -> float:
    """How long a caller speaks after the beep: seconds (`10`), or a duration (`1m30s`).

    Raises:
        ValueError: it is neither, or longer than a day.
    """
    plain = re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", written.strip(), re.ASCII)
    return values.duration(f"{written.strip()}s" if plain else written)
