"""What Asterisk's dialplan does with what is published, and what `route` says of the same call: to be compared.

`followed` does as `[callrouter-fallback-caller]` and `[callrouter-fallback-now]` of extensions.conf do, step by step;
`said_by_route` knows nothing of lists, timelines and keys, and walks the tree at that one instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from callrouter.asterisk.alone.ready_made import ANSWERS, CALLERS, FALLBACKS, LISTED, TIMES, Entry, fallback_of, written
from callrouter.core.call import CallerId, Disposition
from callrouter.core.conditions import DateWithin
from callrouter.core.effects import Hangup, Sound
from callrouter.core.fallback import Alone, Ready, ready_by, said_by
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import OpeningHoursNode
from callrouter.core.plan import Plan
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED
from callrouter.questions.decisions import Decision
from callrouter.questions.occasions import calendar, ordinary_caller
from callrouter.questions.rehearsal import Rehearsal, Script, rehearse

SILENT = Script(decided={Decision("lookup", ANYBODY): FAILED})
THEIR_OWN = (Alone.QUEUE, Alone.NUMBER, Alone.REFUSED)


def followed(published: Mapping[Entry, str], dialled: str, digits: str, why: str, at: datetime) -> str:
    """The answer for a caller of these digits, or of none and why, who dialled a number in some spelling."""
    plan = published.get((FALLBACKS, dialled), "")
    lists = published.get((CALLERS, dialled), "")
    if lists:
        plan = _of_caller(published, lists, digits, why) or plan
    while plan.startswith("at:"):
        plan = _now(published, plan.removeprefix("at:"), int(at.timestamp()) // 60)
    return plan


def _of_caller(published: Mapping[Entry, str], lists: str, digits: str, why: str) -> str:
    name, _, lengths = lists.partition(":")
    who = digits.removeprefix("00") if digits else why
    found = published.get((LISTED + name, who), "")
    for length in lengths.split(".") if digits and lengths else ():
        found = found or published.get((LISTED + name, f"{who[: int(length)]}*"), "")
    return found


def _now(published: Mapping[Entry, str], key: str, minute: int) -> str:
    """An answer, or where to look on."""
    first, ids, changes, *more = published[TIMES, key].split("|")
    if more:
        after, _, following = more[0].partition("-")
        if int(after) <= minute - int(first):
            return f"at:{following}"
    nth = 1
    for change in changes.split("&"):
        after, _, then = change.partition("-")
        if int(after) > minute - int(first):
            break
        nth = int(then)
    return published[ANSWERS, ids.split("&")[nth - 1]]


def walked(plan: Plan, did: str, caller: CallerId, at: datetime) -> Rehearsal:
    """As `route` walks it: nothing is keyed, and no web service answers."""
    return rehearse(plan, CallOffered(call_id="alone", did=did, caller=caller, at=at), SILENT)


def said_by_route(plan: Plan, did: str, caller: CallerId, at: datetime) -> str | None:
    """The declared fallback while the walk meets no closed hours or date, else what it comes to first; for callers of
    lists what they have of their own. None where the calendar says something else before the walk is there.
    """
    found, closed, until = _met(plan, did, caller, at)
    if calendar(plan).said_at(at) != calendar(plan).said_at(until):
        return None
    if closed or not plan.fallback:
        return written(found, plan, did)
    if found.does in THEIR_OWN and found != _met(plan, did, ordinary_caller(plan), at)[0]:
        return written(found, plan, did)
    return fallback_of(plan, did)


def _met(plan: Plan, did: str, caller: CallerId, at: datetime) -> tuple[Ready, bool, datetime]:
    sounds: tuple[Sound, ...] = ()
    closed = False
    steps = walked(plan, did, caller, at).steps
    for step in steps:
        closed = closed or any(_is_closed(plan, visit.node, visit.exit) for visit in step.visits)
        if step.call.ended:
            break
        sounds += said_by(step.effects)
        if (ready := ready_by(step.call.node, step.wait, sounds)) is not None:
            return ready, closed, step.at
        if isinstance(step.wait, Hangup) and step.call.verdict is Disposition.REJECTED:
            return Ready(does=Alone.REFUSED, cause=step.wait.cause, sounds=sounds), closed, step.at
    return Ready(does=Alone.CLOSED, sounds=sounds), closed, steps[-1].at


def _is_closed(plan: Plan, name: str, leaves_by: str) -> bool:
    node = plan.nodes.get(name)
    if isinstance(node, OpeningHoursNode):
        return leaves_by != "open"
    conditions = plan.about[name].reads.conditions if name in plan.about else ()
    return leaves_by.startswith("when:") and isinstance(conditions[int(leaves_by[5:])], DateWithin)
