"""What becomes of a message, instant by instant, while nobody acknowledges it and everybody can be told; and which
systems are told of a call.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from callrouter.core.call import Call, Disposition
from callrouter.core.dispatch import Kind, Means, Policy, Step, What
from callrouter.core.dispatch.progress import Move, Standing, next_move
from callrouter.core.forms import filled_of
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import CALLED, address_in_words, listed

_LISTED = "it stands on the agents' list"


def of_call(plan: Plan, call: Call) -> Iterator[str]:
    """What becomes of each message that a call has left, as `planned` says it, and which systems are told of what."""
    for message in call.messages:
        complete_at = message.started_at + timedelta(seconds=message.seconds)
        urgent = filled_of(message.values, caller_number=None).urgent
        yield from planned(plan, message.deliver, urgent=urgent, at=complete_at)
    happened = [*_happened(call)]
    for one in plan.subscriptions.values():
        if told := [kind for kind in happened if kind in one.kinds]:
            yield f"subscription {one.name}: {one.url} is told of {listed(told)}"


def _happened(call: Call) -> Iterator[Kind]:
    """What a call gives subscriptions to know, by itself."""
    if call.disposition is None:
        return
    yield Kind.CALL_ENDED
    if call.disposition is Disposition.ABANDONED:
        yield Kind.CALL_ABANDONED
    if call.messages:
        yield Kind.MESSAGE_TAKEN
    if call.callbacks:
        yield Kind.CALLBACK_ASKED


def planned(plan: Plan, deliver: str, *, urgent: bool, at: datetime) -> Iterator[str]:
    """What becomes of a message that is complete at an aware instant, while nobody acknowledges and all can be told.

    Each line has the time by the client's clock, who is told, with whoever is on call then, and where.
    """
    if not deliver:
        yield f"delivery: nobody is named; {_LISTED}"
        return
    policy = plan.policy_for(deliver)
    if policy is None:
        yield f"delivery: {deliver} is neither a policy nor a contact; {_LISTED}"
        return
    kind = "urgent" if urgent else "ordinary"
    named = f"policy {deliver}, {kind}" if deliver in plan.policies else deliver
    yield f"delivery by {named}, while nobody acknowledges:"
    yield from (f"  {line}" for line in _going(plan, policy, urgent, at))


def _going(plan: Plan, policy: Policy, urgent: bool, at: datetime) -> Iterator[str]:
    """As the worker goes (`core.dispatch.progress`), when the other side takes whatever is sent."""
    zone, since, now, inset = ZoneInfo(plan.timezone), at, at, ""
    ages_at = at + timedelta(seconds=policy.ages_seconds) if policy.ages_seconds and not urgent else None
    standing = Standing(policy=policy, urgent=urgent, ages_at=ages_at)
    while True:
        move = next_move(standing, now, plan.house)
        if move.standing.urgent and not standing.urgent:
            yield f"{_clock(now, zone, since)}  it goes the way of an urgent message:"
            since, inset = now, "  "
        clock = f"{inset}{_clock(now, zone, since)}"
        course = policy.course(urgent=move.standing.urgent)
        if move.standing.round:
            yield f"{clock}  all of it again, {course.repeat} times at most; then {_LISTED}"
            return
        yield from (f"{clock}  {line}" for line in _not_told(move))
        if move.ended is not None:
            if move.ended is What.ATTENTION:
                yield f"{clock}  {_LISTED}"
            return
        standing = move.standing
        if move.tellings and standing.begun is not None:
            step = course.steps[standing.step - 1]
            yield from (f"{clock}  {line}" for line in _told(plan, step, move, now))
            if not step.wait_seconds and standing.step < len(course.steps):
                yield f"{' ' * len(clock)}  (the next step is for when nobody could be told)"
            standing = replace(standing, begun=replace(standing.begun, open=0, reached=len(move.tellings)))
        if move.due_at is None:
            return
        now = move.due_at


def _told(plan: Plan, step: Step, move: Move, at: datetime) -> Iterator[str]:
    """Who is told when a step begins, and where: each by all of its means."""
    for contact, tellings in groupby(move.tellings, key=lambda one: one.contact):
        where = listed([f"{CALLED[one.means]} to {address_in_words(one.address)}" for one in tellings])
        reach = plan.people.get(contact)
        rota = next((name for name in step.to if contact in (plan.house.on_call(name, at) or ())), "")
        on_call = f" (on call by {rota})" if rota and contact not in step.to else ""
        yield f"{reach.title if reach and reach.title else contact}{on_call}: {where}"


def _not_told(move: Move) -> Iterator[str]:
    """Whom it would have been for, and why they are not told; as the message's trail says it."""
    for note in move.notes:
        if note.what in (What.NOBODY_ON_CALL, What.NO_CHANNEL):
            by = f", {CALLED[Means(note.means)]}" if note.means else ""
            yield f"{note.contact}{by}: {note.detail}" if note.contact else note.detail


def _clock(at: datetime, zone: ZoneInfo, since: datetime) -> str:
    """The time of day, with the day where it is another one."""
    local, first = at.astimezone(zone), since.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.date() == first.date() else f"{local:%a %d %b %H:%M}"
