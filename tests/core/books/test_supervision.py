"""Supervisors in the books: legs that are no conversation, and whoever takes over."""

from __future__ import annotations

from callrouter.core import facts, state
from callrouter.core.call import Call, DialOutcome, Disposition, EndedBy, LegPurpose, QueueOutcome
from callrouter.core.inputs import (
    AgentAnswered,
    ConsultationHeard,
    ConsultationSign,
    Input,
    LegHeard,
    LegSign,
    SupervisionMode,
    SupervisorTold,
)
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.testing import Playbook, plan_of

PLAN = plan_of(
    QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "bye"}), HangupNode(name="bye")
)


def talking() -> Playbook:
    """The caller talks to anne, on her channel 1.1."""
    call = Playbook(PLAN).offer().expects("answer", "queue sales").answered().after(5)
    return call.tells(AgentAnswered(agent="anne", at=call.at, leg="1.1"))


def does(call: Playbook, mode: SupervisionMode) -> list[type]:
    """A supervisor at agent-2 does this: what was concluded."""
    return told(call, SupervisorTold(mode=mode, party="agent-2", leg="9.9", at=call.at))


def told(call: Playbook, one: Input) -> list[type]:
    """The kinds of facts that it led to."""
    known = len(call.facts)
    call.tells(one)
    return [type(fact) for fact in call.facts[known:]]


def stamps(call: Call) -> list[str]:
    return [visit.because for visit in call.visits if visit.exit == "supervision"]


def test_a_supervisor_is_neither_answer_nor_talk() -> None:
    """Their leg is over with their channel, and says how long they were there."""
    call = talking().after(10)
    does(call, SupervisionMode.LISTEN)
    assert does(call, SupervisionMode.LISTEN) == []
    does(call, SupervisionMode.WHISPER)
    call.after(20)
    left = told(call, LegHeard(leg="9.9", sign=LegSign.ENDED, at=call.at, cause=16))
    call.after(30).hangs_up().ends(Disposition.ANSWERED)

    assert left == [facts.LegEnded, facts.SupervisionNoted]
    [leg] = [leg for leg in call.call.legs if leg.purpose is LegPurpose.SUPERVISION]
    assert leg.answered_at is not None
    assert leg.ended_at is not None
    assert ((leg.ended_at - leg.answered_at).total_seconds(), leg.talk_seconds(), leg.open) == (20, 0, False)
    assert (call.call.talk_seconds(), call.call.agent, call.call.offers_made) == (60, "anne", 1)
    assert stamps(call.call) == ["listen by agent-2", "whisper by agent-2"]


def test_whoever_takes_over_has_the_caller() -> None:
    """The agent's leg ends with nobody's hang-up; what their channel says afterwards changes nothing."""
    call = talking().after(10)
    does(call, SupervisionMode.LISTEN)
    call.after(5)
    does(call, SupervisionMode.TAKE_OVER)
    assert does(call, SupervisionMode.TAKE_OVER) == []
    assert told(call, LegHeard(leg="1.1", sign=LegSign.ENDED, at=call.at, cause=16)) == []
    assert [leg.open for leg in call.call.legs if leg.party == "anne"] == [False]
    call.after(30).queue_left(QueueOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    agents = [
        (leg.party, leg.talk_seconds(), leg.ended_by) for leg in call.call.legs if leg.purpose is LegPurpose.AGENT
    ]
    assert agents == [("anne", 15, None), ("agent-2", 30, EndedBy.SYSTEM)]
    assert call.call.talk_seconds() == 45
    assert (call.call.agent, call.call.queue_visits[0].agent) == ("agent-2", "anne")
    assert [(dial.agent, dial.outcome) for dial in call.call.dials] == [("agent-2", DialOutcome.ANSWERED)]
    assert state.decode(PLAN, state.encode(PLAN, call.call)).agent == "agent-2"


def test_an_agent_who_takes_over_is_called_by_their_name() -> None:
    """Not by their telephone's; whom the first agent consulted they speak to without a caller."""
    call = talking().after(10)
    began = ConsultationHeard(consultation="k", sign=ConsultationSign.BEGAN, at=call.at, party="carl", agent="carl")
    call.tells(began).after(2)
    taken = SupervisorTold(mode=SupervisionMode.TAKE_OVER, party="agent-2", leg="9.9", at=call.at, agent="bea")
    assert told(call, taken)[-2:] == [facts.SupervisionNoted, facts.Bridged]
    call.after(20).hangs_up().ends(Disposition.ANSWERED)

    assert call.call.agent == "bea"
    assert [leg.party for leg in call.call.legs if leg.purpose is LegPurpose.AGENT] == ["anne", "bea"]
    assert stamps(call.call) == ["take_over by agent-2"]


def test_the_end_of_the_call_ends_it() -> None:
    """Whatever becomes of the supervisor's channel."""
    call = talking()
    does(call, SupervisionMode.BARGE)
    call.after(3).hangs_up().ends(Disposition.ANSWERED)
    assert not [leg for leg in call.call.legs if leg.open]
