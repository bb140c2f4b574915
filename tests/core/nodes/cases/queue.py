"""Transcripts of `queue`."""

from callrouter.core.call import CallState, Disposition, QueueOutcome
from callrouter.core.effects import Briefing, EnterQueue
from callrouter.core.nodes import HangupNode, MessageNode, QueueNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

BRIEF = (sound("Acme"),)
QUEUE = QueueNode(
    name="team", queue="sales", priority=5, max_wait_seconds=180, brief=BRIEF, exits={"overflow": "message"}
)
REST = (
    MessageNode(name="message", sounds=(sound("leave a message"),), exits={"done": "bye"}),
    HangupNode(name="bye"),
)
PLAN = plan_of(QUEUE, *REST)


def _begun() -> Playbook:
    enter = EnterQueue(
        queue="sales",
        priority=5,
        max_wait_seconds=180,
        brief=BRIEF,
        briefing=Briefing(client=PLAN.client, name=PLAN.name),
    )
    return Playbook(PLAN).offer().expects("answer", enter).after(0.2).answered()


def case_answered() -> Playbook:
    """Two offers, one conversation, five clocks."""
    call = _begun().after(4).agent_rings("agent-1").after(6).agent_rings("agent-2").after(3).agent_answers("agent-2")
    assert call.call.state is CallState.CONNECTED
    call.after(60).queue_left(QueueOutcome.ANSWERED).expects("hang up 16").passes("team:end")
    call.hangs_up().ends(Disposition.ANSWERED)
    visit, clocks = call.call.queue_visits[0], call.call.clocks
    assert (visit.offers, visit.agent, visit.outcome) == (2, "agent-2", QueueOutcome.ANSWERED)
    assert visit.waiting_seconds(call.at) == 13.2
    assert call.call.talk_seconds() == 60
    assert clocks.ringing_at == clocks.entered_service_at
    assert clocks.answered_at
    assert clocks.offered_at
    assert clocks.bridged_at
    assert clocks.answered_at < clocks.offered_at < clocks.bridged_at
    return call


def case_caller_hangs_up_in_the_conversation() -> Playbook:
    """Answered is answered."""
    call = _begun().after(4).agent_answers("agent-1").after(30).hangs_up().ends(Disposition.ANSWERED)
    assert call.call.talk_seconds() == 30
    return call


def case_abandoned() -> Playbook:
    """While the agent rings."""
    call = _begun().after(4).agent_rings("agent-1").after(2).hangs_up().ends(Disposition.ABANDONED)
    assert call.call.queue_visits[0].outcome is QueueOutcome.ABANDONED
    assert call.call.waiting_seconds(call.at) == 6.2
    return call


def case_overflow_then_message_is_one_message() -> Playbook:
    """Not also a lost call."""
    call = _begun().after(180).queue_left(QueueOutcome.TIMEOUT).expects("play leave a message")
    call.prompt_ended().expects("record at most 120 s").recorded(12).expects("hang up 16")
    call.passes("team:overflow", "message:done", "bye:end").hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert call.call.queue_visits[0].outcome is QueueOutcome.TIMEOUT
    assert len(call.call.messages) == 1
    return call


def case_nobody_logged_in_and_no_message_is_abandoned() -> Playbook:
    """The caller was owed a human and got none."""
    call = _begun().queue_left(QueueOutcome.EMPTY).expects("play leave a message")
    return call.hangs_up().ends(Disposition.ABANDONED)


def case_the_queue_cannot_be_entered() -> Playbook:
    """Our fault: the visit failed, it was not abandoned; here no fallback is given."""
    call = _begun().command_fails("no such queue").expects("hang up 41").hangs_up().ends(Disposition.FAILED)
    assert call.call.queue_visits[0].outcome is QueueOutcome.FAILED
    return call


def case_fallback_after_a_failure_is_taken_once() -> Playbook:
    """The second failure ends the call."""
    plan = plan_of(
        QueueNode(name="team", queue="x", max_wait_seconds=9, exits={"overflow": "bye"}), *REST, fallback="message"
    )
    call = (
        Playbook(plan)
        .offer()
        .expects("answer", "queue x")
        .command_fails("gone")
        .expects("answer", "play leave a message")
    )
    call.answered().command_fails("gone too").expects("hang up 41")
    call.passes("team:failed", "message:failed", "message:end")
    return call.hangs_up().ends(Disposition.FAILED)


def case_goes_on_after_the_conversation() -> Playbook:
    """With `done`: a survey, say."""
    plan = plan_of(
        QueueNode(name="team", queue="sales", max_wait_seconds=9, exits={"overflow": "bye", "done": "bye"}), *REST
    )
    call = Playbook(plan).offer().expects("answer", "queue sales").answered().agent_answers("agent-1")
    call.queue_left(QueueOutcome.ANSWERED).expects("hang up 16").passes("team:done", "bye:end")
    return call.hangs_up().ends(Disposition.ANSWERED)


def case_answered_by_the_switchs_word_alone_is_no_answer() -> Playbook:
    """QUEUESTATUS may say so (asterisk's `CONTINUE`); without a bridge seen nobody spoke to anybody."""
    call = _begun().queue_left(QueueOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ABANDONED)
    assert call.call.queue_visits[0].outcome is QueueOutcome.FAILED
    return call


ABOUT = (
    (
        QUEUE,
        About(
            family=Family.REACHES,
            left_by={"overflow": LeftBy.OTHERS},
            does=(EnterQueue(queue="sales", priority=5, max_wait_seconds=180, brief=BRIEF),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={
                "brief": "what agents hear first",
                "objection": "the key by which callers object to being recorded",
                "keep_days": "how many days a conversation's recording is kept",
            },
        ),
    ),
)
"""Nodes, and what each says of itself."""
