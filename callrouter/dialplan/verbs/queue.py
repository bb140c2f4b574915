"""`queue`, as the documents write it."""

import math
from collections.abc import Container, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from callrouter.core.books.recordings import MOST_KEEP_DAYS
from callrouter.core.effects import Announced, Rising, Sound
from callrouter.core.nodes import Node, QueueNode
from callrouter.core.nodes._base import usual_seconds
from callrouter.core.read_aloud import PromptPart
from callrouter.core.waiting.priority import ListPriority
from callrouter.dialplan.issues import how_many, shown
from callrouter.dialplan.language import bounds, values
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Count,
    Name,
    OneOf,
    OneOrMany,
    Positive,
    Read,
    Target,
    as_list,
    as_mapping,
)
from callrouter.dialplan.language.keys import KeyTargets
from callrouter.dialplan.language.own_texts import OwnText
from callrouter.dialplan.language.prompts import OwnWordsBlock, PromptBlock, Prompts
from callrouter.dialplan.language.spoken_keys import names_key, spoken_keys
from callrouter.dialplan.language.waiting_texts import by_minutes, by_place
from callrouter.dialplan.language.words import length, told_in_words
from callrouter.dialplan.verbs._base import Names, Verb, refuse_odd_keys, refuse_unknown_keys

LEAST_SECONDS = 10.0
"""Between two announcements: more of them leave callers neither music nor peace."""

Told = Annotated[str, OneOf("position", "expected_wait")]


class AnnounceBlock(OwnWordsBlock):
    """What callers are told of the line: whole sentences, in the language of the call."""

    tell: Annotated[tuple[Told, ...], Before(as_list), Field(min_length=1), OneOrMany()] = ("position", "expected_wait")
    """Their position, how long it may take, or both; by default both."""
    every: Positive = 30.0
    """After so long for the first time, and then again and again; at least 10s."""

    def own_words(self) -> tuple[tuple[OwnText, int], ...]:
        """What its callers may hear."""
        places = by_place() if "position" in self.tell else ()
        return (*places, *(by_minutes() if "expected_wait" in self.tell else ()))


class ComfortBlock(Block):
    """Messages played in turn to callers who wait."""

    missing: ClassVar[Mapping[str, str]] = {"messages": 'write what is said, as in ["Merci de patienter."]'}

    messages: Prompts
    """One after the other, then from the first again."""
    every: Positive = 45.0
    """After so long the first one, and then the next; at least 10s."""


class RisesBlock(Block):
    """The priority of callers who have waited long."""

    missing: ClassVar[Mapping[str, str]] = {
        "after": "say after how long, as in 2m",
        "to": "say which priority they get, as in 10",
    }

    after: Positive
    """How long a caller has waited in this line."""
    to: Count
    """Their priority from then on, where it is higher than theirs."""


KEYS = "0123456789*#"


def _days(value: object) -> int:
    """A number of days for which a recording may be kept.

    Raises:
        ValueError: it is none.
    """
    days = values.count(value)
    if not 1 <= days <= MOST_KEEP_DAYS:
        raise ValueError(f"must be a number of days from 1 to {MOST_KEEP_DAYS}, not {days}")
    return days


class RecordBlock(Block):
    """Record the conversation."""

    missing: ClassVar[Mapping[str, str]] = {
        "announcement": "say that the call is recorded, and by which key the caller objects",
    }

    announcement: Prompts
    """Said before the caller waits, to its end: that the call is recorded, and by which key one objects."""
    objection: Annotated[str, OneOf(*KEYS)] = "9"
    """The key by which the caller objects, from the announcement to the end of the conversation, in quotes."""
    keep: Annotated[int, Read(_days, {"type": "integer", "minimum": 1, "maximum": MOST_KEEP_DAYS})] = 30
    """Days for which the recording is kept, six months at most."""


class QueueBlock(Block):
    """Put the caller in a team's line."""

    missing: ClassVar[Mapping[str, str]] = {
        "name": "name a queue of shared/queues.yaml",
        "max_wait": "say how long a caller may wait, as in 3m",
        "overflow": "say where a caller goes when nobody answers in time",
    }

    name: Name
    """A queue of `shared/queues.yaml`."""
    priority: Count | None = None
    """Callers with a higher one are answered first; by default the client's."""
    priority_of: Annotated[dict[Name, Count], Before(as_mapping)] = Field(default_factory=dict)
    """Priorities of the callers of some lists, the client's or shared: the first that holds the caller decides."""
    rises: RisesBlock | None = None
    """The priority of callers who have waited long."""
    max_wait: Annotated[Positive, bounds.WAIT]
    """The longest a caller waits."""
    brief: Prompts | None = None
    """Whispered to the agent before they are connected."""
    record: RecordBlock | None = None
    """Record the conversation, after an announcement; by default nothing is recorded."""
    announce: AnnounceBlock | None = None
    """What callers are told of the line, and how often; by default nothing."""
    comfort: ComfortBlock | None = None
    """Messages played in turn to callers who wait; by default none."""
    keys: KeyTargets | None = None
    """Which key leaves the line, and for which node, as in `{ "1": take_message }`; all others do nothing."""
    overflow: Target
    """Where the call goes when nobody answers in time, the queue is full, or nobody is logged in."""
    done: Target | None = None
    """Where it goes after the conversation; by default it ends."""


def build(names: Names, name: str, block: QueueBlock) -> Node:
    """Its queue must be known."""
    here = ("nodes", name, "queue")
    preference = names.line_of(block.name, *here, "name")
    keys = block.keys or {}
    refuse_odd_keys(names, keys, *here, "keys")
    priority = names.priority if block.priority is None else block.priority
    _check_rises(names, block, priority, *here)
    announced = _announced(names, block, *here, "announce")
    comfort = block.comfort
    messages = [(index, names.voices((one,), *here, "comfort", "messages")) for index, one in _numbered(comfort)]
    for index, parts in messages:
        refuse_unknown_keys(names, parts, keys, *here, "comfort", "messages", index)
    if comfort:
        longest = max(usual_seconds(parts) for _, parts in messages)
        _check_interval(names, block, comfort.every, longest, *here, "comfort")
    record = block.record
    if record and record.objection in keys:
        wrong = f"record.objection: {record.objection} leaves the line already: choose a key that is none of keys"
        names.fail(wrong, *here, "record", "objection")
    if record:
        _check_one_key(names, name, record.objection, *here, "record", "objection")
    announcement = names.voices(record.announcement if record else None, *here, "record", "announcement")
    if record:
        _check_key_said(names, announcement, record.objection, keys, *here, "record")
    return QueueNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(
            name,
            "queue",
            *((f"key:{key}", target, ("keys", key)) for key, target in keys.items()),
            ("overflow", block.overflow, ("overflow",)),
            ("done", block.done, ("done",)),
        ),
        queue=block.name,
        priority=priority,
        list_priorities=_list_priorities(names, block, *here),
        rising=Rising(after_seconds=block.rises.after, to=block.rises.to) if block.rises else None,
        max_wait_seconds=block.max_wait,
        brief=names.voices(block.brief, *here, "brief"),
        preference=preference,
        keys=tuple(keys),
        announced=announced,
        comfort=tuple(parts for _, parts in messages),
        comfort_seconds=comfort.every if comfort else 0.0,
        announcement=announcement,
        objection=record.objection if record else "",
        keep_days=record.keep if record else 0,
    )


def _check_one_key(names: Names, name: str, key: str, *path: str) -> None:
    """The announcement is heard once a call, and names one key: it must be the one that works everywhere."""
    for node, other in names.objections.items():
        if other != key:
            names.fail(
                f"record.objection: {key} here, {other} in {node}: callers are told of one key, once a call", *path
            )
            break
    names.objections[name] = key


def _check_key_said(
    names: Names, announcement: Sequence[PromptPart], objection: str, keys: Container[str], *path: str
) -> None:
    """Whoever presses the key that the announcement names must not be recorded all the same, and it is to name one."""
    asked = dict.fromkeys(key for part in announcement for key in spoken_keys(part.text))
    others = [key for key in asked if key != objection and key not in keys]
    for key in others:
        wrong = f"{objection} objects, and the announcement asks for key {shown(key)}: write the same in both"
        names.fail(f"record.objection: {wrong}", *path, "objection")
    unheard = any(isinstance(part, Sound) and not part.text for part in announcement)
    if not others and not unheard and not any(names_key(part.text, objection) for part in announcement):
        wrong = f"record.announcement: it does not say that key {objection} objects"
        names.fail(wrong, *path, "announcement", name="objection-unsaid")


def _list_priorities(names: Names, block: QueueBlock, *here: str) -> tuple[ListPriority, ...]:
    """Its lists must be the client's, or shared."""
    for name in block.priority_of:
        if name not in names.lists:
            names.unknown_list(name, *here, "priority_of", name)
    known = ((names.lists[name], priority) for name, priority in block.priority_of.items() if name in names.lists)
    return tuple(ListPriority(callers=callers, priority=priority) for callers, priority in known)


def _check_rises(names: Names, block: QueueBlock, priority: int, *here: str) -> None:
    """What raises a priority must raise somebody's, while somebody waits."""
    rises = block.rises
    if rises is None:
        return
    if rises.to <= min((priority, *block.priority_of.values())):
        names.fail(f"priority {rises.to} raises nobody: all callers have it, or a higher one", *here, "rises", "to")
    if rises.after >= block.max_wait:
        wrong = f"nobody waits for {length(rises.after)}: callers wait at most {length(block.max_wait)}"
        names.fail(wrong, *here, "rises", "after")


def _numbered(comfort: ComfortBlock | None) -> list[tuple[int, PromptBlock]]:
    return [*enumerate(comfort.messages)] if comfort else []


def _announced(names: Names, block: QueueBlock, *here: str) -> Announced | None:
    """Its sentences must exist in the language of the call, and leave time between them."""
    told = block.announce
    if told is None:
        return None
    places = names.own_counts(by_place(), *here, "tell") if "position" in told.tell else ()
    minutes = names.own_counts(by_minutes(), *here, "tell") if "expected_wait" in told.tell else ()
    longest = sum(max((one.seconds for one in sounds), default=0.0) for sounds in (places, minutes))
    _check_interval(names, block, told.every, longest, *here)
    return Announced(every_seconds=told.every, places=places, minutes=minutes)


def _check_interval(names: Names, block: QueueBlock, every: float, longest: float, *here: str) -> None:
    """What is said every so often must leave time between, and be heard by somebody."""
    if every < LEAST_SECONDS:
        names.fail(f"every {length(every)} is too often: {length(LEAST_SECONDS)} is the least", *here, "every")
    elif longest > every / 2:
        wrong = f"up to {math.ceil(longest)} s are said every {length(every)}: say less, or less often"
        names.fail(wrong, *here, "every")
    if every >= block.max_wait:
        wrong = f"nobody hears what is said after {length(every)}: callers wait at most {length(block.max_wait)}"
        names.fail(wrong, *here, "every")


def describe(node: QueueNode) -> str:
    """The team's line, and how long a caller waits."""
    who = f" ({node.preference})" if node.preference else ""
    parts = [f"{node.queue}{who}", f"priority {node.priority}"]
    parts += [f"{one.callers.name} {one.priority}" for one in node.list_priorities]
    if node.rising:
        parts.append(f"{node.rising.to} after {length(node.rising.after_seconds)}")
    parts.append(f"at most {length(node.max_wait_seconds)}")
    if node.announced:
        parts.append(told_in_words(node.announced))
    if node.comfort:
        parts.append(f"{how_many(len(node.comfort), 'message')} every {length(node.comfort_seconds)}")
    if node.announcement:
        parts.append(f"recorded, {node.objection} objects")
    return ", ".join(parts)


QUEUE = Verb(name="queue", node=QueueNode, block=QueueBlock, build=build, describe=describe)
