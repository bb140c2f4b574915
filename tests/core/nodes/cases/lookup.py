"""Transcripts of `lookup`."""

from callrouter.core.call import Disposition
from callrouter.core.effects import HttpRequest, Lookup, LookupField, ReadAs
from callrouter.core.nodes import HangupNode, LookupNode, PlayNode, SetNode
from callrouter.core.nodes.about import SENT, About, Address, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.core.read_aloud import SpokenVariable
from callrouter.core.templates import parse
from callrouter.testing import Playbook, plan_of, sound

CRM = LookupNode(
    name="crm",
    url=parse("https://crm.example/callers/{caller}?file={dossier}"),
    headers=(("Authorization", "env:CRM_TOKEN"),),
    fields=(LookupField(variable="position", path=("queue", "position"), longest=8),),
    exits={"next": "read", "failed": "bye"},
)
READ = PlayNode(
    name="read",
    sounds=(sound("you are number"), SpokenVariable(variable="position", read_as=ReadAs.NUMBER, language="fr")),
    exits={"next": "bye"},
)
ASKS = "look up GET https://crm.example/callers/%2B33612340001?file=12%2F34%26"


def _call(dossier: str = "12/34&") -> Playbook:
    given = SetNode(name="given", variables={"dossier": dossier}, exits={"next": "crm"})
    return Playbook(plan_of(given, CRM, READ, HangupNode(name="bye"))).offer()


def case_answered() -> Playbook:
    """The caller hears the ringing tone meanwhile; a key pressed meanwhile is kept; the value is read aloud."""
    call = _call().expects(ASKS).lookup_done(position="042").expects("answer", "play you are number + 42").answered()
    return call.prompt_ended().expects("hang up 16").hangs_up().ends(Disposition.SELF_SERVED)


def case_what_is_sent() -> Playbook:
    """The secret is only named."""
    request = HttpRequest(
        method="GET",
        url="https://crm.example/callers/%2B33612340001?file=1",
        headers=(("Authorization", "env:CRM_TOKEN"),),
    )
    wanted = Lookup(request=request, timeout_seconds=3.0, fields=CRM.fields, music=True)
    return _call("1").expects(wanted).hangs_up().ends(Disposition.LEFT_EARLY)


def case_failed() -> Playbook:
    """No answer in time: the other exit, and nothing is set."""
    call = _call().expects(ASKS).lookup_fails().expects("hang up 16").passes("given:next", "crm:failed", "bye:end")
    assert "position" not in call.call.variables
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_no_number_is_left_out() -> Playbook:
    """What cannot be read is not said, and is no reason to lose the caller."""
    call = _call().expects(ASKS).lookup_done(position="${SHELL(id)}")
    call.expects("answer", "play you are number").answered().prompt_ended().expects("hang up 16")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_a_variable_is_missing() -> Playbook:
    """Nothing is asked without what the address needs."""
    call = Playbook(plan_of(CRM, READ, HangupNode(name="bye"))).offer()
    return call.expects("hang up 16").passes("crm:failed", "bye:end").hangs_up().ends(Disposition.SELF_SERVED)


def case_late_answer() -> Playbook:
    """The answer to an earlier question changes nothing."""
    call = _call().expects(ASKS)
    call.lookup_fails().expects("hang up 16").lookup_done(position="1").expects_nothing()
    return call.hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        CRM,
        About(
            family=Family.DOES,
            left_by={"next": LeftBy.OTHERS, "failed": LeftBy.OTHERS},
            does=(
                Lookup(
                    request=HttpRequest(
                        method="GET",
                        url="https://crm.example/callers/{caller}?file={dossier}",
                        headers=(("Authorization", "env:CRM_TOKEN"),),
                    ),
                    timeout_seconds=3.0,
                    fields=(LookupField(variable="position", path=("queue", "position"), longest=8),),
                    music=True,
                ),
            ),
            reads=Reads(),
            variables=Variables(
                needed=(Needed(variable="dossier"),),
                longest={"position": 8},
                known_after={"next": frozenset({"position"})},
            ),
            uses=Uses(asks=(Address(url="https://crm.example/callers/x?file=x", secrets=("CRM_TOKEN",)),)),
            effort=Effort(),
            unheard={
                "timeout_seconds": "the longest wait for a key or an answer",
                "music": "whether music is heard meanwhile",
                "method": SENT,
                "url": SENT,
                "headers": SENT,
                "body": SENT,
            },
        ),
    ),
)
"""Nodes, and what each says of itself."""
