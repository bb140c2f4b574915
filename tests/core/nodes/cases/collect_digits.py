"""Transcripts of `collect_digits`."""

from callrouter.core.call import Disposition
from callrouter.core.effects import CollectDigits
from callrouter.core.nodes import CollectDigitsNode, HangupNode, MenuNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

PLAN = plan_of(
    CollectDigitsNode(
        name="postcode",
        sounds=(sound("postcode"),),
        variable="postcode",
        min_digits=5,
        max_digits=5,
        no_input_sounds=(sound("still there?"),),
        no_match_sounds=(sound("five digits"),),
        exits={"next": "menu", "no_input": "bye", "no_match": "bye"},
    ),
    MenuNode(
        name="menu",
        sounds=(sound("menu"),),
        keys=("1",),
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
    ),
    HangupNode(name="bye"),
)


def _begun() -> Playbook:
    return Playbook(PLAN).offer().expects("answer", "collect 5: postcode").answered()


def case_five_digits_and_a_late_hash() -> Playbook:
    """The `#` comes when the number has ended by its length: the menu is asked all the same."""
    call = _begun().keys("75011").expects("collect 1: menu")
    call.keys("1").expects("hang up 16").passes("postcode:next", "menu:key:1", "bye:end")
    assert call.call.variables == {"postcode": "75011"}
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_hash_behind_the_last_digit_is_swallowed() -> Playbook:
    """Keyed together: the `#` is not the menu's wrong key."""
    call = _begun().keys("75011#").expects("collect 1: menu")
    call.keys("1").expects("hang up 16")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_too_few_is_asked_again_then_no_match() -> Playbook:
    """And the digits of the first try are forgotten."""
    call = _begun().keys("750#").expects("collect 5: five digits + postcode")
    call.keys("75*11").expects("hang up 16").passes("postcode:no_match", "bye:end")
    assert call.call.visits[0].because == "5 digits, 2×"
    assert call.call.variables == {}
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_silence() -> Playbook:
    """Once more, then its exit."""
    call = _begun().silence().expects("collect 5: still there? + postcode")
    call.silence().expects("hang up 16").passes("postcode:no_input", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_begun_beforehand() -> Playbook:
    """What is there counts, the rest is asked for without the sentence; what is left over is the menu's."""
    first = MenuNode(
        name="first",
        sounds=(sound("first"),),
        keys=("2",),
        exits={"key:2": "postcode", "no_input": "bye", "no_match": "bye"},
    )
    call = Playbook(plan_of(first, *PLAN.nodes.values())).offer().expects("answer", "collect 1: first").answered()
    call.keys("2750").expects("collect 2").keys("111").expects("hang up 16")
    call.passes("first:key:2", "postcode:next", "menu:key:1", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_all_keyed_beforehand() -> Playbook:
    """Nothing is asked at all."""
    call = Playbook(PLAN).offer().expects("answer", "collect 5: postcode").digits("750111").answered()
    call.collect_ended().expects("hang up 16").passes("postcode:next", "menu:key:1", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        PLAN.nodes["postcode"],
        About(
            family=Family.ASKS,
            left_by={"next": LeftBy.KEY, "no_input": LeftBy.SILENCE, "no_match": LeftBy.WRONG_KEYS},
            does=(CollectDigits(sounds=(sound("postcode"),), max_digits=5, timeout_seconds=5.0),),
            reads=Reads(),
            variables=Variables(longest={"postcode": 5}, known_after={"next": frozenset({"postcode"})}),
            uses=Uses(),
            effort=Effort(keys=5, seconds=2.0),
            unheard={"timeout_seconds": "the longest wait for a key or an answer"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
