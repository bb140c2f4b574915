"""The laws of agents' sessions, and of callbacks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from tests.laws.account import RACE_SECONDS, is_talk
from tests.laws.compared import TOLERANCE_SECONDS, Compared, Pair, near, within
from tests.laws.notes import Kind, Notes, Ring
from tests.laws.ours import Row, attempts, instant
from tests.laws.town import WRAP_UP

NEAREST_SECONDS: Final = 3.0
"""Two conversations of an agent with one caller lie further apart: a colleague is rung in between."""


def sessions_are_theirs(found: Compared) -> Iterator[str]:
    """Log-ins and pauses as they were asked for."""
    wanted = {"log-in": ("login", "log-out"), "pause": ("pause", "ready")}
    for move in found.notes.moves:
        if move.status != 200:
            yield f"{move.agent} {move.wish}: {move.status}"
    for begins, (kind, ends) in wanted.items():
        theirs = Counter(one.agent for one in found.notes.moves if one.wish == begins)
        rows = [row for row in found.ours.sessions if row["kind"] == kind]
        if theirs != Counter(row["agent"] for row in rows):
            yield f"{kind}: {dict(theirs)} asked for, rows {dict(Counter(row['agent'] for row in rows))}"
        for row in rows:
            moves = [one for one in found.notes.moves if one.agent == row["agent"]]
            if not any(within(row["started_at"], one.asked_at, one.answered_at) for one in moves if one.wish == begins):
                yield f"{kind} of {row['agent']} at {row['started_at']}: nobody asked for it then"
            if not any(within(row["ended_at"], one.asked_at, one.answered_at) for one in moves if one.wish == ends):
                yield f"{kind} of {row['agent']} ended at {row['ended_at']}: nobody asked for it then"
            reasons = {one.reason for one in moves if within(row["started_at"], one.asked_at, one.answered_at)}
            if kind == "pause" and row["reason"] not in reasons:
                yield f"pause of {row['agent']}: {row['reason']}, asked for {reasons}"


def wrap_ups_are_theirs(found: Compared) -> Iterator[str]:
    """One after each conversation, as long as the client says, unless they were away for a reason of their own."""
    by_call = defaultdict(list)
    for row in found.ours.sessions:
        if row["kind"] == "wrap_up":
            by_call[row["call_id"], row["agent"]].append(row)
    for pair in found.pairs:
        for ring in filter(is_talk, pair.journey.offers):
            # Who gets a caller back whom they gave away has two conversations with them.
            mine = by_call.get((ring.call, ring.phone), [])
            rows = [row for row in mine if ring.without_power or _follows(row, ring)]
            for row in rows:
                mine.remove(row)
            yield from _wrap_up(pair, ring, rows, found.notes)
    callbacks = {one["outgoing_id"] for one in attempts(found.ours.callbacks)}
    for (call, agent), left in by_call.items():
        if left and call not in callbacks:
            yield f"a wrap-up of {agent} after {call}, which they did not have"


def _wrap_up(pair: Pair, ring: Ring, rows: Sequence[Row], notes: Notes) -> Iterator[str]:
    seconds, ended_at = WRAP_UP.get(pair.row["client"], 0.0), ring.dialog.ended_at
    if ring.gave_to and seconds:
        seconds = 2.0
    away = _away(notes, ring.phone, ended_at)
    if ring.without_power:  # when Asterisk found that out is not in its notes: at the latest when the caller left
        away = _moved(notes, ring.phone, ended_at, pair.journey.caller.left_at)
    least = int(is_talk(ring) and not pair.journey.is_race(ring) and seconds > 0 and not away)
    name = f"{pair.name}: wrap-up of {ring.phone}"
    if not least <= len(rows) <= int(is_talk(ring) and seconds > 0):
        yield f"{name}: {len(rows)} rows, by the telephones {least}"
    for row in rows:
        if not ring.without_power:
            yield from near(notes, f"{name} began", row["started_at"], ended_at)
        lasted = instant(row["ended_at"]) - instant(row["started_at"])
        cut = row["ended_by"] != "time"
        if (not cut and abs(lasted - seconds) > TOLERANCE_SECONDS) or lasted > seconds + TOLERANCE_SECONDS:
            yield f"{name}: {lasted:.2f} s, ended by {row['ended_by']}"


def _follows(row: Row, ring: Ring) -> bool:
    """Whether it began with the end of this conversation, and not with that of another one."""
    return abs(instant(row["started_at"]) - ring.dialog.ended_at) < NEAREST_SECONDS


def _away(notes: Notes, agent: str, at: float) -> bool:
    """Whether they were paused or logged out then, or moved in that instant."""
    moves = sorted((one for one in notes.moves if one.agent == agent), key=lambda one: one.asked_at)
    before = [one for one in moves if one.asked_at < at]
    near = any(one.asked_at - RACE_SECONDS < at < one.answered_at + RACE_SECONDS for one in moves)
    return near or bool(before and before[-1].wish in ("pause", "log-out"))


def _moved(notes: Notes, agent: str, since: float, until: float) -> bool:
    """Whether they were away at any time between."""
    moves = [one for one in notes.moves if one.agent == agent]
    return _away(notes, agent, since) or any(since < one.asked_at < until + RACE_SECONDS for one in moves)


def callbacks_are_theirs(found: Compared) -> Iterator[str]:
    """Each wish is a row; each ring of whoever asked is an attempt, and who picked up was called back."""
    wishes = {row["number"]: row for row in found.ours.callbacks}
    asked = [one for one in found.notes.callers if one.asked_back_at]
    if {one.number for one in asked} != set(wishes):
        yield f"{len(asked)} asked to be called back, {len(wishes)} rows"
        return
    for caller in asked:
        row = wishes[caller.number]
        rings = [one for one in found.notes.rings if one.kind is Kind.CALLED_BACK and one.phone == caller.number]
        rung = [one for one in row["calls"] if one["rung_at"]]
        if len(rings) != len(rung):
            yield f"{caller.number}: rung {len(rings)} times, {len(rung)} attempts"
        for ring, attempt in zip(rings, rung, strict=False):
            if (attempt["outcome"] == "answered") != is_talk(ring):
                yield f"{caller.number}: {attempt['outcome']}, the telephone's answer was {ring.dialog.status}"
            agents = [
                one
                for one in found.notes.rings
                if one.kind is Kind.CALLBACK and is_talk(one) and one.accepted_at <= ring.dialog.began_at + 1
            ]
            if attempt["agent"] not in {one.phone for one in agents}:
                yield f"{caller.number}: by {attempt['agent']}, who took no such call"
    for client in found.ours.stats:
        reached = [
            one
            for one in asked
            if one.client == client["client"]
            and any(ring.phone == one.number and is_talk(ring) for ring in found.notes.rings)
        ]
        if client["called_back"] != len(reached):
            yield f"{client['client']}: {client['called_back']} called back, {len(reached)} picked up"
