"""Where whom a client wants of a team counts: everywhere its callers wait for it, and in no other client's tree."""

from __future__ import annotations

from pathlib import Path

from callrouter.asterisk.alone.ready_made import fallback_of
from callrouter.core.agents.preference import Preference
from callrouter.core.nodes import CallbackNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.testing import TUESDAY_10

QUEUES = "queues: { medical: { members: [anne, bruno, carl] }, legal: { members: [anne, bruno] } }"
SNIPPET = """snippets:
  in_line:
    parameters: { team: queue, after: node }
    start: wait
    nodes:
      wait: { queue: { name: $team, max_wait: 1m, overflow: $after } }
"""
CLIENT = """client: {name}
numbers: ["01 99 00 00 {number}"]
timezone: Europe/Paris
language: fr
languages: [fr, en]
fallback: {{ queue: medical }}
agents: {{ medical: {wanted} }}
start: menu
nodes:
  menu:
    menu:
      prompt: {{ say: {{ fr: "1, 2, 3, 4 ou 5.", en: "1, 2, 3, 4 or 5." }} }}
      keys: {{ "1": desk, "2": included, "3": english, "4": offer, "5": {other} }}
      no_input: desk
      no_match: desk
  desk: {{ queue: {{ name: medical, max_wait: 1m, overflow: bye }} }}
  included: {{ include: {{ snippet: in_line, with: {{ team: medical, after: bye }} }} }}
  english: {{ set: {{ language: en, next: desk }} }}
  offer:
    callback: {{ done: bye, declined: bye, no_input: bye, no_match: bye, automatic: {{ queue: medical }} }}
  elsewhere: {{ redirect: {{ client: other }} }}
  lawyers: {{ queue: {{ name: legal, max_wait: 1m, overflow: bye }} }}
  bye: {{ hangup: {{}} }}
"""


def loaded(folder: Path, wanted: str, queues: str = QUEUES) -> Catalogue:
    (folder / "shared").mkdir(parents=True, exist_ok=True)
    (folder / "shared" / "queues.yaml").write_text(queues)
    (folder / "shared" / "snippets.yaml").write_text(SNIPPET)
    text = CLIENT.format(name="first", number="10", wanted=wanted, other="elsewhere").replace(
        "  lawyers: { queue: { name: legal, max_wait: 1m, overflow: bye } }\n", ""
    )
    (folder / "first.yaml").write_text(text)
    other = CLIENT.format(name="other", number="11", wanted="{ never: [carl] }", other="lawyers")
    (folder / "other.yaml").write_text(other.replace("  elsewhere: { redirect: { client: other } }\n", ""))
    catalogue = load_directory(folder, PaperSpeech(), now=TUESDAY_10)
    assert [str(issue) for issue in catalogue.issues] == []
    return catalogue


def waits(plan: Plan) -> dict[str, str]:
    """By node at which callers wait, or by which they are called back: the queue at the PBX."""
    found = {}
    for name, node in plan.nodes.items():
        if isinstance(node, QueueNode):
            found[name] = node.preference.queue if node.preference else node.queue
        elif isinstance(node, CallbackNode) and node.automatic:
            found[name] = node.automatic.pbx_queue
    return found


def test_it_counts_wherever_the_clients_callers_wait(tmp_path: Path) -> None:
    """In a snippet, in another language, in a callback and in the fallback; in another client's tree what that one
    wants counts; a team of which nothing is wanted is as it is."""
    plan = loaded(tmp_path, "{ prefer: [bruno] }").plans["first"]
    own, theirs = "medical.bruno", "medical.-carl"

    assert waits(plan) == {
        "desk": own,
        "offer": own,
        "included/wait": own,
        "desk@en": own,
        "(fallback)": own,
        "other/desk": theirs,
        "other/offer": theirs,
        "other/included/wait": theirs,
        "other/desk@en": theirs,
        "other/lawyers": "legal",
    } | {name: queue for name, queue in waits(plan).items() if name.startswith("other/(")}
    assert fallback_of(plan, plan.numbers[0]) == f"queue:{own}"
    assert {*plan.derived} == {own, theirs}
    assert plan.preferences == {"medical": Preference(team="medical", prefer=("bruno",))}
    assert {name for about in plan.about.values() for name in about.queues_named} == {"medical", "legal"}
    assert {name for about in plan.about.values() for name in about.pbx_queues} == {own, theirs, "legal"}


def test_who_joins_the_team_makes_no_other_queue(tmp_path: Path) -> None:
    """Nobody's place in a line is lost by it; it becomes another one only where the wish comes to something else."""
    before = loaded(tmp_path / "a", "{ prefer: [bruno], never: [carl] }").plans["first"]
    joined = QUEUES.replace("carl]", "carl, dora]")
    after = loaded(tmp_path / "b", "{ prefer: [bruno], never: [carl] }", joined).plans["first"]
    levels = QUEUES.replace(
        "members: [anne, bruno, carl]", "members: [anne, bruno, carl], levels: { anne: 2, carl: 2 }"
    )
    first_anyway = load_first(tmp_path / "c", "{ prefer: [bruno], never: [carl] }", levels)

    assert before.preferences == after.preferences
    assert {*first_anyway.derived} >= {"medical.-carl"}
    assert first_anyway.preferences == {"medical": Preference(team="medical", never=("carl",))}


def load_first(folder: Path, wanted: str, queues: str) -> Plan:
    """Though there is a note: who is preferred is rung first anyway."""
    loaded(folder, "{ never: [carl] }", queues)
    text = (folder / "first.yaml").read_text().replace("{ never: [carl] }", wanted)
    (folder / "first.yaml").write_text(text)
    return load_directory(folder, PaperSpeech(), now=TUESDAY_10).plans["first"]
