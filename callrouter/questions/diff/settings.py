"""What differs between two versions although no caller meets it: what agents hear, how long there is to press a key,
what is promised to the client, who answers a team's line, what is asked for messages, where these go, and which
systems are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from callrouter.core.effects import Sound
from callrouter.core.nodes import Node
from callrouter.core.nodes.about import SENT
from callrouter.core.plan import Plan
from callrouter.core.retention.rule import Kind
from callrouter.dialplan.issues import how_many
from callrouter.dialplan.language.words import length
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.dialplan.show.reports import described
from callrouter.questions.diff.delivery import changed_policies
from callrouter.questions.diff.forms import changed_forms
from callrouter.questions.diff.same_tree import differing
from callrouter.questions.diff.subscriptions import changed_subscriptions


def _said(sounds: tuple[Sound, ...]) -> str:
    return " ".join(f"«{sound.text or sound.file}»" for sound in sounds) or "nothing"


def unheard(old: Plan, new: Plan) -> Iterator[str]:
    """Sentences about one client's tree."""
    for before, now in differing(old, new):
        was, becomes = old.nodes.get(before), new.nodes.get(now)
        renamed = before not in new.nodes and now not in old.nodes
        if was is None or becomes is None or type(was) is not type(becomes) or now == new.fallback:
            continue
        if before == now or renamed:
            yield from _of_node(was, becomes)
    was_promised, promised = old.service_level, new.service_level
    if was_promised != promised:
        yield f"The client is now promised {_promise(new)} instead of {_promise(old)}."
    if old.identity != new.identity:
        yield f"Whoever is rung outside now sees {_identity(new)} instead of {_identity(old)}."
    if old.answer_phrase != new.answer_phrase:
        yield f"Agents now answer for the client {_phrase(new)} instead of {_phrase(old)}."
    if old.wrap_up != new.wrap_up:
        yield f"After a conversation agents are now left alone {_wrap_up(new)} instead of {_wrap_up(old)}."
    if old.max_calls != new.max_calls:
        yield f"The client may now have {_calls(new)} at once instead of {_calls(old)}."
    if old.forms != new.forms:
        yield from changed_forms(old.forms, new.forms)
    if old.policies or new.policies:
        yield from changed_policies(old, new)
    yield from _reports(old, new)
    yield from _retention(old, new)
    if old.subscriptions or new.subscriptions:
        yield from changed_subscriptions(old, new)
    for name in old.form_lists.keys() & new.form_lists.keys():
        if old.form_lists[name] != new.form_lists[name]:
            yield f"List {name}, by which a form is chosen, now holds other callers."


def _retention(old: Plan, new: Plan) -> Iterator[str]:
    """What is kept for another time than before."""
    for kind in Kind:
        before, after = old.retention.days(kind), new.retention.days(kind)
        if before != after:
            yield f"{kind.capitalize()} are now kept {_kept_for(after)} instead of {_kept_for(before)}."


def _kept_for(days: int | None) -> str:
    return "as the operator has set it" if days is None else f"for {days} days"


def _reports(old: Plan, new: Plan) -> Iterator[str]:
    """Who is sent a report of each month, and no longer."""
    were, are = ({one.to: described(plan, one) for one in plan.reports} for plan in (old, new))
    for name, sentence in are.items():
        if were.get(name) != sentence:
            yield f"Of each month's report, {sentence}."
    for name in were.keys() - are.keys():
        yield f"{name} is no longer sent a report of each month."


def _of_node(was: Node, becomes: Node) -> Iterator[str]:
    about = becomes.about()
    changed = [field for field in about.unheard if getattr(was, field) != getattr(becomes, field)]
    of_queue = "".join(f" of queue {queue}" for queue in about.queues)
    for field in changed:
        if (what := about.unheard[field]) != SENT:
            before, now = (_value(field, getattr(node, field)) for node in (was, becomes))
            yield f"At {becomes.name}, {what}{of_queue} is now {now} instead of {before}."
    sent = [field for field in changed if about.unheard[field] == SENT]
    if sent:
        yield f"At {becomes.name}, something else is sent to the web service than before ({', '.join(sent)})."


def _value(field: str, value: Any) -> str:
    """A field's value for a person."""
    if field.endswith("_seconds"):
        return length(value)
    if field == "max_callers":
        return how_many(value, "caller") if value else "any number of callers"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field == "identity" and value is None:
        return "what the client's other calls show"
    return _said(value) if isinstance(value, tuple) else str(value)


def _phrase(plan: Plan) -> str:
    return f"«{plan.answer_phrase}»" if plan.answer_phrase else "as they like"


def _wrap_up(plan: Plan) -> str:
    """How long, by how the conversation ended."""
    if plan.wrap_up is None:
        return "as long as their team says"
    answered, transferred = plan.wrap_up.answered_seconds, plan.wrap_up.transferred_seconds
    after = "" if answered == transferred else f", {length(transferred)} after a transfer"
    return f"for {length(answered)}{after}"


def _identity(plan: Plan) -> str:
    """Whose number is shown, and in which header the number dialled."""
    return str(plan.identity) if plan.identity else "what the carrier shows of the caller"


def _calls(plan: Plan) -> str:
    return how_many(plan.max_calls, "call") if plan.max_calls else "as many calls as any other"


def _promise(plan: Plan) -> str:
    promised = plan.service_level
    kept = f"{promised.target:.0%} of the calls answered within {length(promised.within_seconds)}"
    short = length(promised.short_abandon_seconds)
    return f"{kept} (short abandons: {short}, formula {promised.formula})"


def changed_queues(old: Mapping[str, TeamQueue], new: Mapping[str, TeamQueue]) -> Iterator[str]:
    """Sentences about the teams' lines, which clients share."""
    for name in sorted({*old, *new}):
        before, now = old.get(name), new.get(name)
        if before is None or now is None:
            yield f"Queue {name} is {'new' if now else 'gone'}."
        elif before != now:
            yield f"Queue {name}: {'; '.join(_of_queue(before, now))}."


def changed_contacts(before: object, now: object) -> Iterator[str]:
    """Sentences about the file of contacts, of which these are the values: whom we ring, and where messages go."""
    was, becomes = (_entries(values) for values in (before, now))
    for name in sorted(was.keys() & becomes.keys()):
        old, new = was[name], becomes[name]
        changed = [field for field in dict.fromkeys((*new, *old)) if old.get(field) != new.get(field)]
        told = (f"{field} is now {new.get(field) or 'none'} instead of {old.get(field) or 'none'}" for field in changed)
        if changed:
            yield f"Contact {name}: {'; '.join(told)}."
    for names, what in ((becomes.keys() - was.keys(), "new"), (was.keys() - becomes.keys(), "gone")):
        if names:
            yield f"Contact{'s' if len(names) > 1 else ''} {', '.join(sorted(names))}: {what}."


def _entries(values: object) -> Mapping[str, Mapping[str, object]]:
    found = values.get("contacts") if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}


_OF_QUEUE = {
    "title": "its title is now {} instead of {}",
    "strategy": "the strategy is now {} instead of {}",
    "ring_seconds": "an agent's telephone rings {} instead of {}",
    "retry_seconds": "the next is tried after {} instead of {}",
    "wrap_up_seconds": "agents are left alone after a call for {} instead of {}",
    "max_callers": "it holds {} instead of {}",
    "log_in": "its agents have to log in: {} instead of {}",
    "misses": "an agent who misses calls is paused after {} instead of {}",
}


def _of_queue(before: TeamQueue, now: TeamQueue) -> Iterator[str]:
    joined = [member for member in now.members if member not in before.members]
    left = [member for member in before.members if member not in now.members]
    if joined:
        yield f"{', '.join(joined)} now answer{'s' if len(joined) == 1 else ''} it"
    if left:
        yield f"{', '.join(left)} no longer do{'es' if len(left) == 1 else ''}"
    if not (joined or left) and before.members != now.members:
        yield f"its agents are now asked in the order {', '.join(now.members)}"
    for field, sentence in _OF_QUEUE.items():
        was, becomes = (getattr(queue, field) for queue in (before, now))
        if was != becomes:
            yield sentence.format(_value(field, becomes), _value(field, was))
