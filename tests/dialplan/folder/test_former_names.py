"""A client that is renamed says what it was called before; nobody else has that name, now or later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from callrouter.core.call import replace
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, Loader, PaperSpeech, load_directory
from callrouter.questions.diff.told import differences
from tests.dialplan.conftest import NOW, Write

Load = Callable[[], Catalogue]


def renamed(path: Path, *names: str) -> Path:
    """The same file, with `formerly`."""
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{first}\nformerly: [{', '.join(names)}]\n{rest}")
    return path


def said(catalogue: Catalogue) -> list[str]:
    return [str(issue) for issue in catalogue.issues]


def test_a_former_name_is_of_the_plan(write: Write, load: Load) -> None:
    """One may be written without brackets, as any list of one."""
    path = write("a.yaml", "a", "01 99 00 00 10")
    path.write_text(path.read_text().replace("client: a", "client: a\nformerly: b"))

    assert load().plans["a"].formerly == ("b",)


def test_the_name_of_a_client_is_not_taken(write: Write, load: Load) -> None:
    """Whoever claims it as a former name while the client is there would take its record."""
    write("a.yaml", "a", "01 99 00 00 10")
    renamed(write("b.yaml", "b", "01 99 00 00 11"), "c", "a")
    catalogue = load()

    assert said(catalogue) == ['b.yaml:2: formerly: "a" is the client of a.yaml already']
    assert list(catalogue.plans) == ["a"]


def test_a_former_name_is_not_given_to_another_client(write: Write, tmp_path: Path) -> None:
    """Also when the file of the newcomer comes first: the record under the name has an owner."""
    renamed(write("b.yaml", "b", "01 99 00 00 11"), "a")
    loader = Loader(tmp_path, PaperSpeech())
    before = loader.load(NOW)
    write("a.yaml", "a", "01 99 00 00 10")
    after = loader.load(NOW).replace_from(before)

    assert said(after) == ['a.yaml:1: client: "a" is a former name of "b" already (b.yaml:2)']
    assert list(after.plans) == ["b"]
    assert said(load_directory(tmp_path, PaperSpeech(), now=NOW)) == [
        'b.yaml:2: formerly: "a" is the client of a.yaml already'
    ]


def test_two_clients_cannot_have_been_the_same(write: Write, load: Load) -> None:
    """The earlier file has it."""
    renamed(write("a.yaml", "a", "01 99 00 00 10"), "old")
    renamed(write("b.yaml", "b", "01 99 00 00 11"), "older", "old")

    assert said(load()) == ['b.yaml:2: formerly: "old" is a former name of "a" already (a.yaml:2)']


def test_one_file_alone_is_compared_with_those_beside_it(write: Write, tmp_path: Path) -> None:
    """As `check` of one file does."""
    renamed(write("a.yaml", "a", "01 99 00 00 10"), "old")
    write("b.yaml", "b", "01 99 00 00 11")
    renamed(write("c.yaml", "c", "01 99 00 00 12"), "b", "old")
    old = write("d.yaml", "old", "01 99 00 00 13")

    alone = load_directory(tmp_path / "c.yaml", PaperSpeech(), now=NOW, beside=True)
    assert said(alone) == [
        'c.yaml:2: formerly: "b" is the client of b.yaml too',
        'c.yaml:2: formerly: "old" is a former name of "a" (a.yaml:2)',
    ]
    assert alone.plans == {}
    alone = load_directory(old, PaperSpeech(), now=NOW, beside=True)
    assert said(alone)[0] == 'd.yaml:1: client: "old" is a former name of "a" (a.yaml:2)'


def test_a_slip_in_a_rename_takes_nobody_out_of_service(write: Write, load: Load) -> None:
    """File and client are renamed, and the new file is wrong: its calls are still the client's, by the last good plan.

    And from the next save on they are the renamed client's.
    """
    old = write("a.yaml", "a", "01 99 00 00 10")
    before = load()
    old.unlink()
    new = renamed(write("b.yaml", "b", "01 99 00 00 10"), "a")
    good = new.read_text()
    new.write_text(good.replace("start: bye", "start: by"))
    slipped = load().replace_from(before)
    assert slipped.for_did("+33199000010") is before.plans["a"]

    new.write_text(good)
    mended = load().replace_from(slipped)
    assert list(mended.plans) == ["b"]
    assert mended.for_did("+33199000010").formerly == ("a",)


def test_diff_says_who_was_renamed(write: Write, load: Load) -> None:
    """A client by another name is not one that is gone and one that is new."""
    old = write("a.yaml", "a", "01 99 00 00 10")
    before = load().plans
    old.unlink()
    renamed(write("b.yaml", "b", "01 99 00 00 10"), "a")
    after = load().plans
    (tree,) = before.values()

    def notes(old: dict[str, Plan], new: dict[str, Plan]) -> list[tuple[str, tuple[str, ...]]]:
        return [(one.client, one.notes) for one in differences(old, new, datetime.now(UTC))]

    assert notes({**before}, {**after}) == [
        ("b", ("Is now called b instead of a; what is recorded under that name stays theirs.",))
    ]
    plain = load_plain(tree)
    assert notes({"b": plain}, {**after}) == [("b", ("What is recorded under a is now the client's too.",))]
    assert notes({**after}, {"b": plain}) == [("b", ("What is recorded under a is no longer the client's.",))]


def load_plain(tree: Plan) -> Plan:
    """The same tree of client b, who never had another name."""
    return replace(tree, client="b", version="other")
