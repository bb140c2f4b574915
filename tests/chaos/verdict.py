"""Whether a round went well: a pure function of what the telephones wrote down and of our rows.

Where two things happened at two telephones within RACE_SECONDS of each other, either may have been first, and either
is right. An instant of ours is right within TIMES_SECONDS of the telephone's; where it lies while nobody watched, the
PBX's own notes have it to the second (UNWATCHED_SECONDS).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import inf
from typing import Any, Final

from tests.chaos.clients import KEYS, SHORTEST_MESSAGE_SECONDS
from tests.chaos.heard import longest_silence
from tests.chaos.notes import Caller, Notes, Press, Ring
from tests.chaos.sounds import HERTZ

Row = Mapping[str, Any]
RACE_SECONDS: Final = 0.6
TIMES_SECONDS: Final = 0.6
UNWATCHED_SECONDS: Final = 1.6
AROUND_SECONDS: Final = 1.0
"""So long before and after a fault's time nobody can be sure that somebody watched."""
SPEECH_SECONDS: Final = 0.2
"""As exactly a telephone knows how long it spoke."""
LOST_SPEECH_SECONDS: Final = 0.5
"""What Record() had not yet written when Asterisk was killed."""
_CANCELLED: Final = 487
HELD_UP_SECONDS: Final = 0.3
ALONE: Final = frozenset({"closing", "beep", "agent", "contact"})
"""Sounds that callers hear from the PBX alone."""
BARGE_SECONDS: Final = 0.5
"""A question that stops so soon after a key went down was ended by it."""
WAIT_SECONDS: Final = 0.8
"""So long after a question, at least, the menu waits for a key (its timeout is a second)."""
LAST_WORDS: Final = frozenset({"bye", "probe", "one", "two", "thanks", "found", "failed"})
"""Sounds of a tree that has done what it is for: after any of them comes `bye`, and then the end."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a round came to. Counts are of callers or of what the name says; seconds are the longest ones."""

    callers: int
    live: int
    """In a call when the fault struck."""
    dropped: int
    """Of those: the PBX ended their call, or sent them to the closing prompt, though nothing in their tree did."""
    to_fallback: int
    """The same of those who called later: the PBX served them alone."""
    missing: int
    """Callers without a row."""
    doubled: int
    wrong: int
    """Rows that say something else than the telephones do."""
    lost_keys: int
    """Keys that ended a question and were not taken."""
    later_keys: int
    """Other keys that were not taken: the question came again."""
    twice: int
    """What somebody would notice as done twice."""
    silence_seconds: float
    """Of those who were live: the longest silence from the fault on."""
    control_seconds: float | None
    """From the fault until a new caller hears an engine's answer; None: never."""
    service_seconds: float | None
    """The same from the end of the fault."""
    drained_seconds: float | None
    """From the end of the fault until every row was in the database; None: nobody looked, or never."""
    ringing_seconds: float
    """Of those who dialled during the fault: until they heard that it rings, or more."""
    fallback_seconds: float
    """Of those: until they heard a sound, or somebody was rung for them."""
    complaints: Sequence[str] = field(default=())


def judge(notes: Notes, rows: Sequence[Row]) -> Verdict:
    """See the module."""
    fault = notes.faults[0]
    own = _rows_by_number(rows)
    journeys = [_Journey(caller, own.get(caller.number, []), notes) for caller in notes.callers]
    live = [one for one in journeys if _was_live(one.caller, fault.at)]
    dropped = [one for one in journeys if one.is_dropped]
    lost = [one for one in dropped if one.caller.dialled_at < fault.at]
    wrong = [(one, list(_differences(one))) for one in journeys if not one.is_dropped and len(one.rows) == 1]
    missing = [one for one in journeys if not one.rows and one.must_have_row]
    doubled = [one for one in journeys if len(one.rows) > 1]
    silences = sorted(((one.silence(), one) for one in live), key=lambda pair: -pair[0])
    twice = [*_asked_twice(notes), *(text for one in journeys for text in one.done_twice())]
    keys = [(one, *_keys(one)) for one in journeys]
    complaints = [one.told("was dropped, or sent to the closing prompt") for one in lost]
    complaints += [one.told("has no row") for one in missing]
    complaints += [one.told(f"has {len(one.rows)} rows") for one in doubled]
    complaints += [one.told(text) for one, texts in wrong for text in texts]
    complaints += [one.told("keyed what was not taken") for one, ended, _ in keys if ended]
    complaints += [one.told(f"heard nothing for {seconds:.1f} s") for seconds, one in silences[:3] if seconds > 1.5]
    complaints += twice
    return Verdict(
        callers=len(journeys),
        live=len(live),
        dropped=len(lost),
        to_fallback=len(dropped) - len(lost),
        missing=len(missing),
        doubled=len(doubled),
        wrong=sum(1 for _, texts in wrong if texts),
        lost_keys=sum(len(ended) for _, ended, _ in keys),
        later_keys=sum(len(later) for *_, later in keys),
        twice=len(twice),
        silence_seconds=silences[0][0] if silences else 0.0,
        control_seconds=fault.in_control_at - fault.at if fault.in_control_at else None,
        service_seconds=fault.in_control_at - fault.healed_at if fault.in_control_at else None,
        drained_seconds=fault.drained_at - fault.healed_at if fault.drained_at else None,
        ringing_seconds=max((one.rang_at - one.dialled_at for one in _newcomers(notes) if one.rang_at), default=0.0),
        fallback_seconds=max((_served(one, notes.rings) for one in _newcomers(notes)), default=0.0),
        complaints=complaints,
    )


def instant(text: str | None) -> float:
    """Seconds since 1970; 0 for none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


class _Journey:
    """A caller, their rows, and who was rung for them."""

    def __init__(self, caller: Caller, rows: Sequence[Row], notes: Notes) -> None:
        self.caller, self.rows, self.notes = caller, rows, notes
        calls = {row["call_id"] for row in rows}
        self.asked = [one for one in notes.asked if one.call in calls]
        """The web service, for this call."""
        # An agent is shown the caller's number; a ring for a callback names no call.
        own = (one for one in notes.rings if one.kind == "agent" and one.call)
        self.rings = [one for one in own if one.call in calls or one.number == caller.number]
        self.rings += [one for one in notes.rings if one.kind == "contact" and one.number == caller.number]
        self.called_back = [one for one in notes.rings if one.kind == "callback" and one.phone == caller.number]

    @property
    def ended_at(self) -> float:
        """When the call was over at the PBX: with a PBX that was killed, then."""
        killed = [one.at for one in self.notes.faults if one.name == "asterisk-killed"]
        return min([self.caller.ended_at, *(at for at in killed if at > self.caller.dialled_at)])

    @property
    def must_have_row(self) -> bool:
        """Whether the PBX took the call: it refuses those beyond its limit, and one that it was about to answer when it
        was killed is known to nobody.
        """
        took = self.caller.reached and self.caller.status < 400 and self.ended_at == self.caller.ended_at
        return bool(self.caller.answered_at) or self.caller.status == _CANCELLED or took

    @property
    def talks(self) -> list[Ring]:
        """Whoever had the caller."""
        return [one for one in self.rings if one.answered_at]

    def talk_seconds(self, ring: Ring) -> float:
        """How long they had them."""
        ended = min(one for one in (ring.ended_at, self.ended_at) if one)
        return max(0.0, ended - ring.answered_at)

    @property
    def is_dropped(self) -> bool:
        """The PBX ended the call, and neither whoever talked to them nor the tree did."""
        caller = self.caller
        if not caller.answered_at or caller.hung_up or self.ended_at < caller.ended_at:
            return False
        if any(one.hung_up and one.ended_at < caller.ended_at + RACE_SECONDS for one in self.talks):
            return False  # how long the call went on without a sound is the silence's matter
        # Each tree says `bye` before it ends; how long the line was silent after it is the silence's matter too.
        return not caller.heard or caller.heard[-1].name != "bye"

    def silence(self) -> float:
        """The longest one, in seconds, of what lies after the fault. Where silence is what a caller is to hear, or what
        the web service takes to answer, there is none.
        """
        caller, fault = self.caller, self.notes.faults[0]
        if caller.kind == "callback":
            return 0.0  # its questions leave pauses for an answer
        quiet = [(one.at, one.done_at or self.ended_at) for one in self.asked]
        if caller.spoke_at:
            quiet.append((caller.spoke_at - 1.0, (caller.spoke_until or caller.ended_at) + SILENCE_AFTER_SECONDS))
        if caller.kind == "digits":
            quiet += [(press.at, press.at + KEYING_SECONDS) for press in caller.pressed]
        if caller.kind == "dial":
            # Ringing is two seconds of sound in six.
            reached = min((one.answered_at for one in self.talks), default=caller.ended_at)
            quiet.append((caller.answered_at, reached + 0.5))
        return longest_silence(caller.heard, quiet, fault.at, self.ended_at)

    def done_twice(self) -> Iterator[str]:
        """What they, or an agent, would notice."""
        answered = [one for one in self.called_back if one.answered_at]
        if len(answered) > 1:
            at = self.notes.faults[0].at
            when = ", ".join(f"{one.answered_at - at:+.2f}..{one.ended_at - at:+.2f}" for one in answered)
            yield self.told(f"was called back {len(answered)} times ({when})")
        talks = sorted(self.talks, key=lambda one: one.answered_at)
        for earlier, later in pairwise(talks):
            if later.answered_at < earlier.ended_at - RACE_SECONDS:
                yield self.told(f"had {earlier.phone} and {later.phone} at once")

    def unwatched(self, at: float) -> bool:
        """Whether nobody may have watched then."""
        return any(
            one.at - AROUND_SECONDS < at < max(one.in_control_at, one.healed_at, one.at) + AROUND_SECONDS
            for one in self.notes.faults
        )

    def tolerance(self, at: float) -> float:
        """For an instant, in seconds."""
        exact = UNWATCHED_SECONDS if self.unwatched(at) else TIMES_SECONDS
        return exact + self.notes.held_up_seconds

    def told(self, what: str) -> str:
        """A complaint: the telephone, what it did and heard, and the row."""
        caller, at = self.caller, self.notes.faults[0].at
        heard = ", ".join(f"{one.name} {one.since - at:+.1f}..{one.until - at:+.1f}" for one in caller.heard)
        keys = " ".join(f"{one.key}@{one.at - at:+.1f}{'' if one.taken else '!'}" for one in caller.pressed)
        asked = ", ".join(f"{one.at - at:+.1f}..{one.done_at - at:+.1f}" for one in self.asked if one.done_at)
        rings = ", ".join(f"{one.phone} {one.answered_at - at:+.1f}..{one.ended_at - at:+.1f}" for one in self.talks)
        row = (
            {
                name: self.rows[0].get(name)
                for name in ("call_id", "disposition", "agent", "talk_seconds", "waiting_seconds", "path")
            }
            if self.rows
            else None
        )
        return (
            f"{caller.kind} {caller.number} {what}. Seconds from the fault: dialled {caller.dialled_at - at:+.1f}, "
            f"{'hung up' if caller.hung_up else 'was ended'} {caller.ended_at - at:+.1f}; keyed [{keys}]; "
            f"heard [{heard}]; talked to [{rings}]; web service [{asked}]; row {row}"
        )


KEYING_SECONDS: Final = 0.6
"""From a digit to the next one."""
SILENCE_AFTER_SECONDS: Final = 3.0
"""After a message, until the PBX has found that nobody speaks any more."""


def _rows_by_number(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["caller"]["number"] or ""].append(row)
    return found


def _was_live(caller: Caller, at: float) -> bool:
    return bool(caller.answered_at) and caller.answered_at < at < caller.ended_at


def _newcomers(notes: Notes) -> list[Caller]:
    """Who dialled while the fault lasted."""
    return [
        one
        for one in notes.callers
        if any(fault.at < one.dialled_at < max(fault.healed_at, fault.in_control_at) for fault in notes.faults)
    ]


def _served(caller: Caller, rings: Sequence[Ring]) -> float:
    """Seconds from their call to the first sound, or to the first ring for them, as far as there was any."""
    first = [one.since for one in caller.heard[:1]]
    first += [one.began_at for one in rings if one.number == caller.number and one.kind == "contact"]
    return min(first, default=caller.ended_at) - caller.dialled_at


def _differences(journey: _Journey) -> Iterator[str]:
    """In what the row differs from the telephones."""
    [row], caller = journey.rows, journey.caller
    right = dispositions(journey)
    if row["disposition"] not in right:
        yield f"is {row['disposition']}, by the telephones {sorted(right)}"
        return
    for name in ("one", "two"):
        if any(one.name == name for one in caller.heard) and caller.kind == "menu" and name not in row["path"]:
            yield f"heard {name}, which is not in their path"
    if abs(instant(row["clocks"]["ended_at"]) - journey.ended_at) > journey.tolerance(journey.ended_at):
        yield f"ended {instant(row['clocks']['ended_at']) - journey.ended_at:+.2f} s from the telephone's time"
    surely = [one for one in journey.talks if journey.talk_seconds(one) > RACE_SECONDS]
    if surely:
        yield from _talk_differs(journey, row, surely)


def _talk_differs(journey: _Journey, row: Row, talks: Sequence[Ring]) -> Iterator[str]:
    first = min(talks, key=lambda one: one.answered_at)
    if first.kind == "agent" and row["agent"] not in {one.phone for one in talks}:
        yield f"was answered by {row['agent']}, by the telephones {first.phone}"
    tolerance = max(journey.tolerance(one) for one in (first.answered_at, journey.ended_at))
    legs = [leg for leg in row["legs"] if leg["purpose"] in ("agent", "contact")]
    talked, ours = sum(journey.talk_seconds(one) for one in talks), sum(leg["talk_seconds"] for leg in legs)
    if abs(talked - ours) > tolerance + TIMES_SECONDS:
        yield f"talked for {ours:.2f} s, by the telephones {talked:.2f}"
    bridged_at = instant(row["clocks"]["bridged_at"])
    if abs(bridged_at - first.answered_at) > journey.tolerance(first.answered_at):
        yield f"was connected {bridged_at - first.answered_at:+.2f} s from the telephone's time"


def dispositions(journey: _Journey) -> frozenset[str]:
    """What the row may say: one thing, but for what the telephones cannot know."""
    agents = [journey.talk_seconds(one) for one in journey.talks if one.kind == "agent"]
    contacts = [journey.talk_seconds(one) for one in journey.talks if one.kind == "contact"]
    if any(seconds > RACE_SECONDS for seconds in agents):
        return frozenset({"answered"})
    if any(seconds > RACE_SECONDS for seconds in contacts):
        return frozenset({"redirected"})
    maybe = {"answered"} if agents else set[str]()
    maybe |= {"redirected"} if contacts else set()
    return _unanswered(journey) | maybe


def _unanswered(journey: _Journey) -> frozenset[str]:
    caller = journey.caller
    stayed = journey.ended_at - caller.dialled_at
    if _served_alone(journey):
        return frozenset({"failed", "abandoned", "left_early"})
    left = frozenset({"left_early"}) if caller.hung_up or journey.ended_at < caller.ended_at else frozenset[str]()
    match caller.kind:
        case "line" | "dial":
            return frozenset({"abandoned"}) | (left if stayed < 2.5 else frozenset())
        case "callback":
            asked = any(press.taken for press in caller.pressed)
            return frozenset({"message_left"}) if asked else left | {"abandoned", "message_left", "self_served"}
        case "message":
            spoken = (min(caller.spoke_until or journey.ended_at, journey.ended_at) - caller.spoke_at) * bool(
                caller.spoke_at
            )
            exact = SPEECH_SECONDS + journey.notes.held_up_seconds
            lost = LOST_SPEECH_SECONDS * (journey.ended_at < caller.ended_at)
            if spoken > SHORTEST_MESSAGE_SECONDS + exact + lost:
                return frozenset({"message_left"})
            none = left or frozenset({"self_served"})
            return none | {"message_left"} if spoken > SHORTEST_MESSAGE_SECONDS - exact else none
        case _:
            said = any(one.name in LAST_WORDS for one in caller.heard)
            return left | {"self_served"} if said or not left else left


def _served_alone(journey: _Journey) -> bool:
    """Whether they called while something was away, and no engine was there for them until they left: `failed` then
    says that it was our fault, not theirs.
    """
    caller = journey.caller
    during = any(one.at < caller.dialled_at < one.healed_at for one in journey.notes.faults)
    return during and not any(one.name in HERTZ and one.name not in ALONE for one in caller.heard)


def _keys(journey: _Journey) -> tuple[list[Press], list[Press]]:
    """Keys of a menu that ended the question and were not taken, and others that were not.

    Where the telephones' own process was held up nobody can say which they were: they count as the others.
    """
    ended: list[Press] = []
    later: list[Press] = []
    caller = journey.caller
    if caller.kind != "menu" or journey.is_dropped:
        return ended, later
    again = [*(one.at for one in caller.pressed), inf]
    for place, press in enumerate(caller.pressed, 1):
        if press.taken or journey.ended_at < press.at + RACE_SECONDS or _taken_late(caller, press, again[place]):
            continue
        asked = [one for one in caller.heard if one.name == "ask" and one.since < press.at < one.until + WAIT_SECONDS]
        stopped = bool(asked) and asked[-1].until < press.at + BARGE_SECONDS
        sure = journey.notes.held_up_seconds < HELD_UP_SECONDS
        (ended if stopped and sure else later).append(press)
    return ended, later


def _taken_late(caller: Caller, press: Press, again_at: float) -> bool:
    """Whether they heard what it stands for without having keyed again: a key that ended a question waits."""
    return any(one.name == KEYS[press.key] and press.at < one.since < again_at for one in caller.heard)


def _asked_twice(notes: Notes) -> Iterator[str]:
    """Of the web service: notifications with several keys, and lookups again without the key of the first."""
    notified: dict[str, set[str]] = defaultdict(set)
    looked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in notes.asked:
        if one.path.startswith("/notify"):
            notified[one.call].add(one.key)
        else:
            looked[one.call, one.path].append(one.key)
    for call, keys in notified.items():
        if len(keys) > 1:
            yield f"{call} was notified of {len(keys)} times"
    for (call, path), found in looked.items():
        if len(found) > 1 and (len(set(found)) > 1 or not found[0]):
            yield f"{call} asked {path} {len(found)} times, with the keys {dict(Counter(found))}"
