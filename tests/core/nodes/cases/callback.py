"""Transcripts of `callback`."""

from msgspec import structs

from callrouter.core.call import Callback, Disposition, Presentation, QueueOutcome
from callrouter.core.dialling import Dialling
from callrouter.core.effects import CollectDigits
from callrouter.core.facts import CallbackAsked
from callrouter.core.nodes import CallbackNode, HangupNode, QueueNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.nodes.callback import Automatic
from callrouter.testing import Playbook, plan_of, sound

FRANCE = Dialling(countries=frozenset({"FR"}))
OFFER = CallbackNode(
    name="offer",
    sounds=(sound("all are busy"),),
    number_sounds=(sound("we call you at"),),
    choice_sounds=(sound("1 yes, 2 other, 3 no"),),
    ask_sounds=(sound("key your number"),),
    no_match_sounds=(sound("that is none"),),
    region="FR",
    dialling=FRANCE,
    language="fr",
    no_input_retries=1,
    no_match_retries=1,
    exits={"done": "bye", "declined": "bye", "no_input": "bye", "no_match": "bye"},
)
OFFERED = "collect 1: all are busy + we call you at + 0612340001 + 1 yes, 2 other, 3 no"
WRONG = "collect 1: that is none + we call you at + 0612340001 + 1 yes, 2 other, 3 no"
AGAIN = "collect 1: we call you at + 0612340001 + 1 yes, 2 other, 3 no"


def _call(dialling: Dialling = FRANCE, **caller: object) -> Playbook:
    offer = structs.replace(OFFER, dialling=dialling)
    return Playbook(plan_of(offer, HangupNode(name="bye"))).offer(**caller)  # type: ignore[arg-type]


def case_the_callers_own_number() -> Playbook:
    """1 confirms it; the call counts as one that left word."""
    call = _call().expects("answer", OFFERED).answered().keys("1").expects("hang up 16").passes("offer:done", "bye:end")
    booked = [fact.callback for fact in call.facts if isinstance(fact, CallbackAsked)]
    assert booked == [Callback(number="+33612340001", node="offer", asked_at=call.at)]
    return call.hangs_up().ends(Disposition.MESSAGE_LEFT)


def case_another_number() -> Playbook:
    """2 asks for one, which is read back."""
    call = _call().expects("answer", OFFERED).answered().keys("2").expects("collect 17: key your number")
    call.keys("0140000001#").expects("collect 1: we call you at + 0140000001 + 1 yes, 2 other, 3 no")
    call.keys("1").expects("hang up 16")
    assert [one.number for one in call.call.callbacks] == ["+33140000001"]
    return call.hangs_up().ends(Disposition.MESSAGE_LEFT)


def case_abroad() -> Playbook:
    """A foreign number is read as one dials it from here."""
    call = _call(FRANCE.plus(countries=["GB"]), caller="+442079460041").expects(
        "answer", "collect 1: all are busy + we call you at + 00442079460041 + 1 yes, 2 other, 3 no"
    )
    return call.answered().keys("1").expects("hang up 16").hangs_up().ends(Disposition.MESSAGE_LEFT)


def case_a_number_that_may_not_be_dialled() -> Playbook:
    """Neither the caller's own nor one they key: it is asked for once more, and then goes where no number does."""
    call = _call(caller="+442079460041").expects("answer", "collect 17: all are busy + key your number").answered()
    call.keys("0899123456#").expects("collect 17: that is none + key your number")
    call.keys("00882131234567#").expects("hang up 16").passes("offer:no_match", "bye:end")
    assert not call.call.callbacks
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_withheld() -> Playbook:
    """A caller who withholds their number is asked for one; no number is none, twice."""
    call = _call(caller=None, presentation=Presentation.WITHHELD)
    call.expects("answer", "collect 17: all are busy + key your number").answered()
    call.keys("123#").expects("collect 17: that is none + key your number")
    call.keys("0612#").expects("hang up 16").passes("offer:no_match", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_declined_while_asked() -> Playbook:
    """* declines where a number is asked for."""
    call = _call(caller="anything").expects("answer", "collect 17: all are busy + key your number").answered()
    call.keys("*#").expects("hang up 16").passes("offer:declined", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_declined() -> Playbook:
    """3 declines; nothing is booked."""
    call = _call().expects("answer", OFFERED).answered().keys("3").expects("hang up 16")
    return call.passes("offer:declined", "bye:end").hangs_up().ends(Disposition.SELF_SERVED)


def case_silence() -> Playbook:
    """Asked again once, then the way out."""
    call = _call().expects("answer", OFFERED).answered().silence().expects(AGAIN).silence().expects("hang up 16")
    return call.passes("offer:no_input", "bye:end").hangs_up().ends(Disposition.SELF_SERVED)


def case_wrong_keys() -> Playbook:
    """So do keys that mean nothing."""
    call = _call().expects("answer", OFFERED).answered().keys("9").expects(WRONG).keys("8").expects("hang up 16")
    return call.passes("offer:no_match", "bye:end").hangs_up().ends(Disposition.SELF_SERVED)


def case_after_an_overflow() -> Playbook:
    """The visit to the queue overflowed, the journey left word: it is not also a lost call."""
    queue = QueueNode(name="team", queue="medical", max_wait_seconds=60, exits={"overflow": "offer"})
    call = Playbook(plan_of(queue, OFFER, HangupNode(name="bye"))).offer()
    call.expects("answer", "queue medical").answered().after(60).queue_left(QueueOutcome.TIMEOUT).expects(OFFERED)
    call.keys("1").expects("hang up 16").hangs_up().ends(Disposition.MESSAGE_LEFT)
    assert [visit.outcome for visit in call.call.queue_visits] == [QueueOutcome.TIMEOUT]
    return call


def case_asked_before() -> Playbook:
    """A tree that goes round does not book without end."""
    offer = CallbackNode(
        name="offer",
        number_sounds=OFFER.number_sounds,
        choice_sounds=OFFER.choice_sounds,
        ask_sounds=OFFER.ask_sounds,
        region="FR",
        dialling=FRANCE,
        language="fr",
        exits={"done": "again", "declined": "bye", "no_input": "bye", "no_match": "bye"},
    )
    again = QueueNode(name="again", queue="medical", max_wait_seconds=9, exits={"overflow": "offer"})
    call = (
        Playbook(plan_of(offer, again)).offer().expects("answer", AGAIN).answered().keys("1").expects("queue medical")
    )
    call.queue_left(QueueOutcome.FULL).expects(AGAIN).keys("1").expects("queue medical")
    call.queue_left(QueueOutcome.FULL).expects("queue medical")
    assert len(call.call.callbacks) == 2
    return call.hangs_up().ends(Disposition.MESSAGE_LEFT)


ABOUT = (
    (
        OFFER,
        About(
            family=Family.KEEPS,
            left_by={
                "done": LeftBy.NOTHING | LeftBy.KEY,
                "declined": LeftBy.KEY,
                "no_input": LeftBy.SILENCE,
                "no_match": LeftBy.WRONG_KEYS,
            },
            does=(
                CollectDigits(
                    sounds=(sound("all are busy"), sound("we call you at"), sound("1 yes, 2 other, 3 no")),
                    max_digits=1,
                    timeout_seconds=5.0,
                ),
                CollectDigits(sounds=(sound("key your number"),), max_digits=17, timeout_seconds=5.0),
            ),
            reads=Reads(own_number=True),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={
                "timeout_seconds": "the longest wait for a key or an answer",
                "dialling": "the list of what may be called back",
                "automatic": "how callers are called back",
            },
        ),
    ),
    (
        structs.replace(OFFER, automatic=Automatic(queue="medical")),
        structs.replace(OFFER.about(), uses=Uses(calls_back_from=("medical",))),
    ),
)
"""Nodes, and what each says of itself."""
