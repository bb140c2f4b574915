"""Files off the disk, as documents: one, all that clients share, and the tables of expected routes beside them.

What they say is for `language`, `shared` and `questions`, which open no files: whatever can go wrong with one is
here.
"""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callrouter.dialplan.documents.expected_file import SUFFIX, client_files_of
from callrouter.dialplan.documents.shared_files import SHARED_FILES
from callrouter.dialplan.folder.look import DOCUMENT_SUFFIXES
from callrouter.dialplan.language.reader import MAX_BYTES, Document, read, refused
from callrouter.dialplan.shared.reading import DEFAULT_COUNTRY, FOLDER, Shared, shared_from

_USUAL_BYTES: Final = 65_536
"""Read at first: to make room for the largest document takes longer than to read a usual one."""


def read_file(path: Path, name: str) -> Document:
    """Read a document; whatever is wrong with it is among its issues, nothing is raised."""
    try:
        if is_special(path):
            return refused(name, 0, "is not a regular file, nor a link to one: put the document's text in its place")
        content = _read(path)
    except OSError as error:
        return refused(name, 0, f"cannot be read: {error.strerror or error}")
    return read(content, name)


def content_of(path: Path) -> bytes:
    """What the file holds, as far as a document may be long; what cannot be read is an issue of whoever reads it."""
    try:
        return b"" if is_special(path) else _read(path)
    except OSError:
        return b""


def _read(path: Path) -> bytes:
    """What the file holds; of a file that is too long for a document, enough bytes to see that it is."""
    with path.open("rb") as stream:
        content = stream.read(_USUAL_BYTES)
        return content if len(content) < _USUAL_BYTES else content + stream.read(MAX_BYTES + 1 - _USUAL_BYTES)


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device, links followed: to open one may wait for ever.

    Raises:
        OSError: there is nothing, or it cannot be looked at.
    """
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def load_shared(folder: Path, country: str = DEFAULT_COUNTRY, year: int | None = None) -> Shared:
    """Read the shared files beside the clients in `folder`; each may be absent.

    `country` is the operator's own; days that come every year are looked up around `year`, by default this one.
    """
    place = folder / FOLDER
    paths = {kind: place / f"{kind}.yaml" for kind in SHARED_FILES}
    documents = {kind: read_file(path, f"{FOLDER}/{path.name}") for kind, path in paths.items() if path.exists()}
    return shared_from(documents, _names(place), country, datetime.now(UTC).year if year is None else year)


def read_tables(path: Path) -> list[Document]:
    """The tables of expected routes of a folder, or those beside one client's file."""
    folder = path if path.is_dir() else path.parent
    found = sorted(one for suffix in DOCUMENT_SUFFIXES for one in folder.glob(f"*{SUFFIX}{suffix}"))
    wanted = found if path.is_dir() else [one for one in found if path.name in client_files_of(one.name)]
    return [read_file(table, table.name) for table in wanted]


def _names(place: Path) -> list[str]:
    """What looks like a document in the folder, and in those below it; hidden files are editors' and git's."""
    found = place.rglob("*") if place.is_dir() else ()
    names = (one.relative_to(place) for one in found if one.suffix.lower() in DOCUMENT_SUFFIXES)
    return sorted(str(name) for name in names if not any(part.startswith(".") for part in name.parts))
