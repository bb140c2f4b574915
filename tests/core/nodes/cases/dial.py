"""Transcripts of `dial`."""

from datetime import date

from callrouter.core.call import DialOutcome, Disposition, replace
from callrouter.core.effects import Dial, describe_effect
from callrouter.core.explain import explain
from callrouter.core.identity import Forwarding, Identity, Presented, Shows
from callrouter.core.nodes import DialNode, HangupNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Ring, Uses, Variables
from callrouter.core.rota import Contact, Rota, Turns
from callrouter.testing import Playbook, plan_of, sound

SCREEN = (sound("press 1"),)
ON_CALL = Contact(name="on_call", number="+33639980002")
DOCTOR = Contact(name="doctor", number="+33639980001")
TURNS = Turns(cycle=((DOCTOR,), (ON_CALL,)), starting=date(2026, 1, 5))
ROTA = Rota(name="on_duty", timezone="Europe/Paris", turns=TURNS)
TOGETHER = replace(ROTA, turns=Turns(cycle=((DOCTOR, ON_CALL),), starting=date(2026, 1, 5)))
BYE = HangupNode(name="bye")
IN_TURN = plan_of(DialNode(name="urgent", contacts=(ON_CALL, DOCTOR), screen=SCREEN, exits={"no_answer": "bye"}), BYE)


def _first() -> Playbook:
    return (
        Playbook(IN_TURN)
        .offer()
        .expects(Dial(numbers=(ON_CALL.number,), names=("on_call",), ring_seconds=20, screen=SCREEN))
    )


def case_a_voicemail_does_not_swallow_the_emergency() -> Playbook:
    """Refused by screening, the next one's turn."""
    call = _first().after(15).dial_ended(DialOutcome.REFUSED).expects(f"dial {DOCTOR.number} screened")
    call.after(5).somebody_answers().after(90).dial_ended(DialOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.REDIRECTED)
    assert [dial.outcome for dial in call.call.dials] == [DialOutcome.REFUSED, DialOutcome.ANSWERED]
    assert call.call.waiting_seconds(call.at) == 20
    assert call.call.talk_seconds() == 90
    return call


def case_nobody() -> Playbook:
    """Each for their own reason; the last one is recorded."""
    call = _first().dial_ended(DialOutcome.BUSY).expects(f"dial {DOCTOR.number} screened")
    call.dial_ended(DialOutcome.NO_ANSWER).expects("hang up 16").passes("urgent:no_answer", "bye:end")
    assert call.call.visits[0].because == "no_answer"
    return call.hangs_up().ends(Disposition.ABANDONED)


def case_all_at_once() -> Playbook:
    """One attempt for all of them, and `done` after it."""
    plan = plan_of(
        DialNode(name="urgent", contacts=(ON_CALL, DOCTOR), at_once=True, exits={"no_answer": "bye", "done": "bye"}),
        BYE,
    )
    call = Playbook(plan).offer().expects(f"dial {ON_CALL.number} + {DOCTOR.number}").somebody_answers(leg=1)
    call.somebody_answers(leg=0)  # reported once more, by who knows less
    call.dial_ended(DialOutcome.ANSWERED).expects("hang up 16").passes("urgent:done", "bye:end")
    assert [(dial.target, dial.answered_by) for dial in call.call.dials] == [("on_call + doctor", "doctor")]
    return call.hangs_up().ends(Disposition.REDIRECTED)


def case_as_whom_and_what_the_network_answered() -> Playbook:
    """The number that is declared is shown, and of each who is not reached the first answer is kept."""
    identity = Identity(shows=Shows.CLIENT, number="+33199000019", forwarding=Forwarding.DIVERSION)
    node = DialNode(name="urgent", contacts=(ON_CALL, DOCTOR), at_once=True, exits={"no_answer": "bye"})
    presented = Presented(number="+33199000019", forwarded_by="+33199000010", forwarding=Forwarding.DIVERSION)
    rung = Dial(numbers=(ON_CALL.number, DOCTOR.number), names=("on_call", "doctor"), ring_seconds=20)
    rung = replace(rung, presented=presented)
    assert describe_effect(rung) == f"dial {ON_CALL.number} + {DOCTOR.number} as +33199000019"
    call = Playbook(replace(plan_of(node, BYE), identity=identity)).offer().expects(rung)
    call.leg_fails(1).leg_fails(0, sip=603, cause=21).leg_fails(0, sip=480, cause=18)
    call.dial_ended(DialOutcome.BUSY).expects("hang up 16").hangs_up().ends(Disposition.ABANDONED)
    (dial,) = call.call.dials
    assert dial.shown == "+33199000019"
    assert [(one.leg, one.sip, one.cause) for one in dial.failures] == [(1, 486, 17), (0, 603, 21)]
    told = "on_call + doctor: busy (the network answered: doctor SIP 486 cause 17, on_call SIP 603 cause 21)"
    assert any(told in line for line in explain(call.call))
    return call


def case_two_who_are_on_call_together() -> Playbook:
    """Rung at once, before the next one's turn."""
    nurse = Contact(name="nurse", number="+33639980003")
    plan = plan_of(DialNode(name="urgent", contacts=(TOGETHER, nurse), exits={"no_answer": "bye"}), BYE)
    call = Playbook(plan).offer().expects(f"dial {DOCTOR.number} + {ON_CALL.number}").after(20)
    call.dial_ended(DialOutcome.NO_ANSWER).expects(f"dial {nurse.number}").somebody_answers()
    call.dial_ended(DialOutcome.ANSWERED).expects("hang up 16")
    return call.hangs_up().ends(Disposition.REDIRECTED)


def case_hang_up_while_it_rings() -> Playbook:
    """The caller gave up."""
    call = _first().after(8).hangs_up().ends(Disposition.ABANDONED)
    assert call.call.dials[0].outcome is DialOutcome.ABANDONED
    return call


def case_the_line_fails() -> Playbook:
    """A failed attempt is an attempt; a failed command is our fault."""
    call = _first().dial_ended(DialOutcome.FAILED).expects(f"dial {DOCTOR.number} screened")
    call.command_fails("no trunk").expects("hang up 41").hangs_up().ends(Disposition.FAILED)
    assert [dial.outcome for dial in call.call.dials] == [DialOutcome.FAILED, DialOutcome.FAILED]
    return call


ABOUT = (
    (
        IN_TURN.nodes["urgent"],
        About(
            family=Family.REACHES,
            left_by={"no_answer": LeftBy.OTHERS},
            does=(
                Dial(
                    numbers=("+33639980002", "+33639980001"),
                    ring_seconds=20.0,
                    screen=SCREEN,
                    names=("on_call", "doctor"),
                ),
            ),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(rings=(Ring(whom=ON_CALL, path=("contacts", 0)), Ring(whom=DOCTOR, path=("contacts", 1)))),
            effort=Effort(),
            unheard={"identity": "the number that whoever is rung sees"},
        ),
    ),
    (
        DialNode(name="duty", contacts=(ROTA,), exits={"no_answer": "bye", "done": "bye"}),
        About(
            family=Family.REACHES,
            left_by={"no_answer": LeftBy.NOTHING | LeftBy.OTHERS, "done": LeftBy.OTHERS},
            does=(Dial(numbers=("+33639980001", "+33639980002"), ring_seconds=20.0, names=("doctor", "on_call")),),
            reads=Reads(rotas=(ROTA,)),
            variables=Variables(),
            uses=Uses(rings=(Ring(whom=ROTA, path=("contacts", 0)),)),
            effort=Effort(),
            unheard={"identity": "the number that whoever is rung sees"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
