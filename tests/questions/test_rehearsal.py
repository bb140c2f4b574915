"""Rehearsed calls: the demonstration clients' stories on paper, what is heard and how long it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core import engine
from callrouter.core.call import CallerId, DialOutcome, Disposition, Presentation, QueueOutcome
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import MenuNode, PlayNode, QueueNode
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.documents.expected_file import ANYBODY
from callrouter.questions.decisions import Decision
from callrouter.questions.rehearsal import Rehearsal, Script, rehearse
from callrouter.testing import TUESDAY_10, assert_serialises, plan_of, sound

DIALPLANS = Path(__file__).parents[2] / "dialplans"
MOREAU, LENOIR, GARNIER, BRIGHTON = "+33199000010", "+33199000020", "+33199000031", "+442079460040"
DECIDED = {
    Decision("dial", "on_call"): DialOutcome.REFUSED,
    Decision("dial", "technician"): DialOutcome.BUSY,
    Decision("dial", "technician_2"): DialOutcome.BUSY,
    Decision("queue", "returns"): QueueOutcome.EMPTY,
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The demonstration clients, without audio."""
    return load_directory(DIALPLANS, PaperSpeech(), now=TUESDAY_10)


def _script(keys: str = "", *, hang_up_after: int | None = None, ahead: str = "") -> Script:
    asked = tuple(keys.split(",")) if keys else ()
    return Script(keys=asked, hang_up_after=hang_up_after, ahead=ahead, decided=DECIDED)


def _rehearse(catalogue: Catalogue, caller: str, did: str, script: Script, at: datetime = TUESDAY_10) -> Rehearsal:
    caller_id = CallerId(number=caller) if caller else CallerId(presentation=Presentation.WITHHELD)
    plan = catalogue.for_did(did)
    rehearsal = rehearse(plan, CallOffered(call_id="5f1c6a0e9b7d4c21", did=did, caller=caller_id, at=at), script)
    for step in rehearsal.steps:
        assert len(assert_serialises(plan, step.call)) <= 900
        assert step.call.visits_dropped == 0
    return rehearsal


@pytest.mark.parametrize(
    ("caller", "did", "script", "outcome", "last_node"),
    [
        pytest.param("+33612340001", MOREAU, _script("2"), "queue:medical", "secretaries", id="appointment"),
        pytest.param("+33612340002", MOREAU, _script("1"), "dial:doctor", "urgent", id="urgent"),
        pytest.param("+33612340003", MOREAU, _script(ahead="2"), "queue:medical", "secretaries", id="type_ahead"),
        pytest.param("+33612340007", MOREAU, _script(), "queue:medical", "priority", id="vip"),
        pytest.param("+33899123456", MOREAU, _script(), "reject", "refuse", id="unwanted"),
        pytest.param("+33612340004", MOREAU, _script("9,9,9"), "queue:medical", "secretaries", id="wrong_keys"),
        pytest.param("+33612340005", MOREAU, _script(), "queue:medical", "secretaries", id="silent"),
        pytest.param("+33612340006", MOREAU, _script("2", hang_up_after=2), "abandoned", "welcome", id="abandons"),
        pytest.param("+33612340013", LENOIR, _script(hang_up_after=1), "left_early", "", id="left_early"),
        pytest.param("", LENOIR, _script(), "message", "", id="withheld"),
        pytest.param("", LENOIR, _script("0612340099#"), "message", "", id="withheld_keyed"),
        pytest.param("+33612340011", LENOIR, _script(), "queue:legal", "", id="vip_law"),
        pytest.param("+33612340014", GARNIER, _script("75011#"), "dial:garnier", "onsite", id="leak_paris"),
        pytest.param("+33612340015", GARNIER, _script("92100"), "queue:trades", "dispatch", id="leak_elsewhere"),
        pytest.param("+447700900001", BRIGHTON, _script("1"), "self_served", "", id="opening_times"),
        pytest.param("+447700900002", BRIGHTON, _script("2"), "queue:shop", "", id="shop"),
        pytest.param("+447700900003", BRIGHTON, _script("3"), "redirect:+442079460041", "warehouse", id="warehouse"),
        pytest.param("+447700900004", BRIGHTON, _script("4"), "message", "", id="returns"),
        pytest.param("+33612340010", LENOIR, _script(), "message", "", id="message"),
        pytest.param("+33612340016", "+33199009999", _script(), "reject", "", id="unknown"),
    ],
)
def test_story(catalogue: Catalogue, caller: str, did: str, script: Script, outcome: str, last_node: str) -> None:
    """Each caller comes where their story says, on paper as on the line."""
    rehearsal = _rehearse(catalogue, caller, did, script)

    assert rehearsal.meets(outcome), rehearsal.outcome
    if last_node:
        assert rehearsal.call.visits[-1].node == last_node


def test_the_vip_hears_no_menu(catalogue: Catalogue) -> None:
    """And the others hear the whole greeting, when they are silent, twice."""
    vip = _rehearse(catalogue, "+33612340007", MOREAU, _script())
    silent = _rehearse(catalogue, "+33612340005", MOREAU, _script())

    assert vip.heard == ()
    assert sum("bonjour" in heard.text for heard in silent.heard) == 2
    assert vip.meets("node:priority")
    assert not silent.meets("node:priority")


def test_saturday_afternoon_is_closed(catalogue: Catalogue) -> None:
    """The clock is the client's."""
    saturday = datetime(2026, 1, 10, 11, 0, tzinfo=UTC)

    assert _rehearse(catalogue, "+33612340001", MOREAU, _script(), saturday).outcome == "message:night"


MENU = plan_of(
    PlayNode(name="hello", sounds=(sound("hello", 4),), exits={"next": "menu"}),
    MenuNode(
        name="menu",
        sounds=(sound("menu", 6),),
        keys=("1",),
        timeout_seconds=5,
        exits={"key:1": "team", "no_input": "team", "no_match": "team"},
    ),
    QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "menu"}),
)
OFFERED = CallOffered(call_id="a", did="+33199000010", caller=CallerId(), at=TUESDAY_10)


def test_the_virtual_clock() -> None:
    """Prompts take their time, silence its time-out, queues and conversations some seconds."""
    script = Script(keys=("", "1"))

    rehearsal = rehearse(MENU, OFFERED, script)

    moments = [round((step.at - TUESDAY_10).total_seconds(), 2) for step in rehearsal.steps]
    assert moments == [0, 4.02, 15.02, 16.32, 86.32, 86.32]
    assert [step.told for step in rehearsal.steps] == [
        "the call rings",
        "heard",
        "keys nothing",
        "keys 1",
        "talks to agent 60 s",
        "the call is hung up",
    ]
    assert rehearsal.call.waiting_seconds(OFFERED.at) == 10
    assert rehearsal.call.talk_seconds() == 60


@pytest.mark.parametrize("wait", range(1, 5))
def test_hang_up_in_each_wait(wait: int) -> None:
    """In the prompt, in the menu, in the menu again, in the queue."""
    rehearsal = rehearse(MENU, OFFERED, Script(hang_up_after=wait))

    assert rehearsal.call.disposition is (Disposition.ABANDONED if wait == 4 else Disposition.LEFT_EARLY)


def test_a_loop_without_an_answer_ends_all_the_same() -> None:
    """A caller of endless patience, and a queue where nobody is."""
    script = Script(decided={Decision("queue", ANYBODY): QueueOutcome.EMPTY})

    assert rehearse(MENU, OFFERED, script).outcome == "failed"


def test_the_inputs_give_the_same_call_again() -> None:
    """A rehearsal can be replayed through the engine."""
    rehearsal = rehearse(MENU, OFFERED, Script(ahead="5", keys=("9", "1")))

    call = engine.start(MENU, OFFERED).call
    for told in rehearsal.inputs:
        call = engine.step(MENU, call, told).call

    assert call == rehearsal.call
