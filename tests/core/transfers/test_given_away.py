"""Callers whom agents give away: one journey, each conversation its agent's, and nobody is lost who is refused."""

from __future__ import annotations

import pytest

from callrouter.core import state
from callrouter.core.agents.preference import Preference
from callrouter.core.call import (
    Call,
    CallState,
    DialOutcome,
    Disposition,
    EndedBy,
    Leg,
    LegPurpose,
    OfferOutcome,
    QueueOutcome,
    replace,
)
from callrouter.core.dialling import Dialling
from callrouter.core.explain import explain
from callrouter.core.facts import CallTransferred
from callrouter.core.inputs import AgentAnswered, AgentOffered, LegAnswered, LegHeard, LegSign
from callrouter.core.nodes import HangupNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.core.transfers.targets import TransferRules
from callrouter.store.trace import call_from_json, call_json
from callrouter.testing import Playbook, plan_of, sound

WORD = PlayNode(name="word", sounds=(sound("good-bye"),), interruptible=False, exits={"next": "bye"})
BYE = HangupNode(name="bye")
RULES = TransferRules(
    contacts={"doctor": "+33612345001", "abroad": "+4930123456"},
    dialling=Dialling(countries=frozenset({"FR"})),
    own=("+33140000001",),
    region="FR",
)


def a_plan(*, fallback: str = "", **exits: str) -> Plan:
    """A team whose agents give callers away."""
    team = QueueNode(name="team", queue="medical", max_wait_seconds=60, exits={"overflow": "word", **exits})
    return replace(plan_of(team, WORD, BYE, fallback=fallback), transfers=RULES)


def talking(plan: Plan) -> Playbook:
    """To agent anne, since 10:00:05."""
    call = Playbook(plan).offer().expects("answer", "queue medical").answered().after(2)
    call.tells(AgentOffered(agent="anne", leg="leg-1", at=call.at)).after(3)
    return call.tells(AgentAnswered(agent="anne", leg="leg-1", at=call.at))


def given(call: Playbook, target: str, *, colleague: str = "", team: str = "", foreign: bool = False) -> Playbook:
    """Anne gives the caller away after 20 s."""
    call.after(20).tells(LegHeard(leg="leg-1", sign=LegSign.ENDED, at=call.at, cause=16))
    return call.transferred(target, colleague=colleague, team=team, foreign=foreign)


def agents_of(call: Call) -> list[Leg]:
    """The conversations with agents."""
    return [leg for leg in call.legs if leg.purpose is LegPurpose.AGENT]


def kept(plan: Plan, call: Call) -> None:
    """What a successor and the record need of it reads back."""
    assert state.decode(plan, state.encode(plan, call)).dials == call.dials
    assert call_from_json(call_json(call)).dials == call.dials


@pytest.mark.parametrize("done", [{}, {"done": "word"}], ids=["ends", "goes on"])
def test_to_a_colleague(done: dict[str, str]) -> None:
    """Each has their own talk time; the node they were in goes on when the colleague is done."""
    plan = a_plan(**done)
    call = given(talking(plan), "102", colleague="bea").expects("ring bea")
    assert call.call.offers[-1].agent == "bea"
    kept(plan, call.call)
    call.after(4).tells(LegAnswered(leg=0, channel="leg-2", at=call.at))
    assert (call.call.agent, call.call.state) == ("bea", CallState.CONNECTED)
    call.after(30).tells(LegHeard(leg="leg-2", sign=LegSign.HUNG_UP, at=call.at, cause=16))
    call.dial_ended(DialOutcome.ANSWERED).expects(*(("play good-bye",) if done else ("hang up 16",)))
    call.hangs_up().ends(Disposition.ANSWERED)

    anne, bea = agents_of(call.call)
    assert (anne.party, anne.talk_seconds(), anne.ended_by) == ("anne", 20, None)
    assert (bea.party, bea.talk_seconds(), bea.ended_by) == ("bea", 30, EndedBy.AGENT)
    assert call.call.talk_seconds() == 50
    assert call.call.waiting_seconds(call.at) == 5 + 4
    assert call.call.agent == "bea"
    assert [offer.outcome for offer in call.call.offers] == [OfferOutcome.ANSWERED] * 2
    kept(plan, call.call)


def test_to_a_team_of_which_the_client_wants_some_agents() -> None:
    """Whom the client never wants there is not rung for a caller who is given to it; the record says the team."""
    wanted = Preference(team="legal", never=("carl",))
    plan = replace(a_plan(), preferences={"legal": wanted}, derived={wanted.queue: wanted})
    call = given(talking(plan), "legal", team="legal").expects("queue legal (never carl)")
    call.after(7).agent_answers("clara").after(11).queue_left(QueueOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)

    assert [visit.queue for visit in call.call.queue_visits] == ["medical", "legal"]


def test_it_is_explained() -> None:
    """Word for word."""
    plan = a_plan()
    call = given(talking(plan), "102", colleague="bea").expects("ring bea").after(20)
    call.dial_ended(DialOutcome.NO_ANSWER).expects("ring anne").after(5)
    call.tells(LegAnswered(leg=0, channel="leg-3", at=call.at)).after(10).hangs_up().ends(Disposition.ANSWERED)

    assert explain(call.call, plan) == [
        "10:00:00  waits in queue medical",
        "10:00:05  answered by anne after 5 s",
        "10:00:25  team (acme.yaml:10) → transferred (to 102 by anne: colleague bea)",
        "10:00:25  leaves queue medical: answered",
        "10:00:25  talked to anne for 20 s",
        "10:00:25  rings bea",
        "10:00:45  team (acme.yaml:10) → given back (nobody was reached)",
        "10:00:45  bea was rung for 20 s: rang_out",
        "10:00:45  bea: no_answer",
        "10:00:45  rings anne",
        "10:00:50  anne: accepted",
        "10:01:00  anne: answered",
        "10:01:00  talked to anne for 10 s; hung up by caller",
        "10:01:00  ended: answered",
    ]


def test_to_a_team() -> None:
    """They wait as ever, with the client's own briefing, and talk to somebody there."""
    plan = a_plan()
    call = given(talking(plan), "legal", team="legal").expects("queue legal")
    call.after(7).agent_answers("clara").after(11).queue_left(QueueOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)

    assert [visit.queue for visit in call.call.queue_visits] == ["medical", "legal"]
    assert [(leg.party, leg.talk_seconds()) for leg in agents_of(call.call)] == [("anne", 20), ("clara", 11)]


def test_nobody_in_the_team_comes() -> None:
    """The caller comes back to who gave them away; where they are not there either, to the fallback."""
    call = given(talking(a_plan(fallback="word")), "team.legal", team="legal").expects("queue legal")
    call.after(180).queue_left(QueueOutcome.TIMEOUT).expects("ring anne")
    call.after(20).dial_ended(DialOutcome.BUSY).expects("play good-bye")
    call.prompt_ended().expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    assert call.call.offers[-1].outcome is OfferOutcome.REFUSED


@pytest.mark.parametrize(
    ("target", "rung", "party"),
    [
        ("doctor", "+33612345001", "doctor"),
        ("contact.doctor", "+33612345001", "doctor"),
        ("0612345678", "+33612345678", "+33612345678"),
    ],
)
def test_outside(target: str, rung: str, party: str) -> None:
    """A contact by name, a number that the client may have dialled: a contact's leg of the same journey."""
    call = given(talking(a_plan()), target).expects(f"dial {rung}")
    call.after(3).somebody_answers().after(9).dial_ended(DialOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)

    contact = next(leg for leg in call.call.legs if leg.purpose is LegPurpose.CONTACT)
    assert (contact.party, contact.talk_seconds()) == (party, 9)
    assert call.call.talk_seconds() == 29


@pytest.mark.parametrize("target", ["word", "node.word"])
def test_back_into_the_tree(target: str) -> None:
    """The tree goes on at the node."""
    call = given(talking(a_plan()), target).expects("play good-bye")
    call.prompt_ended().expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    assert [visit.exit for visit in call.call.visits] == ["transferred", "next", "end"]


@pytest.mark.parametrize(
    ("target", "kind", "colleague", "team"),
    [
        ("102", "colleague", "bea", ""),
        ("legal", "team", "", "legal"),
        ("doctor", "contact", "", ""),
        ("0612345678", "number", "", ""),
        ("word", "node", "", ""),
        ("nobody", "", "", ""),
    ],
)
def test_what_kind_of_target_it_is_is_told(target: str, kind: str, colleague: str, team: str) -> None:
    """Of one that was refused nobody can say."""
    call = given(talking(a_plan()), target, colleague=colleague, team=team)
    call.stops_here()

    told = [fact for fact in call.facts if isinstance(fact, CallTransferred)]
    assert [(one.kind, one.announced, bool(one.refusal)) for one in told] == [(kind, False, not kind)]


@pytest.mark.parametrize(
    ("target", "foreign", "why"),
    [
        ("0899123456", False, "it is neither a fixed line nor a mobile, and may cost more than a call"),
        ("abroad", False, "numbers of DE are not allowed"),
        ("112", False, "it is an emergency number, which would take our line's place for the caller's"),
        ("0140000001", False, "it is one of the client's own numbers"),
        ("nobody", False, "nobody is called so, and it is no telephone number"),
        ("team.nobody", False, "there is no team of this name"),
        ("contact.nobody", False, "there is no contact of this name"),
        ("102", True, "it is at another PBX"),
    ],
)
def test_refused(target: str, foreign: bool, why: str) -> None:
    """The caller comes back to who gave them away, and the record says why."""
    call = given(talking(a_plan()), target, colleague="bea" if foreign else "", foreign=foreign).expects("ring anne")

    told = [fact for fact in call.facts if isinstance(fact, CallTransferred)]
    assert [(one.by, one.target, one.refusal) for one in told] == [("anne", target, why)]
    assert call.call.visits[0].exit == "transfer refused"
    assert why in call.stops_here().visits[0].because


def test_given_on_by_the_colleague() -> None:
    """As often as agents like; each conversation is its own agent's."""
    call = given(talking(a_plan()), "bea", colleague="bea").expects("ring bea").after(1)
    call.tells(LegAnswered(leg=0, channel="leg-2", at=call.at)).after(6)
    call.transferred("clara", colleague="clara").expects("ring clara").after(2)
    call.tells(LegAnswered(leg=0, channel="leg-3", at=call.at)).after(8).hangs_up().ends(Disposition.ANSWERED)

    assert [(leg.party, leg.talk_seconds()) for leg in agents_of(call.call)] == [("anne", 20), ("bea", 6), ("clara", 8)]
    assert call.call.agent == "clara"


def test_hold_before_it_is_no_talk() -> None:
    """What was on hold at the transfer was on hold until then."""
    call = talking(a_plan()).after(10)
    call.tells(LegHeard(leg="leg-1", sign=LegSign.HELD, at=call.at)).after(4)
    call.transferred("bea", colleague="bea").expects("ring bea").after(1).hangs_up().ends(Disposition.ANSWERED)

    (anne,) = agents_of(call.call)
    assert (anne.talk_seconds(), anne.hold_seconds) == (10, 4)
    assert call.call.offers[-1].outcome is OfferOutcome.CALLER_LEFT
