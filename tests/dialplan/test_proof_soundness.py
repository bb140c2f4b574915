"""The proof keeps what it promises: random trees and callers try to break it, and so do mutilated good trees."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bench.clients import write_clients
from callrouter.core.call import Disposition
from callrouter.core.facts import NodeVisited, TroubleMet
from callrouter.core.plan import MAX_MESSAGES, MAX_VISITS, MAX_VISITS_WITHOUT_WAIT, Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.language.fields import targets
from callrouter.dialplan.proof import Tree
from callrouter.dialplan.proof.ways import longest_ways
from callrouter.dialplan.verbs import NodeBlock
from callrouter.testing import TUESDAY_10, assert_serialises
from tests.dialplan.random_folders import write_folder
from tests.dialplan.random_trees import VERBS, Walk, as_text, compiled, document, walk

DEMO = Path(__file__).parents[2] / "dialplans"


def assert_kept(walked: Walk) -> None:
    """The three promises of `callrouter.dialplan.proof`, for one call."""
    call, plan = walked.call, walked.plan
    assert call.ended
    assert call.disposition is not None
    assert_serialises(plan, call)
    _assert_variables_set(walked)
    tree = Tree(nodes=plan.nodes, written=tuple(plan.nodes), start=plan.start, fallback=plan.fallback)
    assert tree.backwards, "idle ways go round in a tree that passed"
    longest = [max(found.values(), default=0) for found in longest_ways(tree)]
    pieces = walked.keys + walked.failures + 1
    assert len(call.visits) + call.visits_dropped <= pieces * longest[1] + walked.failures + 1
    most = (MAX_VISITS_WITHOUT_WAIT - 1, MAX_VISITS, MAX_MESSAGES)
    if not walked.failures and all(pieces * one <= limit for one, limit in zip(longest, most, strict=True)):
        assert call.disposition is not Disposition.FAILED
    troubles = [one.reason for one in walked.facts if isinstance(one, TroubleMet)]
    assert [reason for reason in troubles if "not set" in reason] == []


def _assert_variables_set(walked: Walk) -> None:
    """No condition was asked of a variable that was not there."""
    for told in walked.facts:
        if not isinstance(told, NodeVisited) or told.visit.exit == "failed":
            continue
        about = walked.plan.about[told.visit.node]
        kind, _, index = told.visit.exit.partition(":")
        asked = int(index) if kind == "when" else len(about.reads.conditions)
        for needed in about.variables.needed:
            was_asked = "when" not in needed.path or int(needed.path[1]) <= asked
            assert not was_asked or needed.variable in told.call.variables


def walk_many(plan: Plan, random: Random, count: int) -> None:
    """Several callers: silent ones, some who press a few keys, some who press many, some whom things fail."""
    for number in range(count):
        most_keys = random.choice([0, 2, 6, 40])
        assert_kept(walk(plan, random, most_keys=most_keys, failing=0.1 if number % 4 == 3 else 0.0))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 2**48))
def test_a_tree_that_passes_keeps_its_promises(seed: int) -> None:
    """Random trees, random callers."""
    random = Random(seed)
    found = compiled(document(random))
    event("passes" if found.plan else "refused")
    if found.plan is not None:
        walk_many(found.plan, random, 12)


def test_many_random_trees_pass_and_many_do_not() -> None:
    """Otherwise the property above would show nothing."""
    passed = sum(compiled(document(Random(seed))).plan is not None for seed in range(200))

    assert 40 <= passed <= 160


def test_no_exit_of_any_verb_is_overlooked() -> None:
    """What looks for exits in a document (of a snippet, which has no plan of its own) finds those of the plan."""
    seen: set[str] = set()
    for seed in range(120):
        found = document(Random(seed))
        plan = compiled(found).plan
        for name, node in plan.nodes.items() if plan else ():
            if name in found["nodes"]:
                written = NodeBlock.model_validate(as_text(found["nodes"][name]))
                assert sorted(node.exits.values()) == sorted(target for _, target in targets(written.block))
                seen.add(written.verb.name)

    assert seen == VERBS.keys()


def folder_of(random: Random, *, careless: bool) -> Catalogue:
    """What becomes of a random folder."""
    with tempfile.TemporaryDirectory() as place:
        write_folder(random, Path(place), careless=careless)
        return load_directory(Path(place), PaperSpeech(), now=TUESDAY_10)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 2**48), st.booleans())
def test_clients_that_share_keep_the_promises(seed: int, careless: bool) -> None:
    """With snippets (some misspelt), languages, calendars, rotas and each other's trees."""
    random = Random(seed)
    catalogue = folder_of(random, careless=careless)
    event(f"{len(catalogue.plans)} clients served, careless: {careless}")
    for plan in catalogue.plans.values():
        assert all(target in plan.nodes for node in plan.nodes.values() for target in node.exits.values())
        walk_many(plan, random, 5)


def test_many_random_folders_pass_and_many_do_not() -> None:
    """Otherwise the property above would show nothing; snippets, languages and others' trees are walked."""
    served = [folder_of(Random(seed), careless=seed % 2 == 0).plans for seed in range(40)]
    nodes = [name for plans in served for plan in plans.values() for name in plan.nodes]

    assert 40 <= sum(map(len, served)) <= 110
    assert sum("/" in name for name in nodes) > 100
    assert sum("@" in name for name in nodes) > 5
    assert sum(name.startswith(("acme/", "beta/", "gamma/")) for name in nodes) > 10


MUTATIONS = ("delete a key", "rename a target", "delete a node", "swap a target", "empty a mapping", "delete a verb")


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def mutated(found: dict[str, Any], random: Random) -> dict[str, Any]:
    """A good document after one careless edit of its tree."""
    found = copy.deepcopy(found)
    nodes = found["nodes"]
    kind = random.choice(MUTATIONS)
    if kind == "delete a node":
        del nodes[random.choice(list(nodes))]
        return found
    name = random.choice(list(nodes))
    if kind == "delete a verb":
        nodes[name] = {}
        return found
    places = [(where, key) for where in _mappings(nodes[name]) for key in where]
    if kind in ("rename a target", "swap a target"):
        places = [
            (where, key) for where, key in places if isinstance(where[key], str) and where[key] in nodes
        ] or places
    where, key = random.choice(places)
    if kind == "delete a key":
        del where[key]
    elif kind == "empty a mapping":
        where[key] = {}
    elif kind == "rename a target":
        where[key] = f"{where[key]}s"
    else:
        where[key] = random.choice(list(nodes))
    return found


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 2**48))
def test_a_careless_edit_is_found_or_does_no_harm(seed: int) -> None:
    """The random trees that pass, edited once."""
    random = Random(seed)
    good = document(random)
    if compiled(good).plan is None:
        return
    found = compiled(mutated(good, random))
    if found.plan is None:
        assert found.issues
    else:
        walk_many(found.plan, random, 8)


@pytest.mark.parametrize("file", sorted(DEMO.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_careless_edit_of_a_demonstration_client(file: Path, tmp_path: Path) -> None:
    """Either the mistake is named, or every caller still gets through."""
    if ".test" in file.suffixes:
        return
    (tmp_path / "shared").symlink_to(DEMO / "shared")
    good = yaml.load(file.read_text(), Loader=yaml.BaseLoader)
    random = Random(file.stem)
    served = 0
    for _ in range(40):
        (tmp_path / file.name).write_text(yaml.safe_dump(mutated(good, random), sort_keys=False, allow_unicode=True))
        catalogue = load_directory(tmp_path, PaperSpeech(), now=TUESDAY_10)
        assert catalogue.plans or catalogue.issues
        for plan in catalogue.plans.values():
            served += 1
            for _ in range(6):
                most_keys = random.choice([0, 3, 20])
                assert_kept(walk(plan, random, most_keys=most_keys, queues=catalogue.queues))

    assert 0 < served < 40


def test_forty_generated_clients_pass(tmp_path: Path) -> None:
    """Not only what is wrong is refused: what an answering service keeps is served."""
    write_clients(tmp_path, 40)
    catalogue = load_directory(tmp_path, PaperSpeech(), now=TUESDAY_10)

    assert [str(issue) for issue in catalogue.issues] == []
    assert len(catalogue.plans) == 40
