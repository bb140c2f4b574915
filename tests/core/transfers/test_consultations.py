"""Agents who consult somebody: timed, in any order, and only a completed transfer changes hands."""

from __future__ import annotations

import pytest
from msgspec import structs

from callrouter.core import state
from callrouter.core.call import CallState, DialOutcome, Disposition, EndedBy, LegPurpose, QueueOutcome
from callrouter.core.explain import explain
from callrouter.core.facts import CallTransferred, ConsultationChanged
from callrouter.core.inputs import ConsultationHeard, ConsultationSign, ControlLost, LegHeard, LegSign
from callrouter.testing import Playbook
from tests.core.transfers.test_given_away import a_plan, agents_of, talking

BEGAN, ANSWERED, COMPLETED, GIVEN, ENDED = ConsultationSign


def heard(call: Playbook, sign: ConsultationSign, *, agent: str = "bea", party: str = "bea") -> Playbook:
    """Of the one consultation there is."""
    return call.tells(
        ConsultationHeard(consultation="k", sign=sign, at=call.at, party=party, agent=agent, channel="leg-2")
    )


def consulting(call: Playbook, *, agent: str = "bea", party: str = "bea") -> Playbook:
    """Anne talks for 10 s, puts the caller on hold, rings somebody for 3 s, and speaks to them for 7."""
    call.after(10).tells(LegHeard(leg="leg-1", sign=LegSign.HELD, at=call.at))
    heard(call, BEGAN, agent=agent, party=party).after(3)
    return heard(call, ANSWERED, agent=agent, party=party).after(7)


def test_completed() -> None:
    """Anne's talk has no hold in it, Bea's none of the consultation; the sum is the caller's."""
    plan = a_plan()
    call = heard(consulting(talking(plan)), COMPLETED).after(30)
    assert state.decode(plan, state.encode(plan, call.call)).dials == call.call.dials
    call.tells(LegHeard(leg="leg-2", sign=LegSign.HUNG_UP, at=call.at, cause=16))
    call.queue_left(QueueOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    anne, bea = agents_of(call.call)
    (consultation,) = (leg for leg in call.call.legs if leg.purpose is LegPurpose.CONSULTATION)
    assert (anne.talk_seconds(), anne.hold_seconds, anne.ended_by) == (10, 10, None)
    assert (consultation.party, consultation.talk_seconds()) == ("bea", 7)
    assert (bea.talk_seconds(), bea.ended_by) == (30, EndedBy.AGENT)
    assert (call.call.talk_seconds(), call.call.agent) == (40, "bea")
    told = [one for one in call.facts if isinstance(one, CallTransferred)]
    assert [(one.by, one.kind, one.announced) for one in told] == [("anne", "colleague", True)]
    assert "10:00:25  consulted bea for 7 s" in explain(call.call, plan)


def test_ended() -> None:
    """Anne has the caller again."""
    call = heard(consulting(talking(a_plan())), ENDED)
    call.tells(LegHeard(leg="leg-1", sign=LegSign.RESUMED, at=call.at)).after(5)
    call.hangs_up().ends(Disposition.ANSWERED)

    (anne,) = agents_of(call.call)
    assert (anne.talk_seconds(), anne.hold_seconds, call.call.agent) == (15, 10, "anne")
    signs = [one.sign for one in call.facts if isinstance(one, ConsultationChanged)]
    assert signs == [BEGAN, ANSWERED, ENDED]


def test_the_caller_hangs_up_meanwhile() -> None:
    """The consultation goes on without a caller: it is no part of the journey any more."""
    call = consulting(talking(a_plan())).hangs_up().ends(Disposition.ANSWERED)

    assert not any(leg.open for leg in call.call.legs)


@pytest.mark.parametrize("wait_over", [True, False])
def test_given_before_the_answer_and_not_answered(wait_over: bool) -> None:
    """Asterisk's fallback has the caller; whoever answers there is not the colleague who let it ring."""
    call = heard(talking(a_plan()).after(10), BEGAN).after(3)
    heard(call, GIVEN).after(20)
    call.tells(ControlLost(reason="bea did not answer", at=call.at, wait_over=wait_over))
    assert (call.call.state, call.call.dials[0].ended_at is not None) == (CallState.ADRIFT, wait_over)
    call.after(5).agent_answers("cleo").after(7).hangs_up().ends(Disposition.ANSWERED)

    assert [leg.party for leg in agents_of(call.call)] == ["anne", "cleo"]
    assert call.call.dials[0].outcome is DialOutcome.FAILED


def test_somebody_outside() -> None:
    """A contact has the caller: a leg of theirs, and the journey stays one that an agent answered."""
    call = heard(consulting(talking(a_plan()), agent="", party="doctor"), COMPLETED, agent="", party="doctor")
    call.after(9).queue_left(QueueOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    contact = next(leg for leg in call.call.legs if leg.purpose is LegPurpose.CONTACT)
    assert (contact.party, contact.talk_seconds(), call.call.agent) == ("doctor", 9, "anne")
    assert [one.kind for one in call.facts if isinstance(one, CallTransferred)] == ["contact"]


@pytest.mark.parametrize("sign", [ANSWERED, ENDED])
def test_what_is_not_known_changes_nothing(sign: ConsultationSign) -> None:
    """A consultation of before this engine."""
    call = talking(a_plan())
    before = call.call
    assert heard(call, sign).call == before
    call.stops_here()


def test_told_again() -> None:
    """Nothing changes twice."""
    call = consulting(talking(a_plan()))
    before = call.call
    assert heard(heard(call, BEGAN), ANSWERED).call == before
    call.stops_here()


def test_completed_before_its_end_was_heard() -> None:
    """Asterisk's events come in any order: the end of who was consulted may come first."""
    call = heard(heard(consulting(talking(a_plan())), ENDED), COMPLETED)
    call.queue_left(QueueOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    assert [leg.party for leg in agents_of(call.call)] == ["anne", "bea"]


def test_given_to_a_team_before_anybody_answered() -> None:
    """The caller waits in that team's queue, and is answered there: two visits of one journey."""
    call = talking(a_plan()).after(10)
    began = ConsultationHeard(consultation="k", sign=BEGAN, at=call.at, party="legal", queue="legal")
    call.tells(began).after(2).tells(structs.replace(began, sign=GIVEN, at=call.at))
    assert call.call.state is CallState.QUEUED
    call.after(3).agent_answers("bea").after(9).hangs_up().ends(Disposition.ANSWERED)

    assert [(visit.queue, visit.agent) for visit in call.call.queue_visits] == [("medical", "anne"), ("legal", "bea")]
    assert [(leg.party, leg.talk_seconds()) for leg in agents_of(call.call)] == [("anne", 12), ("bea", 9)]
    assert call.call.waiting_seconds(call.at) == 5 + 3
    assert [one.kind for one in call.facts if isinstance(one, CallTransferred)] == ["team"]


def test_given_to_a_colleague_who_then_does_not_answer() -> None:
    """The caller comes back to who gave them away."""
    call = talking(a_plan()).after(10)
    began = ConsultationHeard(consultation="k", sign=BEGAN, at=call.at, party="bea", agent="bea")
    call.tells(began).after(2).tells(structs.replace(began, sign=GIVEN, at=call.at))
    assert call.call.state is CallState.DIALLING
    call.after(18).queue_left(QueueOutcome.ANSWERED).expects("ring anne").stops_here()
