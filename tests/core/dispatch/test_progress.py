"""What is to be done next with a message: each case of a policy, and random policies and receivers for a week."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callrouter.core.dispatch import Course, Means, Policy, Reach, Step
from callrouter.core.dispatch.progress import Begun, Move, Standing, next_move
from callrouter.core.dispatch.trail import What

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PEOPLE = {
    "doctor": Reach(name="doctor", title="Doctor", number="+33639980001", email="doctor@a.example"),
    "partner": Reach(name="partner", title="Partner", email="partner@a.example"),
    "machine": Reach(name="machine", title="Machine", url="https://a.example/hook"),
    "plumber": Reach(name="plumber", title="Plumber", number="+33639980003"),
}
PARIS = ZoneInfo("Europe/Paris")


@dataclass
class Paper:
    """As a House: who is on call and what is open is said by the test."""

    on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_at: Mapping[str, datetime | None] = field(default_factory=dict)

    def reach(self, contact: str) -> Reach | None:
        """One of PEOPLE."""
        return PEOPLE.get(contact)

    def on_call(self, rota: str, at: datetime) -> tuple[str, ...] | None:
        """The same at all times."""
        return self.on.get(rota)

    def opens(self, hours: str, at: datetime) -> datetime | None:
        """As told."""
        found = self.open_at.get(hours)
        return None if found is None else max(found, at)

    def strikes(self, step: Step, at: datetime) -> datetime:
        """By Paris's clock."""
        days = (at.astimezone(PARIS).date() + timedelta(days=day) for day in range(3))
        return min(
            one
            for day in days
            for clock in step.at
            if (one := datetime.combine(day, clock, PARIS).astimezone(UTC)) > at
        )


def step(*to: str, by: tuple[Means, ...] = (Means.EMAIL,), wait: float = 0.0, **more: object) -> Step:
    return Step(to=to, by=by, wait_seconds=wait, **more)  # type: ignore[arg-type]


def policy(*steps: Step, repeat: int = 0, ordinary: tuple[Step, ...] = ()) -> Policy:
    return Policy(name="rule", urgent=Course(steps=steps, repeat=repeat), ordinary=Course(steps=ordinary))


def urgent(*steps: Step, repeat: int = 0) -> Standing:
    return Standing(policy=policy(*steps, repeat=repeat), urgent=True)


def ordinary(*steps: Step, ages_at: datetime | None = None) -> Standing:
    return Standing(policy=policy(step("doctor", wait=600), ordinary=steps), urgent=False, ages_at=ages_at)


def told(move: Move) -> list[tuple[str, Means]]:
    return [(one.contact, one.means) for one in move.tellings]


def after(move: Move, *, open_: int = 0, reached: int = 0) -> Standing:
    """Where it stands once so much has become of its tellings."""
    assert move.standing.begun is not None
    return replace(move.standing, begun=Begun(at=move.standing.begun.at, open=open_, reached=reached))


def said(move: Move) -> list[What]:
    return [note.what for note in move.notes]


def test_all_of_a_step_are_told_at_once_each_by_all_means() -> None:
    both = (Means.SMS, Means.EMAIL)
    move = next_move(urgent(step("doctor", "partner", by=both, wait=600)), NOW, Paper())

    assert told(move) == [("doctor", Means.SMS), ("doctor", Means.EMAIL), ("partner", Means.EMAIL)]
    assert [one.address for one in move.tellings][:2] == ["sms:+33639980001", "mailto:doctor@a.example"]
    assert move.due_at == NOW + 10 * MINUTE
    assert said(move) == [What.NO_CHANNEL, What.STEP]  # the partner has no number


def test_the_next_step_begins_when_nobody_has_acknowledged() -> None:
    standing = urgent(step("doctor", wait=600), step("partner", wait=600))
    first = next_move(standing, NOW, Paper())
    waiting = next_move(after(first, reached=1), NOW + 9 * MINUTE, Paper())
    second = next_move(after(first, reached=1), NOW + 10 * MINUTE, Paper())
    last = next_move(after(second, reached=1), NOW + 20 * MINUTE, Paper())

    assert (waiting.tellings, waiting.due_at) == ((), NOW + 10 * MINUTE)
    assert told(second) == [("partner", Means.EMAIL)]
    assert [one.last for one in (*first.tellings, *second.tellings)] == [False, True]
    assert (last.ended, last.reason, last.due_at) == (What.ATTENTION, "nobody has acknowledged it", None)


def test_the_next_step_begins_at_once_when_every_telling_has_failed() -> None:
    first = next_move(urgent(step("doctor", wait=600), step("partner", wait=600)), NOW, Paper())

    assert told(next_move(after(first), NOW + MINUTE, Paper())) == [("partner", Means.EMAIL)]


def test_steps_begin_again_as_often_as_it_says() -> None:
    standing, now, rounds = urgent(step("doctor", wait=60), step("partner", wait=60), repeat=2), NOW, []
    while not (move := next_move(standing, now, Paper())).ended:
        rounds.append((move.standing.round, told(move)[0][0], move.tellings[0].last))
        standing, now = after(move, reached=1), now + MINUTE

    assert rounds == [
        (0, "doctor", False),
        (0, "partner", False),
        (1, "doctor", False),
        (1, "partner", False),
        (2, "doctor", False),
        (2, "partner", True),
    ]


def test_nobody_on_call_is_said_and_the_next_step_begins() -> None:
    """oncall#1326, goalert: never a silence."""
    standing = urgent(step("duty", wait=600), step("partner", wait=600))
    move = next_move(standing, NOW, Paper(on={"duty": ()}))

    assert told(move) == [("partner", Means.EMAIL)]
    assert said(move) == [What.NOBODY_ON_CALL, What.STEP]
    alone = next_move(urgent(step("duty", wait=600), repeat=20), NOW, Paper(on={"duty": ()}))
    assert (alone.ended, alone.reason) == (What.ATTENTION, "nobody could be told: nobody is on call by duty")


def test_where_nobody_is_on_call_the_last_person_is_told() -> None:
    """By the means of the step, and it is said that nobody was on call; contacts have nobody who stands in for them."""
    rule = replace(policy(step("duty", wait=600), step("gone", wait=60)), last="partner")
    standing = Standing(policy=rule, urgent=True)
    move = next_move(standing, NOW, Paper(on={"duty": ()}))

    assert told(move) == [("partner", Means.EMAIL)]
    assert said(move) == [What.NOBODY_ON_CALL, What.STEP]
    assert told(next_move(standing, NOW, Paper(on={"duty": ("doctor",)}))) == [("doctor", Means.EMAIL)]
    assert told(next_move(after(move), NOW, Paper(on={"duty": ()}))) == []


def test_whoever_is_on_call_when_the_step_begins_is_told() -> None:
    standing = urgent(step("duty", by=(Means.SMS,), wait=600))

    assert told(next_move(standing, NOW, Paper(on={"duty": ("plumber",)}))) == [("plumber", Means.SMS)]


def test_a_contact_that_is_gone_is_said() -> None:
    move = next_move(urgent(step("somebody", wait=60)), NOW, Paper())

    assert move.ended is What.ATTENTION
    assert move.reason == "nobody could be told: somebody: the client has no such contact any more"


def test_an_ordinary_message_is_told_once_it_was_taken() -> None:
    first = next_move(ordinary(step("doctor"), step("partner")), NOW, Paper())
    waiting = next_move(after(first, open_=1), NOW + MINUTE, Paper())

    assert (first.due_at, waiting.due_at, waiting.tellings) == (None, None, ())
    assert next_move(after(first, reached=1), NOW + MINUTE, Paper()).ended is What.TOLD
    assert told(next_move(after(first), NOW + MINUTE, Paper())) == [("partner", Means.EMAIL)]


def test_what_ages_goes_the_urgent_course() -> None:
    """However far the ordinary one is: told, held back, or under way."""
    ages_at = NOW + 240 * MINUTE
    first = next_move(ordinary(step("partner"), ages_at=ages_at), NOW, Paper())
    waiting = next_move(after(first, reached=1), NOW + MINUTE, Paper())
    aged = next_move(after(first, reached=1), ages_at, Paper())

    assert (first.due_at, waiting.due_at, waiting.ended) == (ages_at, ages_at, None)
    assert said(aged) == [What.AGED, What.STEP]
    assert (aged.standing.urgent, told(aged)) == (True, [("doctor", Means.EMAIL)])
    held = next_move(ordinary(step("partner", at=(time(18),)), ages_at=ages_at), NOW, Paper())
    assert held.due_at == ages_at
    assert said(next_move(held.standing, ages_at, Paper())) == [What.AGED, What.STEP]


def test_a_digest_waits_for_its_time_and_goes_then() -> None:
    """18:00 in Paris is 17:00 UTC; at 17:00 sharp it goes, and is not put off to the next day."""
    held = next_move(ordinary(step("doctor", at=(time(12), time(18)))), NOW + 120 * MINUTE, Paper())
    due = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
    early = next_move(held.standing, due - MINUTE, Paper())
    move = next_move(held.standing, due, Paper())

    assert (held.due_at, early.due_at, held.tellings, early.tellings) == (due, due, (), ())
    assert told(move) == [("doctor", Means.EMAIL)]
    assert move.tellings[0].batch


def test_a_step_waits_for_its_hours_once() -> None:
    """oncall#1206: an escalation that meets a time window goes on after it."""
    opens = NOW + 60 * MINUTE
    house = Paper(open_at={"desk": opens})
    held = next_move(ordinary(step("doctor", hours="desk")), NOW, house)

    assert (held.due_at, said(held)) == (opens, [What.HELD])
    assert told(next_move(held.standing, opens, house)) == [("doctor", Means.EMAIL)]
    never = next_move(ordinary(step("doctor", hours="never")), NOW, house)
    assert (never.ended, never.reason) == (
        What.ATTENTION,
        "nobody could be told: hours never do not open: the step is passed over",
    )


def test_a_rule_without_steps_says_so() -> None:
    assert next_move(ordinary(), NOW, Paper()).reason == "its rule names nobody"


steps = st.builds(
    step,
    st.sampled_from([*PEOPLE, "duty", "nobody", "gone"]),
    by=st.sets(st.sampled_from(list(Means)), min_size=1).map(lambda found: tuple(sorted(found))),
    wait=st.sampled_from([0.0, 60.0, 600.0, 86_400.0]),
    at=st.sampled_from([(), (time(8),), (time(12), time(18))]),
    hours=st.sampled_from(["", "", "", "desk", "never"]),
)
courses = st.builds(Course, steps=st.lists(steps, max_size=4).map(tuple), repeat=st.integers(min_value=0, max_value=3))


@given(
    policy=st.builds(
        Policy, name=st.just("rule"), urgent=courses, ordinary=courses, last=st.sampled_from(["", "partner", "gone"])
    ),
    is_urgent=st.booleans(),
    ages=st.sampled_from([None, MINUTE, 240 * MINUTE]),
    seed=st.integers(min_value=0, max_value=2**32),
)
@pytest.mark.parametrize("acknowledges", [0.0, 0.3])
def test_for_a_week_whoever_is_owed_it_is_told_or_it_is_said(
    acknowledges: float, policy: Policy, is_urgent: bool, ages: timedelta | None, seed: int
) -> None:
    """Random policies and random receivers: every message ends, told, acknowledged or on the list; nothing is silent.

    Receivers fail, answer late or never; people acknowledge what they were told, or do not.
    """
    chance = random.Random(seed)
    house = Paper(on={"duty": ("plumber",), "nobody": ()}, open_at={"desk": NOW + 90 * MINUTE})
    ages_at = None if ages is None or is_urgent else NOW + ages
    standing, now, moves, reached = Standing(policy=policy, urgent=is_urgent, ages_at=ages_at), NOW, 0, 0
    while now < NOW + timedelta(days=30):
        move = next_move(standing, now, house)
        moves += 1
        assert moves < 400
        if move.ended is not None:
            assert move.notes[-1].what is move.ended
            assert (move.ended is What.TOLD) <= (reached > 0)
            assert bool(move.reason) == (move.ended is What.ATTENTION)
            return
        standing = move.standing
        if move.tellings:
            assert len({one.address for one in move.tellings}) == len(move.tellings)
            taken = sum(chance.random() < 0.6 for _ in move.tellings)
            reached += taken
            if taken and chance.random() < acknowledges:
                return
            standing = after(move, reached=taken)
        # Something became of a telling, or it is time: whichever comes first, nothing waits for ever.
        begun = standing.begun
        if begun is not None and not begun.open and (not begun.reached or move.due_at is None):
            now += timedelta(seconds=1)
        else:
            assert move.due_at is not None
            assert move.due_at > now
            now = move.due_at
    raise AssertionError("it never ended")
