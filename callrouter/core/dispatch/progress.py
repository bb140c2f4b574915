"""How far a message has come, and what is to be done next. Plain data in, plain data out: no clock, no database.

A step that has begun is over when its wait is, or when every telling of it has failed; then the next one begins, and
after the last one the first again, as often as the policy says. Without a wait, a step is over for good when one of its
tellings was taken: the next one is for when none was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from callrouter.core.dispatch.policy import Course, Means, Policy, Reach, Step
from callrouter.core.dispatch.trail import What

NOBODY_ACKNOWLEDGED = "nobody has acknowledged it"
NOBODY_TOLD = "nobody could be told"


class House(Protocol):
    """What is asked of the client's documents when a step begins."""

    def reach(self, contact: str) -> Reach | None:
        """Where somebody is reached; None: the client has no such contact."""
        ...

    def on_call(self, rota: str, at: datetime) -> tuple[str, ...] | None:
        """Names of those whom a rota has on call; None: there is no such rota."""
        ...

    def opens(self, hours: str, at: datetime) -> datetime | None:
        """The first instant from then on at which hours are open; None: not within a year, or there are none."""
        ...

    def strikes(self, step: Step, at: datetime) -> datetime:
        """The first of its times of day after that instant, by the client's clock."""
        ...


class Begun(Struct, frozen=True, kw_only=True):
    """The step that began last, and how its tellings stand."""

    at: datetime
    open: int
    """Those that are queued, or on their way."""
    reached: int
    """Those that the other side took."""


class Standing(Struct, frozen=True, kw_only=True):
    """How far a message has come."""

    policy: Policy
    urgent: bool
    step: int = 0
    """The next one."""
    round: int = 0
    ages_at: datetime | None = None
    held_until: datetime | None = None
    """When the next step begins that was put off."""
    begun: Begun | None = None
    """None: no step has begun, or none of this course."""


class Note(Struct, frozen=True, kw_only=True):
    """Something for the message's trail."""

    what: What
    detail: str
    contact: str = ""
    means: str = ""


class Telling(Struct, frozen=True, kw_only=True):
    """Somebody is to be told, by one means."""

    contact: str
    means: Means
    address: str
    batch: bool = False
    """Whether it may go together with others to the same address at the same time: a digest."""
    last: bool = False
    """Nothing follows where its fate stays unknown."""


class Move(Struct, frozen=True, kw_only=True):
    """What is to be done: where it stands from now on, who is to be told, and what the trail says."""

    standing: Standing
    due_at: datetime | None
    """When to look again; None: when something has become of a telling."""
    tellings: tuple[Telling, ...] = ()
    notes: tuple[Note, ...] = ()
    ended: What | None = None
    """TOLD or ATTENTION: nothing more happens by itself."""
    reason: str = ""
    """Of ATTENTION: a sentence's beginning."""


def next_move(standing: Standing, now: datetime, house: House) -> Move:
    """What is to be done with a message that is due, or of whose tellings something has become.

    It ends: each step that tells nobody brings the next, and after the last round it says so.
    """
    notes: list[Note] = []
    if not standing.urgent and standing.ages_at is not None and now >= standing.ages_at:
        notes.append(Note(what=What.AGED, detail="nobody has acknowledged it in time: it goes the urgent course"))
        standing = Standing(policy=standing.policy, urgent=True)
    if (waiting := _still_waits(standing, now)) is not None:
        return waiting
    course = standing.policy.course(urgent=standing.urgent)
    while True:
        found = _next_step(standing, course)
        if found is None:
            return _ended(standing, What.ATTENTION, _why(standing, course, notes), notes)
        index, round_ = found
        step = course.steps[index]
        if (start := _start(step, standing, now, house)) is None:
            notes.append(Note(what=What.NO_CHANNEL, detail=f"hours {step.hours} do not open: the step is passed over"))
            standing = _past(standing, index, round_)
            continue
        if start > now:
            held = replace(standing, step=index, round=round_, held_until=start, begun=None)
            notes.append(Note(what=What.HELD, detail=f"until {start.isoformat()}"))
            return Move(standing=held, due_at=_earliest(start, held.ages_at), notes=tuple(notes))
        last = index == len(course.steps) - 1 and round_ >= course.repeat
        tellings = tuple(_tellings(step, standing.policy.last, now, house, notes, last=last))
        standing = _past(standing, index, round_)
        if not tellings:
            continue
        whom = ", ".join(dict.fromkeys(one.contact for one in tellings))
        notes.append(Note(what=What.STEP, detail=f"{index + 1} of {len(course.steps)}: {whom}"))
        standing = replace(standing, begun=Begun(at=now, open=len(tellings), reached=0))
        due_at = now + timedelta(seconds=step.wait_seconds) if step.wait_seconds else None
        return Move(
            standing=standing, due_at=_earliest(due_at, standing.ages_at), tellings=tellings, notes=tuple(notes)
        )


def _still_waits(standing: Standing, now: datetime) -> Move | None:
    """What there is to wait for, or the end that has come; None: the next step is to begin."""
    begun = standing.begun
    if begun is None:
        if standing.held_until is not None and now < standing.held_until:
            return Move(standing=standing, due_at=_earliest(standing.held_until, standing.ages_at))
        return None
    if not begun.open and not begun.reached:
        return None
    wait_seconds = _begun_step(standing).wait_seconds
    if wait_seconds:
        over = begun.at + timedelta(seconds=wait_seconds)
        return Move(standing=standing, due_at=_earliest(over, standing.ages_at)) if now < over else None
    if begun.open:
        return Move(standing=standing, due_at=standing.ages_at)
    if standing.ages_at is not None and not standing.urgent:
        return Move(standing=standing, due_at=standing.ages_at)
    return _ended(standing, What.TOLD, "", [])


def _begun_step(standing: Standing) -> Step:
    return standing.policy.course(urgent=standing.urgent).steps[standing.step - 1]


def _next_step(standing: Standing, course: Course) -> tuple[int, int] | None:
    """Which step follows, and in which round; None: none does."""
    if standing.step < len(course.steps):
        return standing.step, standing.round
    if standing.round < course.repeat and course.steps:
        return 0, standing.round + 1
    return None


def _past(standing: Standing, index: int, round_: int) -> Standing:
    """Where it stands once that step has begun."""
    return replace(standing, step=index + 1, round=round_, held_until=None, begun=None)


def _start(step: Step, standing: Standing, now: datetime, house: House) -> datetime | None:
    """When a step begins; None: never."""
    if standing.held_until is not None:
        return standing.held_until
    if step.at:
        return house.strikes(step, now)
    return house.opens(step.hours, now) if step.hours else now


def _tellings(
    step: Step, otherwise: str, now: datetime, house: House, notes: list[Note], *, last: bool
) -> Iterator[Telling]:
    told: set[str] = set()
    for name in _people(step, otherwise, now, house, notes):
        reach = house.reach(name)
        if reach is None:
            notes.append(Note(what=What.NO_CHANNEL, detail="the client has no such contact any more", contact=name))
            continue
        for means in step.by or reach.means:
            address = reach.address(means)
            if not address:
                wrong = "the contact has no address for it"
                notes.append(Note(what=What.NO_CHANNEL, detail=wrong, contact=name, means=means))
            elif address not in told:
                told.add(address)
                yield Telling(contact=name, means=means, address=address, batch=bool(step.at), last=last)
        if not step.by and not reach.means:
            notes.append(Note(what=What.NO_CHANNEL, detail="has neither e-mail nor url", contact=name))


def _people(step: Step, otherwise: str, now: datetime, house: House, notes: list[Note]) -> Iterator[str]:
    """Contacts; for a rota those on call, and where nobody is, `otherwise`."""
    for name in step.to:
        people = house.on_call(name, now)
        if people is None:
            yield name
        elif not people:
            notes.append(Note(what=What.NOBODY_ON_CALL, detail=f"nobody is on call by {name}"))
            if otherwise:
                yield otherwise
        else:
            yield from people


def _why(standing: Standing, course: Course, notes: list[Note]) -> str:
    """Why it stands on the list."""
    if not course.steps:
        return "its rule names nobody"
    if standing.begun is not None and (standing.begun.open or standing.begun.reached):
        return NOBODY_ACKNOWLEDGED
    said = dict.fromkeys(f"{one.contact}: {one.detail}" if one.contact else one.detail for one in notes)
    return f"{NOBODY_TOLD}: {'; '.join(said)}" if said else NOBODY_TOLD


def _ended(standing: Standing, what: What, reason: str, notes: list[Note]) -> Move:
    notes = [*notes, Note(what=what, detail=reason)]
    return Move(standing=standing, due_at=None, notes=tuple(notes), ended=what, reason=reason)


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)
