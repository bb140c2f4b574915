"""Pictures of trees: no box on another, the same each time, and hostile words stay words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.nodes import HangupNode, PlayNode
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.show.layout import place
from callrouter.dialplan.show.mermaid import mermaid
from callrouter.dialplan.show.svg import svg
from callrouter.dialplan.show.week import hours_of_week, monday_of
from callrouter.testing import plan_of, sound

DIALPLANS = Path(__file__).parents[3] / "dialplans"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The demonstration clients, without audio."""
    return load_directory(DIALPLANS, PaperSpeech(), now=NOW)


_names = st.sampled_from("abcdefghij")


@given(st.lists(st.tuples(_names, _names), max_size=30))
def test_boxes_never_overlap(edges: list[tuple[str, str]]) -> None:
    """Whatever the graph: loops, islands, many lines; everything lies within the picture."""
    sizes = {name: (60.0 + 10 * index, 30.0) for index, name in enumerate("abcdefghij")}
    placed = place(sizes, edges)

    for one, other in combinations(sizes, 2):
        (x1, y1), (x2, y2) = placed.boxes[one], placed.boxes[other]
        assert abs(x1 - x2) >= (sizes[one][0] + sizes[other][0]) / 2 or abs(y1 - y2) >= 30
    for line in placed.lines.values():
        assert all(-1 <= x <= placed.width + 1 and -1 <= y <= placed.height + 1 for x, y in line)
    assert set(placed.lines) == {edge for edge in edges if edge[0] != edge[1]}
    assert placed == place(sizes, edges)


def test_every_node_and_exit_is_drawn(catalogue: Catalogue) -> None:
    """In one file that needs nothing else."""
    for plan in catalogue.plans.values():
        drawn = svg(plan)
        texts = {element.text for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("text")}

        assert set(plan.nodes) <= texts
        assert "<script" not in drawn
        assert "href" not in drawn


HOSTILE = plan_of(
    PlayNode(name="a", sounds=(sound('</text><script>alert(1)</script>&"]} end'),), exits={"next": "b"}),
    HangupNode(name="b"),
)


def test_hostile_words_stay_words() -> None:
    """In SVG and in Mermaid."""
    assert ElementTree.fromstring(svg(HOSTILE)) is not None
    assert "<script" not in svg(HOSTILE)
    drawn = mermaid(HOSTILE)
    assert "<" not in drawn
    assert all(line.count('"') in (0, 2) for line in drawn.splitlines())


def test_mermaid(catalogue: Catalogue) -> None:
    """Exits to the same node are one line."""
    drawn = mermaid(catalogue.plans["cabinet-moreau"])

    assert '  n2 -->|"key 2 · no input · no match"| n4' in drawn.splitlines()


def test_a_week_of_hours(catalogue: Catalogue) -> None:
    """Holidays and exceptions are named."""
    lenoir = list(hours_of_week(catalogue.plans["etude-lenoir"], monday_of("2026-W52")))
    moreau = list(hours_of_week(catalogue.plans["cabinet-moreau"], monday_of("2026-12-25")))

    assert lenoir[2:7] == [
        "    Mon 21 Dec  14:00-18:00",
        "    Tue 22 Dec  14:00-18:00",
        "    Wed 23 Dec  14:00-18:00",
        "    Thu 24 Dec  closed  (exception 2026-12-24..2027-01-03)",
        "    Fri 25 Dec  closed  (exception 2026-12-24..2027-01-03, Noël)",
    ]
    assert moreau[6:9] == ["    Fri 25 Dec  closed  (Noël)", "    Sat 26 Dec  09:00-12:00", "    Sun 27 Dec  closed"]
    assert list(hours_of_week(catalogue.plans["plomberie-garnier"], date(2026, 12, 21)))[1] == (
        "  no hours: the tree is the same at any time"
    )


@pytest.mark.parametrize("written", ["2026-W54", "2026-13-01", "next week", ""])
def test_no_week(written: str) -> None:
    """A sentence that says how to write one."""
    with pytest.raises(ValueError, match="is no week: write 2026-W52"):
        monday_of(written)
