"""`identity` of a client and `shared/trunk.yaml`: what becomes of them, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from callrouter.core.identity import Forwarding, Identity, Shows
from callrouter.dialplan import PaperSpeech, load_directory
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
