"""Ready-made answers, as Asterisk's own dialplan reads them in AstDB (`[callrouter-fallback]` of extensions.conf).

An answer is `queue:<name>[:<priority>]`, `number:<digits>`, `message:<seconds at most>:<silence>:<node>:<sounds>` or
`closed[:<sounds>]`. Where it is declared who we are when we call out, `:<number shown>:<forwarding>:<forwarded
by>:<whose>` follows the digits; with `caller` at the end, the caller's own number is shown, and that other one in place
of a number that is not there.

`callrouter/fallback/<did>` is an answer, or `at:<key>` where the answer is not always the same: then
`callrouter/times/<key>` is `<minute>|<id>&<id>…|<after>-<nth>&<after>-<nth>…`. The minute is counted from 1970, each
`<after>` in minutes from it on, and from then on the nth id holds: `callrouter/answer/<id>` is its answer. The id is a
digest of the answer, so that clients share answers, and none ever changes. What has no room in one value goes on in
another: `|<after>-<key>` at the end says from when on, and where.

Callers of lists who get something else: `callrouter/callers/<did>` = `<name>:<length>.<length>…`, and
`callrouter/caller/<name>/<who>` is what stands in place of the number's own fallback. `<who>` are the digits of a whole
number, a beginning of one of those lengths with `*`, or `withheld`, `unauthenticated`, `unavailable`. An answer may be
`refused:<cause>[:<sounds>]` besides.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from msgspec import Struct, msgpack, structs

from callrouter.asterisk.briefing import offer
from callrouter.core.agents.preference import team_of
from callrouter.core.call import CallerId
from callrouter.core.fallback import CLOSED, Alone, Ready
from callrouter.core.numbers import beginnings
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule
from callrouter.questions.alone import DAYS_AHEAD, AloneBy, Change, declared, known_callers

FALLBACKS: Final = "callrouter/fallback"
TIMES: Final = "callrouter/times"
ANSWERS: Final = "callrouter/answer"
CALLERS: Final = "callrouter/callers"
LISTED: Final = "callrouter/caller/"
"""Before the name of a list of callers: a family for each."""
OFFERS: Final = "callrouter/offer"
BRIEFS: Final = "callrouter/brief"
RECORDINGS: Final = "callrouter/recordings"
"""Its one key, `folder`, is where messages are recorded, as Asterisk sees it."""
Held = tuple[int, str]
"""A minute since 1970, and the answer that holds from then on."""
Entry = tuple[str, str]
"""A family of AstDB's and a key in it."""
MOST_BYTES: Final = 900
"""Of a value: what Asterisk's own dialplan can read whole, with a margin."""
NOBODY_SHOWN: Final = CallerId()
"""A caller without a number."""


class ReadyMade(Struct, frozen=True, kw_only=True):
    """All that is published of one plan."""

    of_numbers: Mapping[str, Mapping[Entry, str]]
    """By number in E.164: family, what follows the number in the key, and value."""
    lists: Mapping[str, Mapping[str, str]]
    """By name: callers of lists, as `questions.alone` calls them, who get something else, and what."""
    listed: Mapping[str, str]
    """By number that has any: the name of its list of callers."""
    shared: Mapping[Entry, str]
    """Answers and times."""


def ready_made(plan: Plan, since: datetime, shift: timedelta = timedelta()) -> ReadyMade:
    """What Asterisk alone does from an instant on, for each of the plan's numbers.

    `shift` is what the clock of `since` is ahead of the PBX's.
    """
    making = _Making(plan, shift)
    of_numbers: dict[str, dict[Entry, str]] = {}
    lists: dict[str, dict[str, str]] = {}
    listed: dict[str, str] = {}
    until = since + timedelta(days=DAYS_AHEAD)
    for did in plan.numbers:
        alone = AloneBy(plan, did)
        usual = alone.timeline(since, until)
        of_numbers[did] = {(FALLBACKS, ""): making.told(did, usual), **_shown(plan, [one.ready for one in usual])}
        apart, _ = known_callers(plan, alone, since, until)
        if callers := {one.entry: making.told(did, one.changes) for one in apart}:
            same = (name for name, other in lists.items() if other == callers)
            listed[did] = next(same, f"{plan.client}.{len(lists)}" if lists else plan.client)
            lists[listed[did]] = callers
    return ReadyMade(of_numbers=of_numbers, lists=lists, listed=listed, shared=making.shared)


def made_of(plan: Plan, *besides: str) -> str:
    """A digest of all that its part is made of: the whole plan, and `besides`."""
    held = structs.asdict(plan) | {"schedules": [_by_text(one) for one in plan.schedules.values()]}
    kinds = [node.kind for node in plan.nodes.values()]
    try:
        content = msgpack.encode((held, kinds, besides), order="deterministic")
    except TypeError:  # not by text: another digest each time an engine starts, which writes once too often
        content = repr((held, kinds, besides)).encode(errors="surrogatepass")
    return b32encode(blake2b(content, digest_size=15).digest()).decode().lower()


def _by_text(schedule: Schedule) -> dict[str, object]:
    """Its fields; what goes by days is in their order."""
    fields = structs.asdict(schedule).items()
    return {name: sorted(one.items()) if isinstance(one, Mapping) else one for name, one in fields}


def spelt(callers: Mapping[str, str], region: str) -> dict[str, str]:
    """A list of callers as Asterisk looks them up: by the digits that a trunk may send."""
    found: dict[str, str] = {}
    for entry, told in callers.items():
        if not entry.startswith("+"):  # why there is no number, or a short one
            found[entry] = told
            continue
        star = "*" if entry.endswith("*") else ""
        found.update((f"{digits}{star}", told) for digits in beginnings(entry.removesuffix("*"), region))
    return found


def lengths_of(spelt: Iterable[str]) -> str:
    """Of its beginnings, the longest first."""
    lengths = sorted({len(one) - 1 for one in spelt if one.endswith("*")}, reverse=True)
    return ".".join(map(str, lengths))


def only_declared(plan: Plan) -> ReadyMade:
    """The declared fallback, at any time and for everybody."""
    of_numbers = {did: {(FALLBACKS, ""): fallback_of(plan, did), **_shown(plan, ())} for did in plan.numbers}
    return ReadyMade(of_numbers=of_numbers, lists={}, listed={}, shared={})


class _Making:
    """Collects the answers and times of one plan."""

    def __init__(self, plan: Plan, shift: timedelta) -> None:
        self._plan = plan
        self._shift = shift
        self._keys: dict[tuple[Held, ...], str] = {}
        self.shared: dict[Entry, str] = {}

    def told(self, did: str, changes: Sequence[Change]) -> str:
        """The answer where there is but one, else where the answers and their times stand."""
        texts = [written(one.ready, self._plan, did) for one in changes]
        if len(changes) == 1:
            return texts[0]
        after = fallback_of(self._plan, did)
        held = _held(changes, texts, after, self._shift)
        client = self._plan.client
        key = self._keys.setdefault(held, f"{client}.{len(self._keys)}" if self._keys else client)
        self.shared.update(((ANSWERS, id_of(text)), text) for _, text in held)
        self.shared.update(((TIMES, part), times) for part, times in _times(held, key))
        return f"at:{key}"


def fallback_of(plan: Plan, did: str) -> str:
    """What the client has declared for when something cannot be done, for calls to one of its numbers."""
    return written(declared(plan) or CLOSED, plan, did)


def written(ready: Ready, plan: Plan, did: str) -> str:
    """One answer; of its sounds as many as there is room for, the last ones."""
    if ready.does is Alone.QUEUE:
        return f"{ready}:{ready.priority}" if ready.priority else str(ready)
    if ready.does is Alone.REFUSED:
        return _with_sounds(f"{ready}:{ready.cause}", [sound.file for sound in ready.sounds])
    if ready.does is Alone.NUMBER:
        return ":".join((str(ready), *_presented(ready, plan, did)))
    head = "closed"
    if ready.does is Alone.MESSAGE:
        head = f"message:{ready.max_seconds:.0f}:{ready.silence_seconds:.0f}:{ready.whom}"
    return _with_sounds(head, [sound.file for sound in ready.sounds])


def _presented(ready: Ready, plan: Plan, did: str) -> tuple[str, ...]:
    identity = ready.identity or plan.identity
    if identity is None:
        return ()
    presented = identity.presented(NOBODY_SHOWN, did)
    return presented.number, presented.forwarding, presented.forwarded_by, identity.shows


def _with_sounds(head: str, sounds: Sequence[str]) -> str:
    for first in range(len(sounds)):
        text = f"{head}:{'&'.join(sounds[first:])}"
        if len(text.encode()) <= MOST_BYTES:
            return text
    return head


@lru_cache(maxsize=4096)
def id_of(answer: str) -> str:
    """Its digest, as a key: two answers of a million share one in one case of a thousand."""
    return b32encode(blake2b(answer.encode(), digest_size=7).digest()).decode().rstrip("=").lower()


def _held(changes: Sequence[Change], texts: Sequence[str], after: str, shift: timedelta) -> tuple[Held, ...]:
    """By the PBX's clock; what holds after the last day, too."""
    ends = changes[0].at + timedelta(days=DAYS_AHEAD)
    instants = (*(one.at for one in changes), ends)
    return tuple((minute_of(at - shift), text) for at, text in zip(instants, (*texts, after), strict=True))


def _times(held: Sequence[Held], key: str) -> list[tuple[str, str]]:
    """As Asterisk reads them, in as many values as they need: key and value, the last one first."""
    found: list[tuple[str, str]] = []
    while held:
        part = f"{key}.p{len(found)}" if found else key
        count = _most(held, f"{key}.p{len(found) + 1}")
        more = f"|{held[count][0] - held[0][0]}-{key}.p{len(found) + 1}" if count < len(held) else ""
        found.append((part, _told(held[:count]) + more))
        held = held[count:]
    return found[::-1]


def _most(held: Sequence[Held], next_key: str) -> int:
    """How many there is room for in one value, one at least."""
    low, high, room = 1, len(held), MOST_BYTES - len(next_key) - len("|00000-")
    if len(_told(held)) <= room:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(_told(held[:middle])) <= room else (low, middle - 1)
    return low


def _told(held: Sequence[Held]) -> str:
    first = held[0][0]
    nth: dict[str, int] = {}
    parts = [f"{minute - first}-{nth.setdefault(text, len(nth) + 1)}" for minute, text in held]
    return f"{first}|{'&'.join([id_of(text) for text in nth])}|{'&'.join(parts)}"


def minute_of(at: datetime) -> int:
    """Minutes since 1970: hours begin and end on whole ones."""
    return int(at.astimezone(UTC).timestamp()) // 60


def _shown(plan: Plan, readies: Sequence[Ready]) -> dict[Entry, str]:
    """What agents are shown, and what is whispered to them, where Asterisk alone gives them a caller.

    What those of other teams than the first are shown, where it differs, has the team's name after the number.
    """
    mine = declared(plan)
    teams = [team_of(one.whom) for one in (mine, *readies) if one is not None and one.does is Alone.QUEUE]
    if not teams:
        return {}
    offers = {team: offer(plan.briefing(team), plan.phrase_sounds) for team in dict.fromkeys(teams)}
    usual = offers[teams[0]]
    others = {(OFFERS, f"/{team}"): text for team, text in offers.items() if text != usual}
    brief = {(BRIEFS, ""): "&".join(sound.file for sound in plan.phrase_sounds)} if plan.phrase_sounds else {}
    return {(OFFERS, ""): usual, **others, **brief}
