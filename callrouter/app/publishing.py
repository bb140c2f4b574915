"""What `callrouter dialplan publish` and `rollback` do: try a set of documents apart, then put it in place as one.

The folder is the truth: what is to be live is written there, and the engine loads it as it loads what a person saves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from callrouter.dialplan import Catalogue, Issue, PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.dialplan.folder.look import DOCUMENT_SUFFIXES, SOUNDS, is_client_file
from callrouter.dialplan.folder.publish import PUBLISH, ROLLBACK, hash_of, put_in_place, read_note
from callrouter.dialplan.folder.revisions import strangers_to
from callrouter.dialplan.folder.sound_files import sound_folders
from callrouter.dialplan.issues import errors, how_many
from callrouter.dialplan.shared.reading import FOLDER as SHARED
from callrouter.errors import DialplanError
from callrouter.questions.expected import run_expected
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, find_plan, find_versions, read_history, was_live

BACKUP = ".replaced"
"""Suffix of what a forced rollback replaced."""


class Refusal(DialplanError):
    """Nothing was changed; `issues` say what is wrong with the documents."""

    def __init__(self, sentence: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(sentence)
        self.issues = tuple(issues)


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """What a rollback did."""

    file: str
    version: str
    sentence: str


def documents_of(folder: Path) -> dict[str, bytes]:
    """What can be published of a folder, by path: clients' files with their expected routes, shared files, sounds.

    Raises:
        DialplanError: there is no client's file, or one cannot be read.
    """
    if not folder.is_dir():
        raise DialplanError(f"{folder} is no folder: name one with clients' files")
    files = [path for path in folder.iterdir() if path.name.endswith(DOCUMENT_SUFFIXES)]
    files += [path for below in (SHARED, SOUNDS) for path in (folder / below).rglob("*")]
    own = [path for path in files if path.is_file() and not _is_hidden(path.relative_to(folder))]
    if not any(is_client_file(path.name) for path in own if path.parent == folder):
        raise DialplanError(f"{folder} holds no client's file: each ends in .yaml")
    try:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(own)}
    except OSError as error:
        raise DialplanError(f"{error.filename} cannot be read: {error.strerror or error}") from error


def publish_documents(
    settings: Settings,
    documents: Mapping[str, bytes],
    *,
    by: str,
    delete: bool = False,
    force: bool = False,
    origin: Path | None = None,
) -> str:
    """Put documents into the served folder as one set, when all of it passes; says what was done.

    With `delete`, clients, expected routes and shared files that are not among them are removed. `origin` is the folder
    the documents were read from.

    Raises:
        Refusal: something does not pass, or files would be lost that somebody saved since the last publication or
            since the documents were read (with `force` they are kept beside: `<file>.replaced`); nothing was changed.
        DialplanError: the folder cannot be written.
    """
    folder = _served_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    present = _present(folder)
    gone = sorted(name for name in present.keys() - documents.keys() if not name.startswith(f"{SOUNDS}/"))
    left = {name: content for name, content in present.items() if not (delete and name in gone)}
    changed = {name: content for name, content in documents.items() if present.get(name) != content}
    _must_pass(settings, {**left, **documents}, "nothing is published", touched=changed)
    lost = _saved_meanwhile(folder, present, [*changed, *(gone if delete else ())], origin)
    _refuse_to_lose(lost, force=force)

    def nobody_saved() -> None:
        now = _present(folder)
        since = sorted(name for name in now.keys() | present.keys() if now.get(name) != present.get(name))
        _refuse_to_lose([name for name in since if name in documents or (delete and name in gone)], force=False)
        for name in (one for one in lost if one in present):
            (folder / f"{name}{BACKUP}").write_bytes(present[name])

    put_in_place(
        folder,
        changed,
        how=PUBLISH,
        by=by,
        remove=gone if delete else (),
        stood={**left, **documents},
        check=nobody_saved,
    )
    said = f"Published {how_many(len(changed), 'changed file')} of {len(documents)} into {folder}"
    if gone:
        done = "removed" if delete else "left that it does not hold (--delete removes)"
        said += f"; {how_many(len(gone), 'file')} {done}"
    return f"{said}: {_some(gone)}." if gone else f"{said}."


def _saved_meanwhile(
    folder: Path, present: Mapping[str, bytes], names: Sequence[str], origin: Path | None
) -> list[str]:
    """Which of these files hold what is in no publication, or are gone: somebody has saved or removed them here.

    After a publication its note says what stood here. Before the first one, the files that were written later than
    those that would replace them, and those that the history of their checkout does not know: there, git has written
    all of them a moment ago.
    """
    note = read_note(folder)
    if note is not None and note.stood:
        stands = {name: hash_of(present[name]) for name in names if name in present}
        return sorted(name for name in names if note.stood.get(name) != stands.get(name))
    if origin is None:
        return []
    both = [name for name in names if name in present and (origin / name).exists()]
    strangers = {str(path.relative_to(folder)) for path in strangers_to(origin, [folder / name for name in both])}
    newer = (name for name in both if (folder / name).stat().st_mtime_ns > (origin / name).stat().st_mtime_ns)
    return sorted(strangers.union(newer))


def _refuse_to_lose(names: Sequence[str], *, force: bool) -> None:
    if names and not force:
        raise Refusal(
            f"saved in the folder or removed there since it was published or read: {_some(names)}; a publication would "
            "undo that: take it over, then publish again, or use --force (what is replaced is kept beside)"
        )


async def rollback_to(
    settings: Settings, database: Database, client: str, version: str | None, *, by: str, force: bool = False
) -> Rollback:
    """Write the file of an earlier version back into the served folder.

    Raises:
        Refusal: there is no such version, it does not pass today, or the file holds what was never live (it would be
            lost; with `force` it is kept beside, as `<file>.replaced`).
        StoreError: the record cannot be read.
    """
    folder = _served_folder(settings)
    stored = await _wanted(database, folder, client, version)
    path = folder / stored.source
    present, wanted = _content(path), stored.document.encode()
    if present == wanted:
        raise Refusal(f"{stored.source} says what it said in version {stored.version} already: nothing to do")
    unknown = bool(present) and not await was_live(database, client, present.decode(errors="replace"))
    if unknown and not force:
        raise Refusal(
            f"{stored.source} was changed since it went live, and a rollback would lose that: "
            "look at it, then use --force (it is kept beside)"
        )
    now = _must_pass(settings, {**_present(folder), stored.source: wanted}, "nothing is changed", stored.source)
    if unknown:
        path.with_name(f"{path.name}{BACKUP}").write_bytes(present)
    put_in_place(folder, {stored.source: wanted}, how=ROLLBACK, by=by)
    plan = now.plans[client]
    first = f"{stored.first_live_at:%Y-%m-%d %H:%M} UTC"
    said = f"{stored.source} is as it was in version {stored.version}, first live {first}"
    if plan.version != stored.version:
        said += f"; with today's shared files it is version {plan.version}"
    if unknown:
        said += f"; what it held is in {path.name}{BACKUP}"
    return Rollback(file=stored.source, version=plan.version, sentence=f"{said}.")


async def _wanted(database: Database, folder: Path, client: str, version: str | None) -> StoredPlan:
    """The version that is asked for; without one, the last that was live and says something else than the file does.

    That is the one before; for a file that is refused, the last good one.
    """
    if version is None:
        lives = [one.version for one in await read_history(database, client, limit=1000) if one.version]
        if not lives:
            raise Refusal(f"{client} was never live here: `callrouter dialplan history` shows who was")
        for one in dict.fromkeys(lives):
            stored = await find_plan(database, client, one)
            if stored is not None and stored.source and stored.document.encode() != _content(folder / stored.source):
                return stored
        raise Refusal(f"{client} was never live with another file than the present one")
    matching = await find_versions(database, client, version)
    if len(matching) != 1:
        many = f"several versions of {client} begin with {version}: {', '.join(matching)}"
        none = f"{client} has no version {version}: `callrouter dialplan history {client}` shows them"
        raise Refusal(many if matching else none)
    stored = await find_plan(database, client, matching[0])
    if stored is None or not stored.source:
        raise Refusal(f"the documents of version {matching[0]} of {client} are not kept")
    return stored


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _must_pass(
    settings: Settings,
    documents: Mapping[str, bytes],
    otherwise: str,
    only: str | None = None,
    *,
    touched: Collection[str] = (),
) -> Catalogue:
    """The catalogue of a set of documents that is tried apart; what time alone brought about concerns `touched` only.

    Raises:
        Refusal: it (or the file named by `only`) does not pass.
    """
    with tempfile.TemporaryDirectory(prefix="callrouter-publish-") as place:
        for name, content in documents.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sounds = PaperSpeech(sound_folders(Path(place), settings.sounds_dirs))
        now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
        tried = load_directory(Path(place), sounds, now=now, region=settings.region)
        # An older file may well fail the routes that are expected of the newer one: they are no reason not to go back.
        routes = run_expected(read_tables(Path(place)), tried) if only is None else ()
    wrong = [
        issue
        for issue in errors((*tried.issues, *routes))
        if only in (None, issue.file) and (only or not issue.dated or issue.file in touched)
    ]
    if wrong or only in tried.refused:
        raise Refusal(f"{how_many(len(wrong), 'error')}: {otherwise}", wrong)
    return tried


def _present(folder: Path) -> dict[str, bytes]:
    try:
        return documents_of(folder)
    except DialplanError:
        return {}


def _served_folder(settings: Settings) -> Path:
    folder = settings.dialplans_dir
    return folder.parent if folder.is_file() else folder


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
