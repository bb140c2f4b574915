"""What people get wrong is found, right trees are left alone, and mends mend: rates by a seeded generator."""

from __future__ import annotations

from random import Random

import pytest

from callrouter.core.nodes import CallerNode
from tests.dialplan.mistakes.folders import judge
from tests.dialplan.mistakes.kinds import KINDS
from tests.dialplan.mistakes.mends import MENDS, Mend, holds
from tests.dialplan.mistakes.of_numbers import read_as_meant
from tests.dialplan.mistakes.trying import EACH, RIGHT, Rights, Tried, all_tried, rights

LEAST_SHARE = 0.95


@pytest.fixture(scope="module")
def outcomes() -> list[Tried]:
    """Every kind, tried once for all tests."""
    return all_tried()


@pytest.fixture(scope="module")
def said_of_right_ones() -> Rights:
    """Right trees, judged once for all tests."""
    return rights()


def test_each_kind_is_tried_often_enough(outcomes: list[Tried]) -> None:
    """Twenty at least, and no two kinds by one name."""
    assert EACH >= 20
    assert all(one.tried == EACH for one in outcomes)
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_nearly_every_mistake_of_each_kind_is_found(outcomes: list[Tried]) -> None:
    """At its own line, by an error or a warning with a name."""
    rates = {one.kind.name: one.found / one.tried for one in outcomes if not one.kind.awaited}

    assert {name: rate for name, rate in rates.items() if rate < LEAST_SHARE} == {}


def test_nothing_is_said_of_right_trees(said_of_right_ones: Rights) -> None:
    """No error, and no warning."""
    assert said_of_right_ones.trees == RIGHT >= 450
    assert [f"{firm.place.name}: {issue}" for firm, issue in said_of_right_ones.alarms] == []


def test_right_trees_use_all_of_the_language(said_of_right_ones: Rights) -> None:
    """What none of them uses nobody could say a false alarm of."""
    assert {name: count for name, count in said_of_right_ones.used.items() if count < 10} == {}


@pytest.mark.parametrize("mend", MENDS, ids=lambda mend: mend.name)
def test_whoever_does_what_is_advised_has_what_they_meant(mend: Mend) -> None:
    """The file passes after the mend, and means what was meant."""
    random = Random(f"mend: {mend.name}")

    assert [wrong for _ in range(20) if (wrong := holds(mend, random))] == []


def test_national_numbers_overseas_are_read_as_they_are_dialled_there() -> None:
    """The mainland's, the neighbours', Mayotte's `0639`, and short ones; never by a plan of their own."""
    random = Random("overseas")
    for _ in range(40):
        firm, written, meant = read_as_meant(random)
        (plan,) = judge(firm.folder).plans.values()
        lists = [one for node in plan.nodes.values() if isinstance(node, CallerNode) for one in node.lists]
        vip = {number for one in lists if one.name == "vip" for number in one.numbers}

        assert (written, vip) == (written, {meant})
