"""Transcripts of `play`."""

from callrouter.core.call import Disposition
from callrouter.core.effects import Answer, Play
from callrouter.core.nodes import HangupNode, MenuNode, PlayNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

NEWS = sound("news", 30)
PLAN = plan_of(
    PlayNode(name="law", sounds=(sound("law"),), interruptible=False, exits={"next": "news"}),
    PlayNode(name="news", sounds=(NEWS,), exits={"next": "menu"}),
    MenuNode(
        name="menu",
        sounds=(sound("menu"),),
        keys=("1",),
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
        no_input_retries=0,
        no_match_retries=0,
    ),
    HangupNode(name="bye"),
)


def case_heard_to_the_end() -> Playbook:
    """The first sound answers the call."""
    call = Playbook(PLAN).offer().expects("answer", "play law")
    call.answered().after(2).prompt_ended().expects(Play(sounds=(NEWS,), interruptible=True))
    call.after(30).prompt_ended().expects("collect 1: menu")
    call.silence().expects("hang up 16").passes("law:next", "news:next", "menu:no_input", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_keyed_ahead_skips_what_can_be_skipped() -> Playbook:
    """A key during a prompt that must be heard is kept; the next prompt is passed over, the menu answered."""
    call = Playbook(PLAN).offer().expects(Answer, Play).answered().digits("1")
    call.prompt_ended().expects("hang up 16").passes("law:next", "news:next", "menu:key:1", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_a_hash_alone_is_no_type_ahead() -> Playbook:
    """`#` ended a number that had ended already: nothing is skipped for it."""
    call = Playbook(PLAN).offer().expects("answer", "play law").answered().digits("#")
    call.prompt_ended().expects("play news")
    call.prompt_ended().expects("collect 1: menu")
    call.keys("1").expects("hang up 16")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_file_missing_without_fallback() -> Playbook:
    """Nothing else to go to: the call ends, as failed."""
    call = Playbook(PLAN).offer().expects("answer", "play law").answered()
    call.command_fails("no such file").expects("hang up 41").passes("law:failed", "law:end")
    return call.hangs_up().ends(Disposition.FAILED)


ABOUT = (
    (
        PLAN.nodes["law"],
        About(
            family=Family.DOES,
            left_by={"next": LeftBy.TIME},
            does=(Play(sounds=(sound("law"),), interruptible=False),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(seconds=2.0),
            unheard={"interruptible": "whether a key ends what is heard"},
        ),
    ),
    (
        PLAN.nodes["news"],
        About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING | LeftBy.TIME},
            does=(Play(sounds=(NEWS,), interruptible=True),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(seconds=30),
            unheard={"interruptible": "whether a key ends what is heard"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
