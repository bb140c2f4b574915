"""`identity` of a client and `shared/trunk.yaml`: what becomes of them, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from callrouter.asterisk.alone.ready_made import fallback_of
from callrouter.core.identity import Forwarding, Identity, Shows
from callrouter.core.nodes import CallbackNode, DialNode, RedirectNode
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.issues import Severity
from callrouter.dialplan.show.text import tree
from callrouter.outgoing.rules import Rules
from callrouter.testing import TUESDAY_10

CLIENT = """
client: acme
name: Acme
numbers: ["01 99 00 00 90", "01 99 00 00 92"]
timezone: Europe/Paris
language: fr
fallback: {{ number: "01 99 00 00 99" }}
start: bye
nodes:
  bye: {{ hangup: {{}} }}
{identity}
"""
OPERATOR = "+33199000000"


def loaded(folder: Path, identity: str, trunk: str | None) -> tuple[Identity | None, list[str]]:
    """The client's identity, and what is said of the folder."""
    (folder / "acme.yaml").write_text(CLIENT.format(identity=identity))
    (folder / "shared").mkdir()
    if trunk is not None:
        (folder / "shared" / "trunk.yaml").write_text(trunk)
    catalogue = load_directory(folder, PaperSpeech(), now=TUESDAY_10)
    plan = catalogue.plans.get("acme")
    return (plan.identity if plan else None), [str(issue).partition(" ")[2] for issue in catalogue.issues]


TRUNK = 'number: "01 99 00 00 00"\n'
BOTH = TRUNK + "also_shows: [client, caller]\nforwarding: diversion\n"
DIVERTED = Forwarding.DIVERSION


@pytest.mark.parametrize(
    ("identity", "trunk", "expected"),
    [
        ("", None, None),
        ("", TRUNK, Identity(shows=Shows.OPERATOR, number=OPERATOR)),
        ("identity: { show: operator }", BOTH, Identity(shows=Shows.OPERATOR, number=OPERATOR, forwarding=DIVERTED)),
        ("identity: { show: caller }", BOTH, Identity(shows=Shows.CALLER, number=OPERATOR, forwarding=DIVERTED)),
        (
            "identity: { show: client, mandate: 2026-01-05 }",
            BOTH,
            Identity(shows=Shows.CLIENT, number="+33199000090", forwarding=DIVERTED, mandate=date(2026, 1, 5)),
        ),
        (
            'identity: { show: client, number: "01 40 00 00 01", mandate: 2026-01-06 }',
            BOTH,
            Identity(shows=Shows.CLIENT, number="+33140000001", forwarding=DIVERTED, mandate=date(2026, 1, 6)),
        ),
    ],
)
def test_what_is_declared(tmp_path: Path, identity: str, trunk: str | None, expected: Identity | None) -> None:
    """The operator's number unless the client's file says more."""
    assert loaded(tmp_path, identity, trunk) == (expected, [])


@pytest.mark.parametrize(
    ("identity", "trunk", "sentence"),
    [
        ("identity: { show: caller }", TRUNK, "the carrier does not let us show the caller's number"),
        (
            "identity: { show: client, mandate: 2026-01-05 }",
            TRUNK,
            "the carrier does not let us show the client's number",
        ),
        ("identity: { show: client }", BOTH, "takes its mandate"),
        ("identity: { show: client, mandate: 2026-01-07 }", BOTH, "is still to come"),
        ('identity: { show: client, mandate: "07/01/2026" }', BOTH, 'is no day: write "2026-01-07"'),
        ('identity: { show: client, number: "01 99", mandate: 2026-01-05 }', BOTH, "is no telephone number of FR"),
        ('identity: { show: client, number: "3949", mandate: 2026-01-05 }', BOTH, "could not be called back"),
        ('identity: { show: operator, number: "01 40 00 00 01" }', BOTH, '"number" is for `show: client` only'),
        ("identity: { show: operater }", BOTH, 'did you mean "operator"?'),
        ("identity: { show: operator }", None, "shared/trunk.yaml does not say what the carrier lets us show"),
        ("", "number: 12345\n", "is no telephone number of FR"),
        ("", 'number: "3949"\n', "is no number that could be called back"),
        ("", TRUNK + "also_shows: [anybody]\n", "is neither client nor caller"),
        ("", "also_shows: [client]\n", "number"),
    ],
)
def test_what_is_refused(tmp_path: Path, identity: str, trunk: str | None, sentence: str) -> None:
    """With the reason, and no plan that would show another number than is meant."""
    found, issues = loaded(tmp_path, identity, trunk)

    assert found is None
    assert any(sentence in issue for issue in issues), issues


NODES = """
client: acme
name: Acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
contacts: {{ doctor: {{ number: "06 12 34 00 07" }} }}
identity: {{ show: client, mandate: 2026-01-05 }}
fallback: {{ node: elsewhere }}
start: urgent
nodes:
  urgent: {{ dial: {{ contacts: [doctor], identity: {dial}, no_answer: elsewhere }} }}
  elsewhere: {{ redirect: {{ number: "01 99 00 00 99", identity: {redirect}, failed: offer }} }}
  offer:
    callback:
      automatic: {{ queue: medical, identity: {callback} }}
      done: bye
      declined: bye
      no_input: bye
      no_match: bye
  bye: {{ hangup: {{}} }}
"""
QUEUES = "queues: { medical: { title: Medical } }\n"
OPERATORS, CALLERS = "{ show: operator }", "{ show: caller }"


def nodes_of(folder: Path, dial: str, redirect: str, callback: str, trunk: str = BOTH) -> tuple[Plan | None, list[str]]:
    """A plan whose nodes show other numbers than the client's, and what is said of it."""
    (folder / "acme.yaml").write_text(NODES.format(dial=dial, redirect=redirect, callback=callback))
    (folder / "shared").mkdir()
    (folder / "shared" / "trunk.yaml").write_text(trunk)
    (folder / "shared" / "queues.yaml").write_text(QUEUES)
    catalogue = load_directory(folder, PaperSpeech(), now=TUESDAY_10)
    said = [str(issue) for issue in catalogue.issues if "identity" in str(issue) or issue.severity is Severity.ERROR]
    return catalogue.plans.get("acme"), said


def test_a_node_shows_another_number_than_the_client(tmp_path: Path) -> None:
    """And says so in the drawing; Asterisk alone shows what the fallback's node does."""
    plan, said = nodes_of(tmp_path, CALLERS, OPERATORS, OPERATORS)

    assert said == []
    assert plan is not None
    operators = Identity(shows=Shows.OPERATOR, number=OPERATOR, forwarding=DIVERTED)
    urgent, elsewhere, offer = (plan.nodes[name] for name in ("urgent", "elsewhere", "offer"))
    assert isinstance(urgent, DialNode)
    assert urgent.identity == Identity(shows=Shows.CALLER, number=OPERATOR, forwarding=DIVERTED)
    assert isinstance(elsewhere, RedirectNode)
    assert elsewhere.identity == operators
    assert isinstance(offer, CallbackNode)
    assert offer.automatic is not None
    assert offer.automatic.identity == operators
    assert "as the operator's number (+33199000000), with Diversion" in tree(plan)
    assert fallback_of(plan, "+33199000090") == ("number:+33199000099:+33199000000:diversion:+33199000090:operator")
    (rule,) = (rule for rule in [Rules({"acme": plan}).find("acme", "offer")] if rule)
    assert rule.shown("+33199000090") == OPERATOR


@pytest.mark.parametrize(
    ("dial", "redirect", "callback", "trunk", "sentence"),
    [
        (CALLERS, OPERATORS, OPERATORS, TRUNK, "the carrier does not let us show the caller's number"),
        ("{ show: client }", OPERATORS, OPERATORS, BOTH, "takes its mandate"),
        (OPERATORS, "{ show: client, mandate: 2026-01-07 }", OPERATORS, BOTH, "is still to come"),
        (OPERATORS, OPERATORS, CALLERS, BOTH, "the caller is whom we call back"),
        (OPERATORS, '{ show: operator, number: "01 40 00 00 01" }', OPERATORS, BOTH, "is for `show: client` only"),
    ],
)
def test_a_nodes_identity_is_judged_like_the_clients(
    tmp_path: Path, dial: str, redirect: str, callback: str, trunk: str, sentence: str
) -> None:
    """At its own line, and the plan is not taken."""
    plan, said = nodes_of(tmp_path, dial, redirect, callback, trunk)

    assert plan is None
    of_nodes = [one for one in said if 'node "' in one]
    assert len(of_nodes) == 1
    assert sentence in of_nodes[0]
