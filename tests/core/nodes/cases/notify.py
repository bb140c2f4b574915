"""Transcripts of `notify`."""

import json

from callrouter.core.call import Disposition
from callrouter.core.facts import NotificationAsked, TroubleMet
from callrouter.core.nodes import HangupNode, NotifyNode, SetNode
from callrouter.core.nodes.about import SENT, About, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.core.templates import parse
from callrouter.testing import Playbook, plan_of

TOLD = NotifyNode(
    name="told",
    contact="crm",
    url="https://crm.example/hook",
    data=(("reason", parse("urgent")), ("file", parse("n° {dossier}"))),
    exits={"next": "bye"},
)


def case_goes_on_at_once() -> Playbook:
    """The call does not wait; the fact holds all that is to be delivered, hostile words as text."""
    given = SetNode(name="given", variables={"dossier": '"}\r\n{"'}, exits={"next": "told"})
    call = Playbook(plan_of(given, TOLD, HangupNode(name="bye"))).offer(name='Jean "X"\n')
    call.expects("hang up 16").passes("given:next", "told:next", "bye:end")
    asked = [fact.notification for fact in call.facts if isinstance(fact, NotificationAsked)]
    assert [(one.contact, one.url) for one in asked] == [("crm", "https://crm.example/hook")]
    assert asked[0].notification_id == "5f1c6a0e9b7d4c21-n1"
    document = json.loads(asked[0].body)
    assert document["data"] == {"reason": "urgent", "file": 'n° "}\r\n{"'}
    assert document["caller"] == {"number": "+33612340001", "name": 'Jean "X"\n', "presentation": "allowed"}
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_without_a_variable() -> Playbook:
    """What is known is sent; what is missing is noted."""
    call = Playbook(plan_of(TOLD, HangupNode(name="bye"))).offer().expects("hang up 16")
    assert [fact.reason for fact in call.facts if isinstance(fact, TroubleMet)] == [
        "file was not sent to crm: dossier is not set"
    ]
    return call.hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        TOLD,
        About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING},
            does=(),
            reads=Reads(),
            variables=Variables(needed=(Needed(variable="dossier"),)),
            uses=Uses(tells=("https://crm.example/hook",)),
            effort=Effort(),
            unheard={"url": SENT, "data": SENT, "contact": SENT},
        ),
    ),
)
"""Nodes, and what each says of itself."""
