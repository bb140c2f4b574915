"""How many queues a folder's clients may derive from teams', and who is refused beyond that."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from callrouter.dialplan import Catalogue, Loader, PaperSpeech
from callrouter.dialplan.folder.derived_bound import clients_of, derived_of
from callrouter.dialplan.issues import errors
from callrouter.dialplan.shared.derived import MOST_DERIVED
from callrouter.testing import TUESDAY_10

AGENTS = [f"agent-{place}" for place in range(1, 71)]
QUEUES = f"queues:\n  medical: {{ members: [{', '.join(AGENTS)}] }}\n"
CLIENT = """client: {name}
numbers: ["01 99 00 {place:02} {pair:02}"]
timezone: Europe/Paris
language: fr
fallback: {{ queue: medical }}
{agents}
start: desk
nodes:
  desk: {{ queue: {{ name: medical, max_wait: 3m, overflow: bye }} }}
  bye: {{ hangup: {{}} }}
"""


def write(folder: Path, name: str, number: int, wanted: str = "") -> None:
    """One client; `wanted` is what it wants of the team."""
    agents = f"agents: {{ medical: {wanted} }}" if wanted else ""
    text = CLIENT.format(name=name, place=number // 100, pair=number % 100, agents=agents)
    (folder / f"{name}.yaml").write_text(text)


def folder_of(place: Path, wanted: dict[str, str]) -> Path:
    (place / "shared").mkdir(parents=True)
    (place / "shared" / "queues.yaml").write_text(QUEUES)
    for number, (name, what) in enumerate(wanted.items()):
        write(place, name, number, what)
    return place


def refused(catalogue: Catalogue) -> list[str]:
    return sorted(issue.file for issue in errors(catalogue.issues))


def test_those_who_want_the_same_share_one(tmp_path: Path) -> None:
    """However they write it; who wants what the team does has none."""
    wanted = {
        "anne": "{ prefer: [agent-1, agent-2], never: [agent-9] }",
        "boris": "{ never: agent-9, prefer: [agent-2, agent-1] }",
        "carol": "{ never: [agent-9] }",
        "dora": "",
    }
    catalogue = Loader(folder_of(tmp_path / "f", wanted), PaperSpeech()).load(TUESDAY_10)

    assert refused(catalogue) == []
    assert clients_of(catalogue.plans) == {
        "medical.-agent-9": ["carol"],
        "medical.agent-1.agent-2.-agent-9": ["anne", "boris"],
    }


def beyond(names: list[str]) -> dict[str, str]:
    """One queue too many: each client has one of its own, but two who share the last."""
    wanted = {name: f"{{ prefer: [{agent}] }}" for name, agent in zip(names, AGENTS, strict=False)}
    return wanted | {"zoe": "{ prefer: [agent-70] }", "zora": "{ prefer: [agent-70] }"}


@pytest.mark.parametrize("seed", range(3))
def test_beyond_the_bound_the_same_ones_are_refused_in_any_order(tmp_path: Path, seed: int) -> None:
    """Those that most clients have stay; of the others the last by name go, and `check` says who has one alone."""
    wanted = beyond([f"client-{place:02}" for place in range(MOST_DERIVED)])
    names = [*wanted]
    Random(seed).shuffle(names)
    catalogue = Loader(folder_of(tmp_path / "f", {name: wanted[name] for name in names}), PaperSpeech()).load(
        TUESDAY_10
    )
    (issue,) = errors(catalogue.issues)

    # agent-9 is the last name among those that one client has: in the order of letters, 9 comes after 60.
    assert (issue.file, issue.line) == ("client-08.yaml", 6)
    assert len(derived_of(catalogue.plans)) == MOST_DERIVED
    assert "zoe" in catalogue.plans
    assert issue.message == (
        "agents: the folder would have 61 queues derived from its teams', and 60 is the most: medical.agent-9 is "
        "beyond that. 60 clients have one alone (client-00, client-01, client-02, client-03, client-04 and 55 more): "
        "give some of them the same prefer, never and next_level, which share one, or make a team of its own in "
        "shared/queues.yaml"
    )


def test_who_has_one_keeps_it(tmp_path: Path) -> None:
    """A file that is saved later, and wants one more, is refused; mended, it is served."""
    wanted = {f"client-{place:02}": f"{{ prefer: [{AGENTS[place]}] }}" for place in range(MOST_DERIVED)}
    folder = folder_of(tmp_path / "f", wanted)
    loader = Loader(folder, PaperSpeech())
    full = loader.load(TUESDAY_10)
    write(folder, "aaron", 99, "{ never: [agent-1] }")
    more = loader.load(TUESDAY_10)
    write(folder, "aaron", 99, "{ prefer: [agent-1] }")
    mended = loader.load(TUESDAY_10)

    assert (refused(full), refused(more), refused(mended)) == ([], ["aaron.yaml"], [])
    assert "aaron" in mended.plans
