"""Puts documents into a served folder as one set, and leaves a note that says who did.

Each file is written beside its place and renamed into it, so that nobody reads half of one. While the set is put in
place, `folder.LOCK` is held (flock): the engine does not load until it is released, also when the writer is killed.
The lock's text is the note.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from callrouter.dialplan.folder.look import LOCK
from callrouter.errors import DialplanError

PUBLISH: Final = "publish"
ROLLBACK: Final = "rollback"


class Note(Struct, frozen=True, kw_only=True):
    """Who put which documents in place."""

    how: str
    """`publish` or `rollback`."""
    by: str
    files: Mapping[str, str] = field(default_factory=dict)
    """By path in the folder: the SHA-256 of the content, in hexadecimal."""

    stood: Mapping[str, str] = field(default_factory=dict)
    """What stood in the folder after the last publication, as `files`; a rollback leaves it as it was."""
    rolled_back: Mapping[str, str] = field(default_factory=dict)
    """As `files`: what this and earlier rollbacks have put in place, and still stands."""

    def matches(self, file: str, content: bytes) -> bool:
        """Whether this content of the file is what was put in place."""
        return self.files.get(file) == hash_of(content)

    def came_back(self, file: str, content: bytes) -> bool:
        """Whether this content of the file was put in place by a rollback."""
        return self.rolled_back.get(file) == hash_of(content)


def read_note(folder: Path) -> Note | None:
    """The note of the last set that was put in place here; None without any that can be read."""
    try:
        found = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        how, files = str(found["how"]), dict(found["files"])
        stood = dict(found.get("stood", {}))  # since 0.1.0, as is the next
        rolled_back = dict(found.get("rolled_back", files if how == ROLLBACK else {}))
        return Note(how=how, by=str(found["by"]), files=files, stood=stood, rolled_back=rolled_back)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hash_of(content: bytes) -> str:
    """By what a note knows a content: SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def put_in_place(
    folder: Path,
    contents: Mapping[str, bytes],
    *,
    how: str,
    by: str,
    remove: Collection[str] = (),
    stood: Mapping[str, bytes] | None = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write documents (by path in the folder) and remove others, as one set. Links are kept: their files are written.

    `stood`: all that stands in the folder afterwards, for the next publication. `check` is called when nobody else can
    publish any more and nothing is written yet; what it raises is raised, and nothing is changed.

    Raises:
        DialplanError: somebody else is doing so, or the folder cannot be written; then what was there stays, unless
            renaming itself failed half-way.
    """
    files = {name: hash_of(content) for name, content in contents.items()}
    try:
        with _locked(folder / LOCK) as handle:
            check()
            before = read_note(folder)
            now = {name: hash_of(content) for name, content in stood.items()} if stood is not None else None
            earlier = {name: key for name, key in (before.rolled_back if before else {}).items() if name not in files}
            rolled_back = _that_stand(folder, earlier) | (files if how == ROLLBACK else {})
            note = Note(
                how=how,
                by=by,
                files=files,
                stood=now or (before.stood if before else {}),
                rolled_back=rolled_back,
            )
            _write_note(handle, note)
            _replace({(folder / name).resolve(): content for name, content in contents.items()})
            for name in remove:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise DialplanError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error


@contextmanager
def _locked(lock: Path) -> Iterator[int]:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DialplanError(f"somebody else is publishing into {lock.parent}: try again in a moment") from None
        yield handle
    finally:
        os.close(handle)


def _that_stand(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Of these contents, those that stand in the folder now."""
    found: dict[str, str] = {}
    for name, key in files.items():
        with suppress(OSError):
            if hash_of((folder / name).read_bytes()) == key:
                found[name] = key
    return found


def _write_note(handle: int, note: Note) -> None:
    text = json.dumps(
        {
            "how": note.how,
            "by": note.by,
            "files": note.files,
            "stood": note.stood,
            "rolled_back": note.rolled_back,
        },
        indent=1,
    )
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)


def _replace(contents: Mapping[Path, bytes]) -> None:
    """All of them are on disk beside their places before the first is renamed."""
    staged: dict[Path, Path] = {}
    try:
        for place, content in contents.items():
            staged[place] = _stage(place, content)
        # Clients last: what they stand on is there before they are.
        for place in sorted(staged, key=lambda place: -len(place.parts)):
            staged[place].replace(place)
    finally:
        for written in staged.values():
            written.unlink(missing_ok=True)


def _stage(place: Path, content: bytes) -> Path:
    """The content beside its place, on disk, with the mode of what it replaces."""
    place.parent.mkdir(parents=True, exist_ok=True)
    written = place.with_name(f".{place.name}.{secrets.token_hex(4)}~")
    mode = 0o644
    with suppress(OSError):
        mode = place.stat().st_mode & 0o777
    try:
        with written.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return written
