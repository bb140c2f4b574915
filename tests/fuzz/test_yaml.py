"""Clients' and shared files, as a careless or a hostile hand leaves them: `check` names what is wrong, and ends."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml
from hypothesis import given
from hypothesis import strategies as st

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.dialplan.issues import Issue
from callrouter.errors import DialplanError
from callrouter.questions.expected import run_expected
from callrouter.testing import TUESDAY_10
from tests.dialplan.random_trees import walk
from tests.dialplan.test_proof_soundness import assert_kept
from tests.fuzz.tally import cases, count

DEMO: Final = Path(__file__).parents[2] / "dialplans"
FILES: Final = {path.relative_to(DEMO).as_posix(): path.read_text() for path in sorted(DEMO.rglob("*.yaml"))}
FILES["etude-lenoir.yaml"] += """
subscriptions:
  crm: { url: "https://crm.example/hooks", secret: env:CRM, events: [call.ended, message.taken.v1, day.figures] }
  other: { url: "https://other.example/", events: callback.asked }
"""
TREES: Final = {name: yaml.load(text, Loader=yaml.BaseLoader) for name, text in FILES.items()}
WORDS: Final = sorted({word for text in FILES.values() for word in text.replace(":", " ").split() if len(word) < 30})
MOST_SECONDS: Final = 10.0
"""Of the processor, for one folder: none of these takes a hundredth of it."""
ODD: Final = [
    *("", "~", "null", "true", "0", "-1", "1e999", ".nan", "0x10", "1_000", "24:00", "25:61", "9" * 20, "08:00-07:00"),
    *(
        "0000-00-00",
        "2026-02-30",
        "2026-W99",
        "+",
        "*",
        "08*",
        "${SHELL(id)}",
        "{caller}",
        "{",
        "$after",
        "a/b",
        "../x",
    ),
    *(
        "a@en",
        "é",
        "😀",
        "\\x00",
        '"',
        "'",
        "&a",
        "*a",
        "!!python/name:os.system",
        "<<",
        "? x",
        "- -",
        "%",
        "%YAML 9.9",
    ),
    *("---", "...", "\t", "\u2028", "x" * 3_000, "Europe/Nowhere", "../../etc/passwd", "http://[", "mailto:x"),
    *("https://user:pw@crm.example/", "+33639980001", "9" * 400),
]
word = st.sampled_from(WORDS) | st.sampled_from(ODD) | st.text(max_size=8)
trees = st.recursive(
    word, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(word, inner, max_size=4), max_leaves=10
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document: what holds it, and its key."""
    inner = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for key in inner:
        yield value, key
        yield from places(value[key])


@st.composite
def edited_trees(draw: st.DrawFn) -> tuple[str, str]:
    """A file of the demonstration after some edits of its tree."""
    name = draw(st.sampled_from(sorted(TREES)))
    document = copy.deepcopy(TREES[name])
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(document))
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(("replace", "replace", "word", "drop", "double", "rename", "graft", "wrap"))):
            case "drop":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.insert(key, holder[key])
            case "double" | "rename" if isinstance(holder, dict):
                holder[draw(word)] = copy.deepcopy(holder[key])
            case "graft":
                other, there = draw(st.sampled_from(list(places(TREES[draw(st.sampled_from(sorted(TREES)))]))))
                holder[key] = copy.deepcopy(other[there])
            case "wrap":
                holder[key] = [holder[key]]
            case "word":
                holder[key] = draw(word)
            case _:
                holder[key] = draw(trees)
    return name, yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


@st.composite
def edited_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A file of the demonstration after some edits of its text: cut out, put in, lines moved, indented otherwise."""
    name = draw(st.sampled_from(sorted(FILES)))
    text = FILES[name]
    for _ in range(draw(st.integers(1, 3))):
        lines = text.split("\n")
        row = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("cut", "put", "indent", "double", "swap", "end"))):
            case "cut":
                at, length = draw(st.integers(0, len(text))), draw(st.integers(1, 30))
                text = text[:at] + text[at + length :]
                continue
            case "put":
                at = draw(st.integers(0, len(text)))
                text = text[:at] + draw(word) + text[at:]
                continue
            case "indent":
                lines[row] = " " * draw(st.integers(0, 9)) + lines[row].lstrip()
            case "double":
                lines.insert(row, lines[row])
            case "swap":
                there = draw(st.integers(0, len(lines) - 1))
                lines[row], lines[there] = lines[there], lines[row]
            case _:
                lines = lines[:row]
        text = "\n".join(lines)
    return name, text


def checked(folder: Path) -> tuple[Catalogue | None, list[Issue]]:
    """What `callrouter check` looks at."""
    try:
        catalogue = load_directory(folder, PaperSpeech(), now=TUESDAY_10)
    except DialplanError:  # no client's file is left
        return None, []
    return catalogue, [*catalogue.issues, *run_expected(read_tables(folder), catalogue, TUESDAY_10)]


def judge(name: str, content: bytes, seed: int) -> None:
    """The law: findings with a file and a line of it, in finite time; a plan that passes is walked to its end."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for other, text in FILES.items():
            (folder / other).parent.mkdir(exist_ok=True)
            (folder / other).write_bytes(content if other == name else text.encode())
        began = time.process_time()
        catalogue, issues = checked(folder)
        took = time.process_time() - began

    lines = {other: text.encode().count(b"\n") + 2 for other, text in FILES.items()}
    lines[name] = content.count(b"\n") + content.count(b"\r") + 2
    assert took < MOST_SECONDS
    for issue in issues:
        assert issue.file in FILES, issue
        assert 0 <= issue.line <= lines[issue.file], issue
        assert len(str(issue).splitlines()) == 1, issue
        assert issue.message, issue
    random = Random(seed)
    plans, queues = (catalogue.plans, catalogue.queues) if catalogue else ({}, {})
    for plan in plans.values():
        assert_kept(walk(plan, random, most_keys=random.choice([0, 3, 20]), queues=queues))
    assert issues or len(plans) == 4 or not catalogue


@cases(12, 0.02)
@given(edited_trees(), st.integers(0, 2**32))
def test_an_edited_tree(edited: tuple[str, str], seed: int) -> None:
    """Values, keys and whole branches replaced, dropped, doubled, and grafted from other files."""
    count("YAML: edited trees")
    judge(edited[0], edited[1].encode("utf-8", "surrogatepass"), seed)


@cases(12, 0.02)
@given(edited_texts(), st.integers(0, 2**32))
def test_an_edited_text(edited: tuple[str, str], seed: int) -> None:
    """As an editor's accident leaves it."""
    count("YAML: edited texts")
    judge(edited[0], edited[1].encode("utf-8", "surrogatepass"), seed)


@cases(10, 0.01)
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=600) | st.text(max_size=300).map(str.encode))
def test_any_bytes(name: str, content: bytes) -> None:
    """Where a file of the demonstration stands."""
    count("YAML: any bytes")
    judge(name, content, 0)
