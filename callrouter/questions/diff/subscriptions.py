"""What differs between two versions in which systems are told what happens."""

from __future__ import annotations

from collections.abc import Iterator

from callrouter.core.dispatch import Subscription
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import listed
from callrouter.dialplan.show.subscriptions import described


def changed_subscriptions(old: Plan, new: Plan) -> Iterator[str]:
    """Sentences about one client's."""
    for name, one in new.subscriptions.items():
        if name not in old.subscriptions:
            yield f"Subscription {name} is new: {described(one)}."
        elif changes := list(_of_one(old.subscriptions[name], one)):
            yield f"Subscription {name}: {'; '.join(changes)}."
    for name in old.subscriptions:
        if name not in new.subscriptions:
            yield f"Subscription {name} is gone: nothing more is posted to {old.subscriptions[name].url}."


def _of_one(was: Subscription, one: Subscription) -> Iterator[str]:
    if was.url != one.url:
        yield f"it is now told at {one.url} instead of {was.url}"
    more, fewer = ([str(kind) for kind in kinds] for kinds in (_beyond(one, was), _beyond(was, one)))
    if more:
        yield f"it is now told of {listed(more)} too"
    if fewer:
        yield f"it is no longer told of {listed(fewer, 'or')}"
    if was.secret != one.secret:
        yield f"what it is told is now {_signed(one)} instead of {_signed(was)}"


def _beyond(one: Subscription, other: Subscription) -> list[str]:
    return [kind for kind in one.kinds if kind not in other.kinds]


def _signed(one: Subscription) -> str:
    return f"signed with CALLROUTER_SECRET_{one.secret}" if one.secret else "not signed"
