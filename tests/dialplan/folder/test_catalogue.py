"""Plans of all clients: found by number, refused one by one, replaced as a set."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callrouter.core.nodes import RejectNode
from callrouter.dialplan import Catalogue, Loader, PaperSpeech, load_directory
from callrouter.errors import DialplanError
from tests.dialplan.conftest import NOW, Write
from tests.small_client import small_client

Load = Callable[[], Catalogue]


def test_a_number_is_found_however_the_trunk_writes_it(write: Write, load: Load) -> None:
    """E.164, national, international without plus and with 00 are one number."""
    write("a.yaml", "a", "01 99 00 00 10")
    catalogue = load()

    found = {catalogue.for_did(did).client for did in ("+33199000010", "0199000010", "33199000010", "0033199000010")}
    assert {"a"} == found


@pytest.mark.parametrize("did", ["+33199000099", "s", "", "999", "${SHELL(id)}", "é" * 500, "\0", "+"])
def test_unknown_numbers_have_a_plan_of_their_own(did: str, write: Write, load: Load) -> None:
    """Whatever is dialled, there is a plan: a refusal that is spoken in two languages."""
    write("a.yaml", "a", "01 99 00 00 10")
    plan = load().for_did(did)
    node = plan.nodes[plan.start]

    assert plan.client == "unknown-did"
    assert isinstance(node, RejectNode)
    assert [sound.text[:10].strip() for sound in node.sounds] == ["Le numéro", "The number"]


@pytest.mark.parametrize(
    ("zone", "at", "over"),
    [
        ("America/New_York", "2026-11-30T04:59:00+00:00", False),
        ("America/New_York", "2026-11-30T05:00:00+00:00", True),
        ("Pacific/Auckland", "2026-11-29T10:59:00+00:00", False),
        ("Pacific/Auckland", "2026-11-29T11:00:00+00:00", True),
    ],
)
def test_a_day_is_over_at_midnight_of_the_clients_zone(tmp_path: Path, zone: str, at: str, over: bool) -> None:
    """By the loader that was there before midnight, too."""
    tree = small_client("Bye.", "a", "+33 1 99 00 00 10").replace("Europe/Paris", zone)
    season = "  season: { branch: { when: [{ from: 2026-11-01, to: 2026-11-29, then: bye }], otherwise: end } }\n"
    tree = tree.replace("start: bye", "start: season") + season + "  end: { hangup: {} }\n"
    (tmp_path / "a.yaml").write_text(tree)
    loader = Loader(tmp_path, PaperSpeech())
    loader.load(datetime.fromisoformat(at) - timedelta(minutes=2))

    found = [str(issue) for issue in loader.load(datetime.fromisoformat(at)).issues]
    assert any("condition 1 is over" in issue for issue in found) == over


def test_the_later_file_loses_a_number_two_clients_claim(write: Write, load: Load) -> None:
    """The issue names both places; the earlier file stays in service."""
    write("a.yaml", "a", "01 99 00 00 10")
    write("b.yaml", "b", "+33 1 99 00 00 10")
    catalogue = load()

    assert [str(i) for i in catalogue.issues] == ['b.yaml:2: numbers: +33199000010 belongs to "a" already (a.yaml:2)']
    assert list(catalogue.plans) == ["a"]
    assert {"b.yaml"} == catalogue.refused


def test_two_files_cannot_be_one_client(write: Write, load: Load) -> None:
    """The later one is refused."""
    write("a.yaml", "a", "01 99 00 00 10")
    write("b.yaml", "a", "01 99 00 00 11")
    catalogue = load()

    assert [str(i) for i in catalogue.issues] == ['b.yaml:1: client: "a" is the client of a.yaml already']
    assert catalogue.plans["a"].numbers == ("+33199000010",)


def test_a_wrong_file_leaves_the_rest_in_service(write: Write, load: Load) -> None:
    """One broken file costs one client, not the others."""
    write("a.yaml", "a", "01 99 00 00 10")
    write("b.yaml", "b", "01 99 00 00 11").write_text("client: b\nnumbers: [")
    catalogue = load()

    assert list(catalogue.plans) == ["a"]
    assert not catalogue.ok


def test_a_client_keeps_its_last_good_plan(write: Write, load: Load) -> None:
    """A file that no longer passes changes nothing for its client, not even when it no longer says whose it is."""
    write("a.yaml", "a", "01 99 00 00 10")
    write("b.yaml", "b", "01 99 00 00 11")
    before = load()
    write("b.yaml", "b", "01 99 00 00 11").write_text("nothing of use")
    after = load().replace_from(before)

    assert before.plans["b"] is after.plans["b"]
    assert after.for_did("+33199000011").client == "b"
    assert not after.ok


def test_a_kept_plan_yields_a_number_that_another_client_has_now(write: Write, load: Load) -> None:
    """What was checked wins over what is kept."""
    write("a.yaml", "a", "01 99 00 00 10")
    before = load()
    write("a.yaml", "a", "none")
    write("b.yaml", "b", "01 99 00 00 10")
    after = load().replace_from(before)

    assert after.for_did("+33199000010").client == "b"
    assert after.plans["a"].numbers == ()


def test_a_client_keeps_its_last_good_plan_under_another_name(write: Write, load: Load) -> None:
    """A file that is renamed, and wrong under its new name, says whose it is."""
    write("a.yaml", "a", "01 99 00 00 10")
    old = write("b.yaml", "b", "01 99 00 00 11")
    before = load()
    old.unlink()
    new = write("c.yaml", "b", "01 99 00 00 11")
    new.write_text(new.read_text().replace("start: bye", "start: by"))
    after = load().replace_from(before)

    assert after.for_did("+33199000011") is before.plans["b"]
    new.unlink()
    assert load().replace_from(after).for_did("+33199000011").client == "unknown-did"


def test_nobody_takes_what_another_file_has(write: Write, tmp_path: Path) -> None:
    """A number that is mistyped, or a copy that still says what the first file says, takes no calls away."""
    write("m.yaml", "m", "01 99 00 00 10")
    write("a.yaml", "a", "01 99 00 00 11")
    loader = Loader(tmp_path, PaperSpeech())
    before = loader.load(NOW)
    write("a.yaml", "a", "01 99 00 00 10")
    copy = write("b.yaml", "m", "01 99 00 00 12")
    after = loader.load(NOW).replace_from(before)

    assert [str(issue) for issue in after.issues] == [
        'a.yaml:2: numbers: +33199000010 belongs to "m" already (m.yaml:2)',
        'b.yaml:1: client: "m" is the client of m.yaml already',
    ]
    assert after.refused == {"a.yaml", "b.yaml"}
    assert (after.for_did("+33199000010"), after.for_did("+33199000011")) == (before.plans["m"], before.plans["a"])

    # As long as it claims them: then they are free.
    write("m.yaml", "c", "01 99 00 00 13")
    assert [str(issue) for issue in loader.load(NOW).issues] == []
    write("m.yaml", "m", "01 99 00 00 10")
    assert {issue.file for issue in loader.load(NOW).issues} == {"m.yaml"}
    copy.unlink()


@pytest.mark.parametrize("wrong", ["client: m\nnumbers: ['01 99 00 00 10']\n", "client: [", ""])
def test_a_file_that_is_wrong_keeps_what_it_had(write: Write, tmp_path: Path, wrong: str) -> None:
    """While somebody mends it, nobody else gets its number; of a file that cannot be read, none is known to be free."""
    write("a.yaml", "a", "01 99 00 00 11")
    write("m.yaml", "m", "01 99 00 00 10")
    loader = Loader(tmp_path, PaperSpeech())
    before = loader.load(NOW)
    (tmp_path / "m.yaml").write_text(wrong)
    write("a.yaml", "a", "01 99 00 00 10")
    after = loader.load(NOW).replace_from(before)

    assert after.refused == {"a.yaml", "m.yaml"}
    assert after.for_did("+33199000010") is before.plans["m"]


def test_old_versions_are_found_while_calls_use_them(write: Write, load: Load) -> None:
    """A changed plan and a removed client stay by version, until no call names them."""
    write("a.yaml", "a", "01 99 00 00 10")
    gone = write("b.yaml", "b", "01 99 00 00 11")
    first = load()
    write("a.yaml", "a", "01 99 00 00 10", words="Adieu.")
    gone.unlink()
    second = load().replace_from(first)
    old = first.plans["a"].version

    assert first.plans["a"] is second.plan("a", old)
    assert first.plans["b"] is second.plan("b", first.plans["b"].version)
    assert second.plans["a"] is second.plan("a", second.plans["a"].version)
    assert second.for_did("+33199000011").client == "unknown-did"
    third = load().replace_from(second, in_use={("a", old)})
    assert first.plans["a"] is third.plan("a", old)
    assert third.plan("b", first.plans["b"].version) is None
    assert load().replace_from(third, in_use=()).older == {}


def test_the_version_changes_with_every_document_a_plan_stands_on(write: Write, load: Load, tmp_path: Path) -> None:
    """The client's own and the shared ones; not those of other clients."""
    write("a.yaml", "a", "01 99 00 00 10")
    first = load().plans["a"].version
    write("b.yaml", "b", "01 99 00 00 11")
    assert first == load().plans["a"].version
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/queues.yaml").write_text("queues: { sales: { members: [agent-1] } }")

    second = load().plans["a"].version
    assert 12 == len(first) == len(second)
    assert first != second


def test_a_broken_shared_file_is_blamed_once_more_where_it_is_needed(write: Write, load: Load, tmp_path: Path) -> None:
    """Clients that need it are refused and say so; what it holds is not called unknown; the others are served."""
    write("a.yaml", "a", "01 99 00 00 10")
    needs = write("b.yaml", "b", "01 99 00 00 11")
    needs.write_text(needs.read_text().replace("{ node: bye }", "{ queue: sales }"))
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/queues.yaml").write_text("queues:\n  sales: { members: [agent-1], strategy: randm }\n")
    catalogue = load()

    assert [str(issue) for issue in catalogue.issues] == [
        'shared/queues.yaml:2: queues.sales: strategy "randm" is unknown (did you mean "random"?)',
        'b.yaml:5: queue "sales" is refused: mend it in shared/queues.yaml first',
    ]
    assert list(catalogue.plans) == ["a"]


def test_queues_are_known_with_their_members(write: Write, load: Load, tmp_path: Path) -> None:
    """What the switch is to be told of a team's line."""
    write("a.yaml", "a", "01 99 00 00 10")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/queues.yaml").write_text("queues:\n  sales: { members: [agent-1, agent-2], ring: 20s }\n")
    queue = load().queues["sales"]

    assert (queue.members, queue.ring_seconds, queue.strategy) == (("agent-1", "agent-2"), 20.0, "rrmemory")


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_a_folder_without_clients_is_an_error(path: str, tmp_path: Path) -> None:
    """Nothing to serve is a mistake of whoever named the folder."""
    with pytest.raises(DialplanError, match="file"):
        load_directory(tmp_path / path, PaperSpeech())


def test_expected_routes_and_hidden_files_are_no_clients(write: Write, load: Load, tmp_path: Path) -> None:
    """Editors and tests leave files beside the clients'."""
    write("a.yaml", "a", "01 99 00 00 10")
    for name in (".a.yaml.swp", ".b.yaml", "a.test.yaml", "notes.txt", "a.yaml~"):
        (tmp_path / name).write_text("no client")

    assert load().ok


def test_an_unreadable_file_is_an_issue(write: Write, load: Load, tmp_path: Path) -> None:
    """A link to nowhere, a folder with a file's name: named, and the rest are served."""
    write("a.yaml", "a", "01 99 00 00 10")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "c.yaml").mkdir()
    catalogue = load()

    assert [str(issue) for issue in catalogue.issues] == [
        "b.yaml: cannot be read: No such file or directory",
        "c.yaml: cannot be read: Is a directory",
    ]
    assert list(catalogue.plans) == ["a"]


def test_what_is_no_regular_file_is_an_issue_and_not_waited_for(
    write: Write, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe, a socket, a device, a shared pipe; a link to a regular file is as good as one."""
    write("real", "a", "01 99 00 00 10")
    (tmp_path / "a.yaml").symlink_to("real")
    os.mkfifo(tmp_path / "b.yaml")
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("c.yaml")
        (tmp_path / "d.yaml").symlink_to("/dev/zero")
        (tmp_path / "shared").mkdir()
        os.mkfifo(tmp_path / "shared" / "queues.yaml")
        catalogue = load()

    files = [issue.file for issue in catalogue.issues if "is not a regular file" in issue.message]
    assert files == ["shared/queues.yaml", "b.yaml", "c.yaml", "d.yaml"]
    assert list(catalogue.plans) == ["a"]
