"""The editor's examples of who is told, each in a client's file of its own: right, and as the text beside them says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callrouter.core.dispatch import Means
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.show.delivery import described
from tests.dialplan.reference.test_schema import complaints
from tests.docs.test_handbooks import WRITTEN_AT, text_of

CLIENT = """client: example
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
hours: {{ open: {{ mon-fri: "09:00-18:00" }}, holidays: FR }}
{example}fallback: {{ node: bye }}
start: message
nodes:
  message: {{ message: {{ prompt: "Laissez un message.", deliver: {policy}, done: bye }} }}
  bye: {{ hangup: {{}} }}
"""
TEXT = text_of("docs/editor.md")
EXAMPLES = dict(re.findall(r"^```yaml\n# An? ([^:\n]+): [^\n]*\n(contacts:.*?)^```", TEXT, re.MULTILINE | re.DOTALL))


def plan_of(trade: str, folder: Path) -> Plan:
    """Beside the shared files of the guide, for the rota is theirs."""
    blocks = re.findall(r"^```yaml\n# dialplans/(shared/\S+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (folder / "shared").mkdir()
    for name, content in blocks:
        (folder / name).write_text(content, encoding="utf-8")
    (policy,) = re.findall(r"^delivery:\n  (\w+):", EXAMPLES[trade], re.MULTILINE)
    written = CLIENT.format(example=EXAMPLES[trade], policy=policy)
    (folder / "example.yaml").write_text(written, encoding="utf-8")
    catalogue = load_directory(folder, PaperSpeech(), now=WRITTEN_AT)

    assert [str(issue) for issue in catalogue.issues] == []
    assert complaints("client", written) == []
    return catalogue.plans["example"]


def test_there_are_five_trades() -> None:
    assert list(EXAMPLES) == ["doctor", "lawyer", "plumber", "property manager", "shop"]


@pytest.mark.parametrize("trade", EXAMPLES)
def test_an_example_is_right(trade: str, tmp_path: Path) -> None:
    """Nothing is found in it, and an editor agrees."""
    (policy,) = plan_of(trade, tmp_path).policies.values()

    assert policy.urgent.steps


@pytest.mark.parametrize(
    ("trade", "sentence"),
    [
        (
            "doctor",
            "Ordinary: at 12:00 or 18:00 Boîte du cabinet, by e-mail; after 20 hours without an acknowledgement",
        ),
        ("lawyer", "Ordinary: in hours open, or when they begin, Secrétariat, by e-mail."),
        ("plumber", "Every message: at once Karim Benali, by SMS; after 5 minutes without an acknowledgement Monsieur"),
        ("property manager", "by webhook; where nobody of these could be told Madame Roche, by e-mail."),
        (
            "shop",
            "Ordinary: at 08:30 or 14:00 Brighton Books, by e-mail; after 24 hours more it stands on the agents'",
        ),
    ],
)
def test_it_says_what_the_guide_says(trade: str, sentence: str, tmp_path: Path) -> None:
    """In whole sentences."""
    plan = plan_of(trade, tmp_path)
    (policy,) = plan.policies.values()

    assert sentence in " ".join(described(plan, policy))


def test_the_systems_secret_is_named(tmp_path: Path) -> None:
    """And nowhere written."""
    crm = plan_of("property manager", tmp_path).people["crm"]

    assert (crm.secret, crm.means) == ("SYNDIC", (Means.WEBHOOK,))
