"""Transcripts of `form`."""

from callrouter.core.call import Call, Disposition, FormValue, Message, QueueOutcome
from callrouter.core.facts import MessageLeft, TroubleMet
from callrouter.core.forms import Field, FieldType, Form
from callrouter.core.nodes import FormNode, HangupNode, QueueNode, SetNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.core.templates import parse
from callrouter.testing import TUESDAY_10, Playbook, plan_of

ORDER = Form(
    name="order",
    title="Order",
    deliver="desk",
    fields=(
        Field(name="number", label="Number", type=FieldType.NUMBER, required=True),
        Field(name="file", label="File", type=FieldType.TEXT),
        Field(name="urgency", label="Urgency", type=FieldType.URGENCY),
    ),
)
TAKEN = FormNode(
    name="taken",
    form=ORDER,
    given=(("file", parse("n° {dossier}")), ("urgency", parse("urgent"))),
    region="FR",
    exits={"next": "bye", "failed": "line"},
)
BYE = HangupNode(name="bye")
LINE = QueueNode(name="line", queue="sales", max_wait_seconds=60, exits={"overflow": "bye"})
NO_NUMBER = FormNode(
    name="taken",
    form=Form(name="file", title="File", deliver="desk", fields=ORDER.fields[1:2]),
    given=(("file", parse("{dossier}")),),
    region="FR",
    exits={"next": "bye"},
)


def _given(dossier: str, taken: FormNode = TAKEN) -> Playbook:
    """A caller of whom a file's number is known."""
    given = SetNode(name="given", variables={"dossier": dossier}, exits={"next": "taken"})
    return Playbook(plan_of(given, taken, LINE, BYE)).offer()


def _messages(call: Playbook) -> list[Message]:
    return [fact.message for fact in call.facts if isinstance(fact, MessageLeft)]


def case_a_message_is_left() -> Playbook:
    """Without a recording, at once; the caller's own number is filled in."""
    call = _given("4711").expects("hang up 16").passes("given:next", "taken:next", "bye:end")
    assert _messages(call) == [
        Message(
            recording="",
            node="taken",
            deliver="desk",
            started_at=TUESDAY_10,
            seconds=0.0,
            form="order",
            values=(
                FormValue(name="number", value="+33612340001", label="Number", type="number"),
                FormValue(name="file", value="n° 4711", label="File", type="text"),
                FormValue(name="urgency", value="urgent", label="Urgency", type="urgency"),
            ),
        )
    ]
    return call.hangs_up().ends(Disposition.MESSAGE_LEFT)


def case_what_is_wrong_is_no_message() -> Playbook:
    """Whoever shows no number is not asked for it here: somebody else is."""
    given = SetNode(name="given", variables={"dossier": "4711"}, exits={"next": "taken"})
    call = Playbook(plan_of(given, TAKEN, LINE, BYE)).offer(caller=None).expects("answer", "queue sales")
    assert _messages(call) == []
    assert [fact for fact in call.facts if isinstance(fact, TroubleMet)] == []
    call.passes("given:next", "taken:failed").answered()
    return call.queue_left(QueueOutcome.EMPTY).expects("hang up 16").hangs_up().ends(Disposition.ABANDONED)


def case_a_value_that_nobody_could_use() -> Playbook:
    """Without an exit for it the call goes on as if it were right, and leaves nothing."""
    call = _given("\r\n-", NO_NUMBER).expects("hang up 16").passes("given:next", "taken:next", "bye:end")
    assert _messages(call) == []
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_what_a_call_cannot_carry() -> Playbook:
    """It is noted, and nothing of it is kept: half a message would be another one."""
    call = _given("x" * 300).expects("answer", "queue sales").passes("given:next", "taken:failed")
    assert _messages(call) == []
    assert [fact.reason for fact in call.facts if isinstance(fact, TroubleMet)] == [
        "a message was not kept: form order is longer than what a call can carry"
    ]
    call.answered().queue_left(QueueOutcome.EMPTY).expects("hang up 16")
    return call.hangs_up().ends(Disposition.ABANDONED)


def case_given_away_to_it() -> Playbook:
    """A variable that was not set on the way is not given."""
    step = TAKEN.enter(plan_of(TAKEN, LINE, BYE), _call(), TUESDAY_10)
    assert step.call.messages == ()
    return _given("4711").expects("hang up 16").hangs_up().ends(Disposition.MESSAGE_LEFT)


def _call() -> Call:
    return Playbook(plan_of(LINE, BYE)).offer().expects("answer", "queue sales").stops_here()


ABOUT = (
    (
        TAKEN,
        About(
            family=Family.KEEPS,
            left_by={"next": LeftBy.NOTHING, "failed": LeftBy.NOTHING},
            does=(),
            reads=Reads(own_number=True),
            variables=Variables(needed=(Needed(variable="dossier"),)),
            uses=Uses(delivers="desk"),
            effort=Effort(),
            unheard={"filled_in": "the form that is filled in", "filled_with": "what is put into the form"},
        ),
    ),
    (
        NO_NUMBER,
        About(
            family=Family.KEEPS,
            left_by={"next": LeftBy.NOTHING},
            does=(),
            reads=Reads(),
            variables=Variables(needed=(Needed(variable="dossier"),)),
            uses=Uses(delivers="desk"),
            effort=Effort(),
            unheard={"filled_in": "the form that is filled in", "filled_with": "what is put into the form"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
