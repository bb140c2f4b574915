"""Blocks of the document into nodes of the core, one function a verb, listed by hand below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callrouter.core import numbers
from callrouter.core.conditions import Condition
from callrouter.core.nodes import (
    AnswerNode,
    BranchNode,
    CallerNode,
    CollectDigitsNode,
    DialNode,
    HangupNode,
    MenuNode,
    MessageNode,
    Node,
    OpeningHoursNode,
    PlayNode,
    QueueNode,
    RedirectNode,
    RejectNode,
    SetNode,
)
from callrouter.core.rota import Contact, Rota
from callrouter.dialplan import outside_builders
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language.conditions import ConditionBlock, condition
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.language.prompts import (
    CAUSES,
    AnswerBlock,
    BranchBlock,
    CallerBlock,
    CollectDigitsBlock,
    DialBlock,
    HangupBlock,
    MenuBlock,
    MessageBlock,
    OpeningHoursBlock,
    PlayBlock,
    QueueBlock,
    RedirectBlock,
    RejectBlock,
    SetBlock,
)
from callrouter.dialplan.outside_builders import own_name
from callrouter.dialplan.scope import Scope

KEYS = frozenset("0123456789*#")


def build(scope: Scope, name: str, verb: str, block: Block) -> Node | None:
    """The node, or None where something it cannot do without is wrong (which is then among the scope's issues)."""
    make: Callable[[Scope, str, Any], Node | None] = _BUILDERS[verb]
    return make(scope, name, block)


def _at(scope: Scope, name: str) -> int:
    return scope.line("nodes", name)


def _answer(scope: Scope, name: str, block: AnswerBlock) -> Node:
    exits = scope.leads(name, "answer", ("next", block.next, ("next",)))
    return AnswerNode(name=name, line=_at(scope, name), exits=exits)


def _play(scope: Scope, name: str, block: PlayBlock) -> Node:
    return PlayNode(
        name=name,
        line=_at(scope, name),
        exits=scope.leads(name, "play", ("next", block.next, ("next",))),
        sounds=scope.parts(block.prompt, "nodes", name, "play", "prompt"),
        interruptible=block.interruptible,
    )


def _menu(scope: Scope, name: str, block: MenuBlock) -> Node:
    here = ("nodes", name, "menu")
    for key in block.keys:
        if key not in KEYS:
            scope.fail(f"{shown(key)} is no key: a telephone has 0 to 9, * and #", *here, "keys", key)
    silent, unknown = block.no_input, block.no_match
    return MenuNode(
        name=name,
        line=_at(scope, name),
        exits=scope.leads(
            name,
            "menu",
            *((f"key:{key}", target, ("keys", key)) for key, target in block.keys.items()),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=scope.voices(block.prompt, *here, "prompt"),
        keys=tuple(block.keys),
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=scope.voices(silent.prompt, *here, "no_input", "prompt"),
        no_match_sounds=scope.voices(unknown.prompt, *here, "no_match", "prompt"),
    )


def _collect_digits(scope: Scope, name: str, block: CollectDigitsBlock) -> Node:
    here = ("nodes", name, "collect_digits")
    own_name(scope, block.variable, *here, "variable")
    silent, unknown = block.no_input, block.no_match
    return CollectDigitsNode(
        name=name,
        line=_at(scope, name),
        exits=scope.leads(
            name,
            "collect_digits",
            ("next", block.next, ("next",)),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=scope.voices(block.prompt, *here, "prompt"),
        variable=block.variable,
        min_digits=block.min,
        max_digits=block.max,
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=scope.voices(silent.prompt, *here, "no_input", "prompt"),
        no_match_sounds=scope.voices(unknown.prompt, *here, "no_match", "prompt"),
    )


def _opening_hours(scope: Scope, name: str, block: OpeningHoursBlock) -> Node | None:
    here = ("nodes", name, "opening_hours")
    exits = scope.leads(
        name,
        "opening_hours",
        ("open", block.open, ("open",)),
        ("closed", block.closed, ("closed",)),
        ("holiday", block.holiday, ("holiday",)),
    )
    hours = block.hours
    if not scope.schedules:
        scope.fail('the client has no hours: write them under "hours"', *here)
        return None
    if hours is None:
        if len(scope.schedules) > 1:
            names = ", ".join(scope.schedules)
            scope.fail(f'"hours" is missing: say which of the client\'s hours ({names})', *here)
            return None
        hours = next(iter(scope.schedules))
    elif hours not in scope.schedules:
        suggestion = closest(hours, scope.schedules)
        scope.fail(f"the client has no hours called {shown(hours)}", *here, "hours", suggestion=suggestion)
        return None
    return OpeningHoursNode(name=name, line=_at(scope, name), exits=exits, hours=scope.hours_prefix + hours)


def _caller(scope: Scope, name: str, block: CallerBlock) -> Node:
    here = ("nodes", name, "caller")
    exits = scope.leads(
        name,
        "caller",
        *((f"list:{key}", target, (key,)) for key, target in block.lists.items()),
        ("otherwise", block.otherwise, ("otherwise",)),
    )
    for key in block.lists:
        if key not in scope.lists:
            suggestion = closest(key, scope.lists)
            scope.fail(f"the client has no list called {shown(key)}", *here, key, suggestion=suggestion)
    lists = tuple(scope.lists[key] for key in block.lists if key in scope.lists)
    return CallerNode(name=name, line=_at(scope, name), exits=exits, lists=lists)


def _branch(scope: Scope, name: str, block: BranchBlock) -> Node:
    exits = scope.leads(
        name,
        "branch",
        *((f"when:{i}", part.then, ("when", i, "then")) for i, part in enumerate(block.when)),
        ("otherwise", block.otherwise, ("otherwise",)),
    )
    when = tuple(_condition(scope, name, index, part) for index, part in enumerate(block.when))
    return BranchNode(name=name, line=_at(scope, name), exits=exits, when=when)


def _condition(scope: Scope, name: str, index: int, block: ConditionBlock) -> Condition:
    if block.queue is not None:
        scope.queue(block.queue, "nodes", name, "branch", "when", index, "queue")
    return condition(block, scope.timezone if scope.hours_prefix else "")


def _set(scope: Scope, name: str, block: SetBlock) -> Node:
    exits = scope.leads(name, "set", ("next", block.next, ("next",)))
    for variable in block.variables or {}:
        own_name(scope, variable, "nodes", name, "set", "variables", variable)
    return SetNode(name=name, line=_at(scope, name), exits=exits, variables=dict(block.variables or {}))


def _queue(scope: Scope, name: str, block: QueueBlock) -> Node:
    here = ("nodes", name, "queue")
    scope.queue(block.name, *here, "name")
    return QueueNode(
        name=name,
        line=_at(scope, name),
        exits=scope.leads(name, "queue", ("overflow", block.overflow, ("overflow",)), ("done", block.done, ("done",))),
        queue=block.name,
        priority=block.priority,
        max_wait_seconds=block.max_wait,
        brief=scope.voices(block.brief, *here, "brief"),
    )


def _dial(scope: Scope, name: str, block: DialBlock) -> Node:
    here = ("nodes", name, "dial")
    contacts: list[Contact | Rota] = []
    for index, wanted in enumerate(block.contacts):
        person = scope.on_call(wanted, *here, "contacts", index)
        if person is None:
            continue
        if isinstance(person, Rota):
            for one in person.people():
                scope.may_dial(one.number, *here, "contacts", index, who=f"rota {shown(wanted)}, {shown(one.name)}")
            contacts.append(person)
            continue
        if person.number is None:
            scope.fail(f"contact {shown(wanted)} has no number to ring", *here, "contacts", index)
            continue
        scope.may_dial(person.number, *here, "contacts", index, who=f"contact {shown(wanted)} ({person.source})")
        contacts.append(Contact(name=wanted, number=person.number))
    return DialNode(
        name=name,
        line=_at(scope, name),
        exits=scope.leads(
            name, "dial", ("no_answer", block.no_answer, ("no_answer",)), ("done", block.done, ("done",))
        ),
        contacts=tuple(contacts),
        at_once=block.mode == "at_once",
        ring_seconds=block.ring,
        screen=scope.voices(block.screen, *here, "screen"),
    )


def _redirect(scope: Scope, name: str, block: RedirectBlock) -> Node | None:
    assert block.number is not None, "a redirect into a tree is no node: the assembly resolves it"
    exits = scope.leads(name, "redirect", ("failed", block.failed, ("failed",)))
    number = numbers.normalise(block.number, scope.country)
    if number is None:
        wrong = f"{shown(block.number)} is no telephone number of {scope.country}"
        scope.fail(wrong, "nodes", name, "redirect", "number")
        return None
    scope.may_dial(number, "nodes", name, "redirect", "number")
    return RedirectNode(name=name, line=_at(scope, name), exits=exits, number=number, ring_seconds=block.ring)


def _message(scope: Scope, name: str, block: MessageBlock) -> Node:
    here = ("nodes", name, "message")
    if block.deliver is not None:
        scope.contact(block.deliver, *here, "deliver")
    return MessageNode(
        name=name,
        line=_at(scope, name),
        exits=scope.leads(name, "message", ("done", block.done, ("done",)), ("empty", block.empty, ("empty",))),
        sounds=scope.voices(block.prompt, *here, "prompt"),
        max_seconds=block.max,
        silence_seconds=block.silence,
        min_seconds=block.min,
        deliver=block.deliver or "",
    )


def _reject(scope: Scope, name: str, block: RejectBlock) -> Node:
    sounds = scope.voices(block.prompt, "nodes", name, "reject", "prompt")
    return RejectNode(name=name, line=_at(scope, name), sounds=sounds, cause=CAUSES[block.cause])


def _hangup(scope: Scope, name: str, block: HangupBlock) -> Node:
    sounds = scope.voices(block.prompt, "nodes", name, "hangup", "prompt")
    return HangupNode(name=name, line=_at(scope, name), sounds=sounds)


_BUILDERS: dict[str, Callable[[Scope, str, Any], Node | None]] = {
    "answer": _answer,
    "play": _play,
    "menu": _menu,
    "collect_digits": _collect_digits,
    "opening_hours": _opening_hours,
    "caller": _caller,
    "branch": _branch,
    "set": _set,
    "queue": _queue,
    "dial": _dial,
    "redirect": _redirect,
    "message": _message,
    "callback": outside_builders.callback,
    "lookup": outside_builders.lookup,
    "notify": outside_builders.notify,
    "reject": _reject,
    "hangup": _hangup,
}
