"""A folder of clients' files as it stands at one instant: which documents there are, and whether somebody is writing.

Only `stat` is asked, so that looking at 800 files costs some milliseconds. Nothing here says what changed in a file:
whoever sees two looks differ loads again.
"""

from __future__ import annotations

import fcntl
import os
import signal
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from callrouter.dialplan.documents.expected_file import SUFFIX as TABLE
from callrouter.dialplan.shared.reading import FOLDER as SHARED

SOUNDS: Final = "sounds"
"""Folder of sound files beside the clients."""
LOCK: Final = ".publish.lock"
"""Held (flock) while a set of files is being put in place; its text says who does, see `publish`."""
PUBLISHING: Final = "a set of files is being published"
GIT: Final = "git is changing the folder"
DOCUMENT_SUFFIXES: Final = (".yaml", ".yml")

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, time of the content and of the inode, in nanoseconds: another one, another content."""


class Look(Struct, frozen=True, kw_only=True):
    """What stood in the folder when somebody looked."""

    documents: Mapping[str, Stamp]
    """Clients' files, their tables of expected routes and shared files, by their path in the folder; those that cannot
    be read are all zeros."""
    sounds: tuple[tuple[str, Stamp], ...]
    """The sound files beside the clients, and the folders of all others."""

    def changed(self, before: Look | None) -> frozenset[str]:
        """Documents that are new, other, or gone."""
        old = before.documents if before else {}
        names = self.documents.keys() | old.keys()
        return frozenset(name for name in names if self.documents.get(name) != old.get(name))

    @property
    def newest_ns(self) -> int:
        """When anything was last written or renamed, as `time.time_ns`."""
        return max((max(stamp[3:]) for stamp in self.documents.values()), default=0)


def is_client_file(name: str) -> bool:
    """Whether a file of the folder is a client's: not hidden, and no table of expected routes."""
    return name.endswith(DOCUMENT_SUFFIXES) and not name.startswith(".") and ".test." not in name


def folder_of(path: Path) -> Path:
    """The folder that is served, by its own path or by that of the one file; it need not be there now."""
    return path.parent if path.is_file() or path.name.endswith(DOCUMENT_SUFFIXES) else path


def is_table(name: str) -> bool:
    """Whether a file of the folder is a table of expected routes."""
    return name.endswith(tuple(f"{TABLE}{suffix}" for suffix in DOCUMENT_SUFFIXES)) and not name.startswith(".")


def look(path: Path, sounds_dirs: Sequence[Path] = ()) -> Look:
    """Look at a folder of clients' files (or at one file and the shared ones beside it)."""
    folder = path if path.is_dir() else path.parent
    documents: dict[str, Stamp] = {}
    for entry in _entries(path) if path.is_dir() else ():
        if is_client_file(entry.name) or is_table(entry.name):
            documents[entry.name] = stamp_of(entry.path)
    if folder is not path:
        documents[path.name] = stamp_of(path)
        beside = (folder / f"{path.stem}{TABLE}{suffix}" for suffix in DOCUMENT_SUFFIXES)
        documents |= {table.name: stamp_of(table) for table in beside if table.exists()}
    for place in _folders(folder / SHARED):
        for entry in _entries(place):
            if entry.name.endswith(DOCUMENT_SUFFIXES) and not entry.name.startswith("."):
                name = f"{place.relative_to(folder).as_posix()}/{entry.name}"
                documents[name] = stamp_of(entry.path)
    return Look(documents=documents, sounds=tuple(_sounds(folder, sounds_dirs)))


def places(path: Path) -> dict[Path, frozenset[str]]:
    """The folders in which a change can change what the documents say, each with the names it can happen to.

    No names: whatever happens there counts. That is so in the folder itself and in that of what is shared; where links
    lead, where they stand, and where another folder may be put in place of this one, it is a few names only. The
    sounds are not among them: the switch opens one for every prompt that a caller hears, and who watches is woken by
    that too.
    """
    folder = path if path.is_dir() else path.parent
    whole = {folder.absolute(), *_folders(folder / SHARED)}
    links = [name for name in look(path).documents if (folder / name).is_symlink()]
    found: dict[Path, set[str]] = {}
    for name in (*links, ".", SHARED):
        for entry in _link_entries(folder / name):
            found.setdefault(entry.parent, set()).add(entry.name)
    watched = {place: frozenset(names) for place, names in found.items()} | dict.fromkeys(whole, frozenset[str]())
    return {place: watched[place] for place in sorted(watched) if place.is_dir()}


def being_written(path: Path, names: Sequence[str]) -> str:
    """Who is not finished yet with these documents, as a sentence; empty when everybody is."""
    folder = path if path.is_dir() else path.parent
    if _is_locked(folder / LOCK):
        return PUBLISHING
    if (git := _git_folder(folder)) and (git / "index.lock").exists():
        return GIT
    for name in names:
        found = stamp_of(folder / name)
        if found[1] and found[2] == 0:
            return f"{name} is empty"
        if has_writer(folder / name):
            return f"{name} is open for writing"
    return ""


def has_writer(path: Path) -> bool:
    """Whether a process has the file open for writing, as far as the file system tells (Linux, own files or root).

    A read lease is refused while there is a writer (fcntl(2), "Leases"). It is given back at once; SIGURG, which does
    nothing, stands in for SIGIO, which would end us, should somebody open the file in between.
    """
    with suppress(OSError), path.open("rb") as stream:
        fcntl.fcntl(stream, fcntl.F_SETSIG, signal.SIGURG)
        try:
            fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def stamp_of(path: str | Path) -> Stamp:
    """The stamp of a file, links followed; all zeros when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - as fast as it can be: it is asked 800 times in a row
    except OSError:
        return (0, 0, 0, 0, 0)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _folders(top: Path, above: frozenset[tuple[int, ...]] = frozenset()) -> Iterator[Path]:
    """A folder and those below it, without hidden ones, and without links that lead back to one above."""
    place = stamp_of(top)[:2]
    if not top.is_dir() or place in above:
        return
    yield top
    for entry in _entries(top):
        # A DirEntry raises an error for a link to itself; a Path does not.
        is_folder = Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()
        if is_folder and not entry.name.startswith("."):
            yield from _folders(top / entry.name, above | {place})


def _sounds(folder: Path, sounds_dirs: Sequence[Path]) -> Iterator[tuple[str, Stamp]]:
    """The operator's own sounds one by one; of others, which may be thousands, the folders: they tell what comes."""
    own = folder / SOUNDS
    for place in _folders(own):
        for entry in _entries(place):
            yield entry.path, stamp_of(entry.path)
    for top in sounds_dirs:
        for place in _folders(top) if top != own else ():
            yield str(place), stamp_of(place)


def _link_entries(path: Path) -> Iterator[Path]:
    """Every link on the way from a path to the file itself, and that file."""
    for _ in range(20):
        here = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow the links
        yield from (part for part in (here, *here.parents) if part.is_symlink())
        try:
            if not stat.S_ISLNK(here.lstat().st_mode):
                break
            path = here.parent / here.readlink()
        except OSError:
            return
    with suppress(RuntimeError):  # a link to itself leads nowhere: its own place is watched, and that is named above
        yield here.resolve()


def _is_locked(lock: Path) -> bool:
    with suppress(OSError), lock.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _git_folder(folder: Path) -> Path | None:
    """The .git of the checkout the folder lies in; a work tree's is a file that names it."""
    for place in (folder.absolute(), *folder.absolute().parents):
        git = place / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            with suppress(OSError, UnicodeDecodeError):
                return place / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    return None
