"""Transcripts of `menu`."""

from callrouter.core.call import Disposition
from callrouter.core.effects import CollectDigits
from callrouter.core.nodes import HangupNode, MenuNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

MENU = MenuNode(
    name="menu",
    sounds=(sound("menu"),),
    keys=("1", "*"),
    no_input_retries=1,
    no_match_retries=2,
    no_input_sounds=(sound("still there?"),),
    no_match_sounds=(sound("what?"),),
    exits={"key:1": "inner", "key:*": "bye", "no_input": "bye", "no_match": "bye"},
)
INNER = MenuNode(
    name="inner",
    sounds=(sound("inner"),),
    keys=("2", "#"),
    exits={"key:2": "bye", "key:#": "bye", "no_input": "bye", "no_match": "bye"},
)
PLAN = plan_of(MENU, INNER, HangupNode(name="bye"))


def _begun() -> Playbook:
    return Playbook(PLAN).offer().expects("answer", "collect 1: menu").answered()


def _over(call: Playbook, *visits: str) -> Playbook:
    return call.expects("hang up 16").passes(*visits, "bye:end").hangs_up().ends(Disposition.SELF_SERVED)


def case_key() -> Playbook:
    """One key, one way."""
    return _over(_begun().keys("*"), "menu:key:*")


def case_silence_is_asked_once_more_then_has_its_exit() -> Playbook:
    """The retry has a sentence of its own."""
    call = _begun().silence().expects("collect 1: still there? + menu")
    return _over(call.silence(), "menu:no_input")


def case_wrong_keys_then_the_exit() -> Playbook:
    """Three wrong keys, with two retries."""
    call = _begun()
    call.keys("9").expects("collect 1: what? + menu").keys("8").expects("collect 1: what? + menu")
    _over(call.keys("7"), "menu:no_match")
    assert call.call.visits[0].because == "key 7 unknown, 3×"
    return call


def case_silence_and_wrong_keys_are_counted_apart() -> Playbook:
    """A wrong key does not use up the patience for silence."""
    call = _begun()
    call.keys("9").expects("collect 1: what? + menu").silence().expects("collect 1: still there? + menu")
    call.keys("9").expects("collect 1: what? + menu")
    return _over(call.silence(), "menu:no_input")


def case_type_ahead_through_two_menus() -> Playbook:
    """Both keys while the call was being answered."""
    call = Playbook(PLAN).offer().expects("answer", "collect 1: menu")
    return _over(call.digits("12").answered().collect_ended(), "menu:key:1", "inner:key:2")


def case_keys_behind_a_wrong_one_are_forgotten() -> Playbook:
    """They were meant for a menu the caller did not reach."""
    call = _begun().keys("91").expects("collect 1: what? + menu")
    assert call.call.digits == ""
    return _over(call.keys("*"), "menu:key:*")


def case_hash_as_a_choice_and_as_the_end_of_a_number() -> Playbook:
    """After a key, it answers the menu that offers it."""
    return _over(_begun().keys("1#"), "menu:key:1", "inner:key:#")


def case_retries_start_anew_in_the_next_menu() -> Playbook:
    """What one menu remembers, the next one does not know."""
    call = _begun().keys("9").expects("collect 1: what? + menu").keys("1").expects("collect 1: inner")
    call.keys("9").expects("collect 1: inner")
    return _over(call.keys("9"), "menu:key:1", "inner:no_match")


def case_hang_up_in_the_prompt() -> Playbook:
    """Before any service: left early."""
    return _begun().hangs_up().ends(Disposition.LEFT_EARLY)


ABOUT = (
    (
        MENU,
        About(
            family=Family.ASKS,
            left_by={
                "key:1": LeftBy.KEY,
                "key:*": LeftBy.KEY,
                "no_input": LeftBy.SILENCE,
                "no_match": LeftBy.WRONG_KEYS,
            },
            does=(CollectDigits(sounds=(sound("menu"),), max_digits=1, timeout_seconds=5.0),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(keys=1, seconds=2.0),
            unheard={"timeout_seconds": "the longest wait for a key or an answer"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
