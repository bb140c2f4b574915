"""Transcripts of `message`."""

from callrouter.core.call import Disposition, RecordOutcome
from callrouter.core.effects import Play, Record
from callrouter.core.facts import MessageLeft, TroubleMet
from callrouter.core.inputs import RecordingEnded, RecordingFound
from callrouter.core.nodes import HangupNode, MessageNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

EMPTY = {"done": "bye", "empty": "sorry"}
PLAN = plan_of(
    MessageNode(name="message", sounds=(sound("speak"),), deliver="email_doctor", exits=EMPTY),
    HangupNode(name="bye"),
    HangupNode(name="sorry"),
)
RECORD = Record(recording="5f1c6a0e9b7d4c21-0", max_seconds=120, silence_seconds=5)


def _begun() -> Playbook:
    return Playbook(PLAN).offer().expects("answer", "play speak").answered().after(3).prompt_ended().expects(RECORD)


def case_ended_by_a_key() -> Playbook:
    """Kept, with all that its delivery needs."""
    call = _begun().recorded(4.2).expects("hang up 16").passes("message:done", "bye:end")
    call.hangs_up().ends(Disposition.MESSAGE_LEFT)
    message = call.call.messages[0]
    assert (message.recording, message.node, message.deliver) == (RECORD.recording, "message", "email_doctor")
    assert message.seconds == 4.2
    return call


def case_hang_up_keeps_it() -> Playbook:
    """A caller who hangs up has left their message all the same."""
    call = _begun().after(4).hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert call.call.messages[0].seconds == 4
    assert [fact.message for fact in call.facts if isinstance(fact, MessageLeft)] == [*call.call.messages]
    return call


def case_nothing_can_be_heard() -> Playbook:
    """However long it is, it is no message."""
    call = _begun().after(9)
    silent = RecordingEnded(step=call.call.step, outcome=RecordOutcome.FINISHED, seconds=9, heard=False, at=call.at)
    call.tells(silent).expects("hang up 16").passes("message:empty", "sorry:end")
    assert call.call.visits[0].because == "finished, 9 s, nothing heard"
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_its_file_is_found_before_the_hang_up() -> Playbook:
    """Then the file says how long it is, or that there is none, and not the clock."""
    call = _begun().after(33)
    call.tells(RecordingFound(seconds=31.5, heard=True, at=call.at)).hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert [message.seconds for message in call.call.messages] == [31.5]
    silent = _begun().after(33)
    silent.tells(RecordingFound(seconds=0, heard=False, at=silent.at)).hangs_up().ends(Disposition.LEFT_EARLY)
    assert silent.call.messages == ()
    return call


def case_the_silence_in_it_is_not_spoken() -> Playbook:
    """`min` is two seconds: what the caller speaks counts, and the length that is kept is the file's."""
    for spoken, disposition, kept in ((1.9, Disposition.LEFT_EARLY, []), (2.1, Disposition.MESSAGE_LEFT, [3.1])):
        call = _begun().after(9)
        call.tells(RecordingFound(seconds=3.1, heard=True, spoken_seconds=spoken, at=call.at)).hangs_up()
        call.ends(disposition)
        assert [message.seconds for message in call.call.messages] == kept
    return call


def case_control_is_lost() -> Playbook:
    """Nobody goes on in the tree, and what was spoken until then is a message."""
    call = _begun().after(9).control_lost()
    call.tells(RecordingFound(seconds=8, heard=True, at=call.at)).hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert [fact.message for fact in call.facts if isinstance(fact, MessageLeft)] == [*call.call.messages]
    return call


def case_hang_up_too_early_keeps_nothing() -> Playbook:
    """Below `min` it is a click."""
    call = _begun().after(1.5).hangs_up().ends(Disposition.LEFT_EARLY)
    assert call.call.messages == ()
    return call


def case_the_clock_is_set_back_meanwhile() -> Playbook:
    """How long it is nobody knows: it is kept."""
    call = _begun().after(-3600).hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert [message.seconds for message in call.call.messages] == [2]
    return call


def case_the_switch_tells_of_the_hang_up_twice() -> Playbook:
    """The recording's own end first, then the hang-up: one message."""
    call = _begun().recorded(4, RecordOutcome.HUNG_UP).expects("hang up 16").hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert len(call.call.messages) == 1
    return call


def case_too_short_has_its_exit() -> Playbook:
    """Nothing was said."""
    call = _begun().recorded(1.9).expects("hang up 16").passes("message:empty", "sorry:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_the_recording_failed() -> Playbook:
    """There is nothing of it, and somebody is told."""
    call = _begun().recorded(0, RecordOutcome.FAILED).expects("hang up 16").passes("message:empty", "sorry:end")
    assert any(isinstance(fact, TroubleMet) for fact in call.facts)
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_the_recording_failed_after_a_while() -> Playbook:
    """The disk was full: what was spoken until then is kept, and somebody is told."""
    call = _begun().recorded(30, RecordOutcome.FAILED).expects("hang up 16").passes("message:done", "bye:end")
    assert any(isinstance(fact, TroubleMet) for fact in call.facts)
    call.hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert [message.seconds for message in call.call.messages] == [30]
    return call


def case_two_messages_in_one_call_have_two_names() -> Playbook:
    """Keys pressed meanwhile are not kept for later."""
    plan = plan_of(
        MessageNode(name="first", sounds=(), exits={"done": "second"}),
        MessageNode(name="second", sounds=(), exits={"done": "bye"}),
        HangupNode(name="bye"),
    )
    call = Playbook(plan).offer().expects("answer", "record at most 120 s").answered().digits("5").recorded(5)
    call.expects("record at most 120 s").recorded(6).expects("hang up 16").hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert [message.recording[-2:] for message in call.call.messages] == ["-0", "-1"]
    assert call.call.digits == ""
    return call


def case_a_loop_of_messages_is_bounded() -> Playbook:
    """Eight are enough; the tree that wants more is at fault, the messages stay."""
    plan = plan_of(MessageNode(name="loop", sounds=(), exits={"done": "loop"}))
    call = Playbook(plan).offer().expects("answer", "record at most 120 s").answered()
    for _ in range(7):
        call.recorded(5).expects("record at most 120 s")
    call.recorded(5).expects("hang up 41").hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert len(call.call.messages) == 8
    return call


ABOUT = (
    (
        PLAN.nodes["message"],
        About(
            family=Family.KEEPS,
            left_by={"done": LeftBy.SPEECH, "empty": LeftBy.SILENCE | LeftBy.SPEECH},
            does=(
                Play(sounds=(sound("speak"),), interruptible=True),
                Record(recording="", max_seconds=120.0, silence_seconds=5.0),
            ),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(delivers="email_doctor"),
            effort=Effort(),
            unheard={
                "silence_seconds": "the silence that ends a recording",
                "min_seconds": "the shortest message that is kept",
            },
        ),
    ),
    (
        MessageNode(name="word", sounds=(), exits={"done": "bye"}),
        About(
            family=Family.KEEPS,
            left_by={"done": LeftBy.SILENCE | LeftBy.SPEECH},
            does=(Record(recording="", max_seconds=120.0, silence_seconds=5.0),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={
                "silence_seconds": "the silence that ends a recording",
                "min_seconds": "the shortest message that is kept",
            },
        ),
    ),
)
"""Nodes, and what each says of itself."""
