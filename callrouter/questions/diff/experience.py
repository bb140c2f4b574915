"""What a caller meets on the way, and where the call ends, in words that need no names of nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import takewhile
from textwrap import shorten

from msgspec import Struct

from callrouter.core.call import Call
from callrouter.core.effects import CollectDigits, Dial, Effect, EnterQueue, Play, Record
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import length, told_in_words
from callrouter.questions.rehearsal import outcome_of

MOST_MET = 2
LONGEST = 120
"""Things met on the way that are told of one change, and letters of a sentence heard."""

MOST_KEPT = 8
"""Things that are kept of a way that differs, until it ends or leads back: more are not told apart."""
WORDS_AROUND = 4
"""Words that are told around a difference in a long sentence."""
_MORE = "…"


END_OF_TREE, NOBODY = "the end of the tree", "nobody"
UNSERVED = {END_OF_TREE, NOBODY}
"""They count differently, by whether an agent was owed; to the caller both are the same."""


class Change(Struct, frozen=True, kw_only=True):
    """One difference: of where calls end, or of what is met on the way."""

    before: str
    """`queue:medical`, or `hear «…»`; empty where nothing was met."""
    now: str
    ends: bool
    """It is one of where calls end."""


NOT_TOLD_APART = Change(before="", now="", ends=False)
"""Stands where more was met than is kept: whether that differs is not known."""


_ENDS = {
    "callback": "a callback",
    "reject": "a refusal",
    "self_served": END_OF_TREE,
    "abandoned": NOBODY,
    "failed": "a failure",
}
"""Outcomes that are called otherwise; a callback by whatever node."""


def ended(plan: Plan, call: Call) -> str:
    """Where a call has ended, whatever the node is called."""
    outcome = outcome_of(plan, call)
    kind = outcome.partition(":")[0]
    if kind == "message":
        return f"a message for {call.messages[-1].deliver or 'nobody'}"
    return _ENDS.get(kind, outcome)


def met(effects: Iterable[Effect]) -> Iterator[str]:
    """What the caller hears, whom they wait for and how long: in order."""
    for effect in effects:
        match effect:
            case Play(sounds=sounds) | CollectDigits(sounds=sounds):
                yield from (f"hear «{sound.text or sound.file}»" for sound in sounds)
            case EnterQueue():
                priority = f" with priority {effect.priority}" if effect.priority else ""
                who = f" ({effect.preference})" if effect.preference else ""
                if effect.rising:
                    priority += f" and {effect.rising.to} after {length(effect.rising.after_seconds)}"
                keys = f" or until they press {' or '.join(effect.keys)}" if effect.keys else ""
                told = f", {told_in_words(effect.announced)}" if effect.announced else ""
                yield f"wait for {effect.queue}{who}{priority} at most {length(effect.max_wait_seconds)}{keys}{told}"
                if effect.comfort:
                    every = f"every {length(effect.comfort.every_seconds)}"
                    yield from (
                        f"hear {every} «{' '.join(part.text or part.file for part in message)}»"
                        for message in effect.comfort.messages
                    )
            case Dial():
                people = " and ".join(effect.names)
                numbers = " and ".join(effect.numbers)
                whom = f"{people} ({numbers})" if people else numbers
                screened = ", who must press 1," if effect.screen else ""
                yield f"ring {whom}{screened} for {length(effect.ring_seconds)}"
            case Record():
                yield f"speak for at most {length(effect.max_seconds)}"
            case _:
                pass


def changes_between(before: Sequence[str], now: Sequence[str]) -> Iterator[Change]:
    """What was met on one way, and is met on another instead."""
    if before == now:
        return
    about, about_now = ([_about(one) for one in ways] for ways in (before, now))
    for what, i, j, k, m in SequenceMatcher(None, about, about_now, autojunk=False).get_opcodes():
        if what != "equal" and _MORE in (*before[i:j], *now[k:m]):
            yield NOT_TOLD_APART
        elif j - i == m - k:
            pairs = zip(before[i:j], now[k:m], strict=True)
            yield from (
                Change(before=_excerpt(one, other), now=_excerpt(other, one), ends=False)
                for one, other in pairs
                if one != other
            )
        elif what == "replace":
            yield Change(before=_joined(before[i:j]), now=_joined(now[k:m]), ends=False)
        else:
            yield from (Change(before=_shortened(one), now="", ends=False) for one in before[i:j])
            yield from (Change(before="", now=_shortened(one), ends=False) for one in now[k:m])


def _about(met: str) -> str:
    """What two things met have in common that differ in a detail: the same queue, or the same person who is rung."""
    verb, _, what = met.partition(" ")
    return met if verb == "hear" else " ".join((verb, *what.split(" ")[:2]))


def _excerpt(one: str, other: str) -> str:
    """One of two long sentences, as far as the two differ and a few words around it."""
    words, others = one.split(" "), other.split(" ")
    if len(one) <= LONGEST or (words[0], others[0]) != ("hear", "hear"):
        return _shortened(one)
    begin, end = _shared(words, others), _shared(words[::-1], others[::-1])
    first, last = max(begin - WORDS_AROUND, 1), min(max(len(words) - end, begin) + WORDS_AROUND, len(words))
    if first == 1 and last == len(words):
        return _shortened(one)
    excerpt = shorten(" ".join(words[first:last]), LONGEST, placeholder="")
    cut_short = len(excerpt) < len(" ".join(words[first:last])) or last < len(words)
    return f"hear {'«… ' * (first > 1)}{excerpt}{' …»' * cut_short}"


def _shared(words: Sequence[str], others: Sequence[str]) -> int:
    """How many words two sentences begin with in common."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(words, others, strict=False))])


def first_of(met: tuple[str, ...], most: int) -> tuple[str, ...]:
    """As much of what is met on a way that differs as is kept."""
    return met if len(met) <= most else (*met[:most], _MORE)


def _joined(met: Sequence[str]) -> str:
    """The first few; a caller who goes another way altogether meets nothing of what the others do."""
    more = len(met) - MOST_MET
    return ", then ".join(map(_shortened, met[:MOST_MET])) + (f" and {more} more" if more > 0 else "")


@lru_cache(maxsize=4096)
def _shortened(sentence: str) -> str:
    if len(sentence) <= LONGEST or not sentence.endswith("»"):
        return sentence
    return shorten(sentence, LONGEST, placeholder="…»")
