"""What agents are doing: by where they stand, and by what is seen of calls."""

from __future__ import annotations

import pytest

from callrouter.core.agents.standing import MISSED, WRAP_UP, Agent, AgentState, Member, Standing
from callrouter.core.call import Call, Leg, LegPurpose, Offer, OfferOutcome, replace
from callrouter.metrics.staff import Doing, StaffNow, staff_families, staff_now
from tests.api.stories import TUESDAY, after, live

READY = Standing(state=AgentState.READY, since_at=TUESDAY, phone="101")


def agent(name: str, *teams: str) -> Agent:
    """Somebody of these teams."""
    places = tuple(Member(queue=team, log_in=True) for team in teams)
    return Agent(name=name, title=name, phone=name, places=places)


def doing(standing: Standing, *calls: Call, rung: tuple[str, ...] = (), calling_back: tuple[str, ...] = ()) -> Doing:
    """What anne is doing."""
    found = staff_now(
        [(agent("anne", "medical"), standing)], calls, rung=rung, calling_back=calling_back, phones_gone=["102"]
    )
    (state,) = [one for one, count in found.by_state.items() if count]
    return state


def rung(*, ended: bool = False) -> Call:
    """A caller for whom anne's telephone rings, or has rung."""
    offer = Offer(number=1, queue="medical", agent="anne", began_at=after(20))
    if ended:
        offer = replace(offer, ended_at=after(30), outcome=OfferOutcome.RANG_OUT)
    return replace(live(), offers=(offer,))


def talks(purpose: LegPurpose = LegPurpose.AGENT, *, held: bool = False, ended: bool = False) -> Call:
    """A caller with whom anne talks, or has talked."""
    leg = Leg(number=1, purpose=purpose, party="anne", began_at=after(20), answered_at=after(25))
    return replace(
        live(), legs=(replace(leg, held_at=after(30) if held else None, ended_at=after(40) if ended else None),)
    )


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (READY, Doing.AVAILABLE),
        (replace(READY, phone="102"), Doing.UNREACHABLE),
        (replace(READY, state=AgentState.PAUSED, reason="lunch"), Doing.PAUSED),
        (replace(READY, state=AgentState.WRAP_UP, reason=WRAP_UP), Doing.WRAP_UP),
        (replace(READY, state=AgentState.LOGGED_OUT, phone=""), Doing.LOGGED_OUT),
    ],
)
def test_without_a_call_it_is_where_they_stand(standing: Standing, expected: Doing) -> None:
    assert doing(standing, rung(ended=True), talks(ended=True), live()) is expected


def test_what_is_seen_of_calls_goes_before() -> None:
    """Who pauses during a conversation still talks, and so does whom a colleague asks."""
    paused = replace(READY, state=AgentState.PAUSED, reason="lunch")

    assert doing(READY, rung()) is Doing.RINGING
    assert doing(paused, talks()) is Doing.TALKING
    assert doing(READY, talks(held=True)) is Doing.HOLD
    assert doing(READY, talks(LegPurpose.CONSULTATION)) is Doing.TALKING
    assert doing(READY, talks(LegPurpose.SUPERVISION)) is Doing.AVAILABLE
    assert doing(READY, calling_back=("anne",)) is Doing.TALKING
    assert doing(READY, rung=("anne",)) is Doing.RINGING
    assert doing(READY, talks(), rung()) is Doing.TALKING


def several() -> StaffNow:
    """Of two teams, one of them in both; a reason that the files have no more."""
    paused = replace(READY, state=AgentState.PAUSED)
    agents = [
        (agent("anne", "medical", "legal"), READY),
        (agent("bruno", "legal"), replace(paused, reason="lunch")),
        (agent("chloe", "legal"), replace(paused, reason="a reason of last year")),
        (agent("david", "legal"), replace(paused, reason=MISSED)),
        (agent("emma"), paused),
    ]
    return staff_now(agents, [], reasons=["lunch", "training"])


def test_who_is_in_two_teams_counts_once_and_in_both() -> None:
    found = several()

    assert (found.by_state[Doing.AVAILABLE], found.by_state[Doing.PAUSED]) == (1, 4)
    assert found.by_team["medical", Doing.AVAILABLE] == 1
    assert found.by_team["legal", Doing.AVAILABLE] == 1
    assert found.by_team["legal", Doing.PAUSED] == 3
    assert found.by_team["legal", Doing.RINGING] == 0


def test_reasons_are_those_of_the_files_and_few() -> None:
    expected = {"none": 1, "lunch": 1, "training": 0, "missed": 1, "too many missed calls": 0, "other": 1}

    assert several().paused == expected


def test_no_agent_is_named() -> None:
    samples = [sample for family in staff_families(several()) for sample in family.samples]

    assert {label for sample in samples for label in sample.labels} == {"state", "queue", "reason"}
    assert not {"anne", "bruno"} & {value for sample in samples for value in sample.labels.values()}
    assert len(samples) == len(Doing) * 3 + 6
