"""Files off the disk: whatever can go wrong with a file is an issue, and nothing waits."""

from __future__ import annotations

import os
from pathlib import Path

from callrouter.dialplan.folder.files import load_shared, read_file, read_tables


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """An issue like any other."""
    document = read_file(tmp_path / "gone.yaml", "gone.yaml")

    assert [str(issue) for issue in document.issues] == ["gone.yaml: cannot be read: No such file or directory"]


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe would be waited for until somebody writes into it."""
    os.mkfifo(tmp_path / "acme.yaml")
    document = read_file(tmp_path / "acme.yaml", "acme.yaml")

    assert [issue.message for issue in document.issues] == [
        "is not a regular file, nor a link to one: put the document's text in its place"
    ]


def test_shared_files_may_all_be_absent(tmp_path: Path) -> None:
    """Nothing is shared then, and nothing is wrong."""
    shared = load_shared(tmp_path)

    assert (shared.contacts, shared.issues, shared.content) == ({}, (), b"")


def test_tables_stand_beside_their_client(tmp_path: Path) -> None:
    """Of one client only its own, whichever of YAML's suffixes either has."""
    for name in ("acme.yaml", "acme.test.yml", "other.test.yaml"):
        (tmp_path / name).write_text("calls: []\n")

    assert [table.file for table in read_tables(tmp_path)] == ["acme.test.yml", "other.test.yaml"]
    assert [table.file for table in read_tables(tmp_path / "acme.yaml")] == ["acme.test.yml"]
