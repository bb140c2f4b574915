"""One client's file, compared with the clients beside it: what both claim, and what it leads to or dials."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from callrouter.dialplan.compile.neighbours import Neighbours
from callrouter.dialplan.documents.drafts import Draft, draft
from callrouter.dialplan.folder.catalogue import client_files
from callrouter.dialplan.folder.files import content_of, read_file
from callrouter.dialplan.issues import Issue, shown
from callrouter.dialplan.language.reader import read


def other_drafts(path: Path, known: Collection[str]) -> Iterator[Draft]:
    """The clients beside one file that is loaded, for a tree that leads to one of them; none beside a folder."""
    if path.is_file():
        for file in client_files(path.parent):
            if file.name not in known:
                yield draft(read_file(file, file.name))


class Holding:
    """Which of the clients beside a file may well hold a number or a name: looked for in the bytes, and only then
    understood.
    """

    def __init__(self, path: Path, known: Collection[str]) -> None:
        """The clients beside the file at `path`, without those already known by name."""
        files = client_files(path.parent)
        self._contents = {file.name: content_of(file) for file in files if file.name not in known}
        self._digits = {name: content.translate(None, _NO_DIGITS) for name, content in self._contents.items()}
        self._drafts: dict[str, Draft] = {}

    def __call__(self, wanted: str) -> Iterator[Draft]:
        """Those that may well hold a number in E.164, or a client's identifier."""
        # However a number is written, it ends in the same digits.
        within: Mapping[str, bytes] = self._digits if wanted.startswith("+") else self._contents
        part = wanted[-6:] if wanted.startswith("+") else wanted
        for name, content in within.items():
            if part.encode() in content:
                if name not in self._drafts:
                    self._drafts[name] = draft(read(self._contents[name], name))
                yield self._drafts[name]


_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


def claimed_twice(drafted: Draft, neighbours: Neighbours) -> Iterator[Issue]:
    """What a file that is loaded alone claims, and one beside it claims too: a name of the client, or a number."""
    document = drafted.document
    for claim, place, other in neighbours.twice(drafted):
        field, file = str(place[0]), other.document.file
        if field == "numbers":
            message = f"{claim} is a number of {file}:{neighbours.place_of(other, claim)} too"
        elif claim == other.claim.client:
            message = f"{shown(claim)} is the client of {file} too"
        else:
            line = other.document.line("formerly", other.claim.formerly.index(claim))
            message = f"{shown(claim)} is a former name of {shown(other.claim.client)} ({file}:{line})"
        yield Issue(file=document.file, line=document.line(*place), field=field, message=f"{field}: {message}")
