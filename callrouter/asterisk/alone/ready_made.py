"""Ready-made answers, as Asterisk's own dialplan reads them in AstDB (`[callrouter-fallback]` of extensions.conf).

An answer is `queue:<name>[:<priority>]`, `number:<digits>`, `message:<seconds at most>:<silence>:<node>:<sounds>` or
`closed[:<sounds>]`. Where it is declared who we are when we call out, `:<number shown>:<forwarding>:<forwarded
by>:<whose>` follows the digits; with `caller` at the end, the caller's own number is shown, and that other one in place
of a number that is not there.

`callrouter/fallback/<did>` is an answer, or `at:<key>` where the answer is not always the same: then
`callrouter/times/<key>` is `<minute>|<id>&<id>…|<after>-<nth>&<after>-<nth>…`. The minute is counted from 1970, each
`<after>` in minutes from it on, and from then on the nth id holds: `callrouter/answer/<id>` is its answer. The id is a
digest of the answer, so that clients share answers, and none ever changes.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from callrouter.asterisk.briefing import offer
from callrouter.core.agents.preference import team_of
from callrouter.core.call import CallerId
from callrouter.core.fallback import CLOSED, Alone, Ready
from callrouter.core.plan import Plan
from callrouter.questions.alone import AloneBy, Change, declared

FALLBACKS: Final = "callrouter/fallback"
TIMES: Final = "callrouter/times"
ANSWERS: Final = "callrouter/answer"
OFFERS: Final = "callrouter/offer"
BRIEFS: Final = "callrouter/brief"
RECORDINGS: Final = "callrouter/recordings"
"""Its one key, `folder`, is where messages are recorded, as Asterisk sees it."""
Entry = tuple[str, str]
"""A family of AstDB's and a key in it."""
DAYS_AHEAD: Final = 15
"""From the last midnight on: two weeks from any instant of that day. Then the client's declared fallback has them."""
MOST_BYTES: Final = 900
"""Of a value: what Asterisk's own dialplan can read whole, with a margin."""
NOBODY_SHOWN: Final = CallerId()
"""A caller without a number."""


class ReadyMade(Struct, frozen=True, kw_only=True):
    """All that is published of one plan."""

    of_numbers: Mapping[str, Mapping[Entry, str]]
    """By number in E.164: family, what follows the number in the key, and value."""
    shared: Mapping[Entry, str]
    """Answers and times."""
    until: datetime
    """Until when its answers are right; no sooner than DAYS_AHEAD from when they were made, if they all have room."""


def ready_made(plan: Plan, since: datetime, shift: timedelta = timedelta()) -> ReadyMade:
    """What Asterisk alone does from an instant on, for each of the plan's numbers.

    `shift` is what the clock of `since` is ahead of the PBX's.
    """
    of_numbers: dict[str, dict[Entry, str]] = {}
    shared: dict[Entry, str] = {}
    keys: dict[str, str] = {}
    until = since + timedelta(days=DAYS_AHEAD)
    for did in plan.numbers:
        changes = AloneBy(plan, did).timeline(since, until)
        texts = [written(one.ready, plan, did) for one in changes]
        told = texts[0]
        if len(changes) > 1:
            after = fallback_of(plan, did)
            times, ends = _times(changes, texts, after, shift)
            until = min(until, ends)
            key = keys.setdefault(times, f"{plan.client}.{len(keys)}" if keys else plan.client)
            shared[TIMES, key] = times
            shared.update(((ANSWERS, id_of(text)), text) for text in (*texts, after) if id_of(text) in times)
            told = f"at:{key}"
        of_numbers[did] = {(FALLBACKS, ""): told, **_shown(plan, [one.ready for one in changes])}
    return ReadyMade(of_numbers=of_numbers, shared=shared, until=until)


def fallback_of(plan: Plan, did: str) -> str:
    """What the client has declared for when something cannot be done, for calls to one of its numbers."""
    return written(declared(plan) or CLOSED, plan, did)


def written(ready: Ready, plan: Plan, did: str) -> str:
    """One answer; of its sounds as many as there is room for, the last ones."""
    if ready.does is Alone.QUEUE:
        return f"{ready}:{ready.priority}" if ready.priority else str(ready)
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


def id_of(answer: str) -> str:
    """Its digest, as a key: two answers of a million share one in one case of a thousand."""
    return b32encode(blake2b(answer.encode(), digest_size=7).digest()).decode().rstrip("=").lower()


def _times(changes: Sequence[Change], texts: Sequence[str], after: str, shift: timedelta) -> tuple[str, datetime]:
    """As many of the changes as there is room for, and from the end of these on the answer for `after`."""
    first = minute_of(changes[0].at - shift)
    ends = changes[0].at + timedelta(days=DAYS_AHEAD)
    for count in range(len(changes), 0, -1):
        held = [(minute_of(one.at - shift) - first, text) for one, text in zip(changes[:count], texts, strict=False)]
        held.append((minute_of(ends - shift) - first, after))
        ids = list(dict.fromkeys(id_of(text) for _, text in held))
        parts = (f"{at}-{ids.index(id_of(text)) + 1}" for at, text in held)
        found = f"{first}|{'&'.join(ids)}|{'&'.join(parts)}"
        if len(found) <= MOST_BYTES:
            break
        ends = changes[count - 1].at
    return found, ends


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
