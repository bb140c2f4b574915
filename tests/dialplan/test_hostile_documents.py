"""Whatever stands in a file: issues, never an exception."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callrouter.core.nodes import ALL
from callrouter.dialplan import PaperSpeech
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.documents.shared_files import SHARED_FILES
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.shared.reading import Shared, shared_from
from callrouter.dialplan.verbs import VERBS
from tests.dialplan.conftest import NOW

DEMO = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "dialplans").glob("*.yaml"))]
WORDS = [
    *("client", "name", "numbers", "timezone", "language", "hours", "open", "closed", "holidays", "exceptions"),
    *("lists", "contacts", "service_level", "fallback", "start", "nodes", "keys", "prompt", "say", "sound", "then"),
    *("retry", "no_input", "no_match", "when", "variable", "from", "to", "percentage", "otherwise", "next", "max"),
    *("min", "acme", "FR", "mon-fri", "08:00-12:00", "20s", "90%", "true", "0", "1", "", "Europe/Paris", "\x00", "é"),
    *VERBS,
]
word = st.sampled_from(WORDS) | st.text(max_size=8)
tree = st.recursive(
    st.none() | word,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(word, inner, max_size=5),
    max_leaves=25,
)


def issues_of(content: bytes) -> tuple[Any, list[str]]:
    """What becomes of a document."""
    compiled = compile_client(draft(read(content, "x.yaml")), Shared(), PaperSpeech(), NOW.date())
    assert all(issue.line >= 0 and "\n" not in str(issue) for issue in compiled.issues)
    return compiled.plan, [str(issue) for issue in compiled.issues]


@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    """Bytes that are no document are named as such."""
    plan, issues = issues_of(content)

    assert plan is None
    assert issues


@given(tree)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_yaml(value: object) -> None:
    """Any mixture of our words, at any place."""
    plan, issues = issues_of(yaml.safe_dump(value, allow_unicode=True).encode())

    assert plan is None
    assert issues


@given(
    st.sampled_from(DEMO),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 12), word), min_size=1, max_size=4),
)
def test_a_good_document_with_pieces_cut_out_and_put_in(content: bytes, edits: list[tuple[int, int, str]]) -> None:
    """As a hasty hand leaves it; it may still be right."""
    text = content.decode()
    for at, length, put in edits:
        text = text[:at] + put + text[at + length :]
    plan, issues = issues_of(text.encode("utf-8", "surrogatepass"))

    assert plan or issues


@given(st.sampled_from(DEMO), st.integers(0, 10_000))
def test_a_file_that_is_half_written(content: bytes, length: int) -> None:
    """Cut anywhere, it is refused or still whole."""
    plan, issues = issues_of(content[:length])

    assert plan or issues


def test_every_verb_of_the_core_can_be_written() -> None:
    """A node type that no document can hold would be dead code."""
    assert {node.kind for node in ALL} == set(VERBS) - {"include"}, "what is included is nodes of other kinds"


@pytest.mark.parametrize("kind", SHARED_FILES)
@pytest.mark.parametrize(
    "content", [b"word", b"3", b"- a", b"[]", b"{}", b"contacts: word", b"agents: [1]", b"queues:"]
)
def test_a_shared_file_of_another_shape(kind: str, content: bytes) -> None:
    """A word, a list, a part without entries: named as such."""
    shared = shared_from({kind: read(content, f"shared/{kind}.yaml")}, [f"{kind}.yaml"], "FR", NOW.year)

    assert all(issue.file == f"shared/{kind}.yaml" for issue in shared.issues)
    assert shared.issues or content == b"{}" or kind.encode() in content
