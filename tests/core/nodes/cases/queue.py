"""Transcripts of `queue`."""

from typing import Any

from callrouter.core.call import CallState, Disposition, QueueOutcome, replace
from callrouter.core.effects import Announced, Briefing, Comfort, EnterQueue, Play, Rising
from callrouter.core.nodes import HangupNode, MenuNode, MessageNode, QueueNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.numbers import CallerList
from callrouter.core.waiting.priority import ListPriority
from callrouter.testing import Playbook, plan_of, sound

VIP = CallerList(name="vip", numbers=frozenset({"+33612340007"}))
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


WAITS = Announced(every_seconds=30.0, places=(sound("next"), sound("second")), minutes=(sound("soon"), sound("later")))
KEYS = QueueNode(
    name="team",
    queue="sales",
    priority=1,
    list_priorities=(ListPriority(callers=VIP, priority=10),),
    rising=Rising(after_seconds=120, to=5),
    max_wait_seconds=180,
    keys=("1", "2"),
    announced=WAITS,
    comfort=((sound("please hold"),), (sound("press 1"),)),
    comfort_seconds=45.0,
    exits={"key:1": "message", "key:2": "asks", "overflow": "asks"},
)
ASKS = MenuNode(
    name="asks",
    sounds=(sound("go on?"),),
    keys=("1",),
    no_input_retries=0,
    exits={"key:1": "team", "no_input": "team", "no_match": "bye"},
)
WITH_KEYS = plan_of(KEYS, ASKS, *REST)


def _waits(priority: int = 1, **changes: Any) -> EnterQueue:
    comfort = Comfort(every_seconds=45.0, messages=((sound("please hold"),), (sound("press 1"),)))
    waits = EnterQueue(
        queue="sales",
        priority=priority,
        max_wait_seconds=180,
        briefing=Briefing(client=PLAN.client, name=PLAN.name),
        keys=("1", "2"),
        announced=WAITS,
        comfort=comfort,
        rising=Rising(after_seconds=120, to=5),
    )
    return replace(waits, **changes)


def case_a_key_leaves_for_a_message() -> Playbook:
    """Not a lost call: they left their word."""
    call = Playbook(WITH_KEYS).offer().expects("answer", _waits()).answered().after(20)
    call.queue_left(QueueOutcome.EXITED, key="1").expects("play leave a message")
    call.prompt_ended().expects("record at most 120 s").recorded(12).expects("hang up 16")
    call.passes("team:key:1", "message:done", "bye:end").hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert call.call.queue_visits[0].outcome is QueueOutcome.EXITED
    assert call.call.queue_visits[0].waiting_seconds(call.at) == 20
    return call


def case_a_turn_is_kept_through_a_menu() -> Playbook:
    """Two visits, one turn: the place is that of the first entry, and what raises the priority counts from there."""
    call = Playbook(WITH_KEYS).offer().expects("answer", _waits()).answered()
    entered = call.call.queue_visits[0].entered_at
    call.after(50).queue_left(QueueOutcome.EXITED, key="2").expects("collect 1: go on?")
    call.silence().expects(_waits(turn_at=entered, rising=Rising(after_seconds=70, to=5)))
    call.after(100).queue_left(QueueOutcome.TIMEOUT).expects("collect 1: go on?")
    call.keys("1").expects(_waits(5, turn_at=entered, rising=None)).after(5).agent_answers("agent-1")
    assert [visit.outcome for visit in call.call.queue_visits[:2]] == [QueueOutcome.EXITED, QueueOutcome.TIMEOUT]
    return call.after(60).hangs_up().ends(Disposition.ANSWERED)


def case_another_conversation_begins_another_turn() -> Playbook:
    """Whoever was answered, and comes back, stands at the end."""
    plan = plan_of(
        QueueNode(name="team", queue="sales", max_wait_seconds=9, exits={"overflow": "bye", "done": "asks"}),
        ASKS,
        *REST,
    )
    call = Playbook(plan).offer().expects("answer", "queue sales").answered().agent_answers("agent-1").after(30)
    call.queue_left(QueueOutcome.ANSWERED).expects("collect 1: go on?").keys("1")
    briefing = Briefing(client=PLAN.client, name=PLAN.name)
    call.expects(EnterQueue(queue="sales", priority=0, max_wait_seconds=9, briefing=briefing))
    return call.hangs_up().ends(Disposition.ANSWERED)


def case_callers_of_a_list_come_first() -> Playbook:
    """And do not rise to what is less."""
    call = Playbook(WITH_KEYS).offer(caller="+33612340007").expects("answer", _waits(10, rising=None)).answered()
    return call.hangs_up().ends(Disposition.ABANDONED)


def case_a_key_that_is_none_of_theirs_overflows() -> Playbook:
    """Asterisk lets none through: should one come, the caller is not left alone."""
    call = Playbook(WITH_KEYS).offer().expects("answer", _waits()).answered()
    call.queue_left(QueueOutcome.EXITED, key="9").expects("collect 1: go on?").passes("team:overflow")
    return call.hangs_up().ends(Disposition.ABANDONED)


RECORDED = QueueNode(
    name="team",
    queue="sales",
    max_wait_seconds=180,
    announcement=(sound("recorded, 9 objects"),),
    objection="9",
    keep_days=30,
    exits={"overflow": "message"},
)


def case_recorded() -> Playbook:
    """The announcement to its end, whatever is keyed; then the line, and what is recorded."""
    call = Playbook(plan_of(RECORDED, *REST)).offer().expects("answer", "play recorded, 9 objects").answered()
    call.digits("5").after(2).prompt_ended().expects("queue sales recorded").after(9).agent_answers("agent-1")
    call.after(30).queue_left(QueueOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)
    assert [one.seconds() for one in call.call.recordings] == [30]
    return call


def case_recorded_and_objected_to() -> Playbook:
    """During the announcement: the line as ever, and nothing is recorded."""
    call = Playbook(plan_of(RECORDED, *REST)).offer().expects("answer", "play recorded, 9 objects").answered()
    call.digits("9").prompt_ended().expects("queue sales").agent_answers("agent-1")
    return call.after(30).hangs_up().ends(Disposition.ANSWERED)


UNHEARD = {
    "brief": "what agents hear first",
    "objection": "the key by which callers object to being recorded",
    "keep_days": "how many days a conversation's recording is kept",
}
ABOUT = (
    (
        KEYS,
        About(
            family=Family.REACHES,
            left_by={"key:1": LeftBy.KEY, "key:2": LeftBy.KEY, "overflow": LeftBy.OTHERS},
            does=(replace(_waits(), briefing=None),),
            reads=Reads(lists=(VIP,)),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard=UNHEARD,
        ),
    ),
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
            unheard=UNHEARD,
        ),
    ),
    (
        RECORDED,
        About(
            family=Family.REACHES,
            left_by={"overflow": LeftBy.OTHERS},
            does=(
                Play(sounds=RECORDED.announcement, interruptible=False),  # type: ignore[arg-type]  # sounds alone
                EnterQueue(queue="sales", priority=0, max_wait_seconds=180),
            ),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(seconds=2.0),
            unheard=UNHEARD,
        ),
    ),
)
"""Nodes, and what each says of itself."""
