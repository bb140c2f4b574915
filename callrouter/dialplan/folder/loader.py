"""From a folder to a catalogue, as often as needed: what has not changed is neither read nor compiled again.

A document is read again when its stamp has changed, understood again when its content has, and a client is compiled
again when its own document, one it uses, a shared one, or a sound has changed. What was wrong is compiled every time:
what it lacked may have come. The stamps are compared before and after, so that a catalogue is made of documents
that stood in the folder together.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import Final

from msgspec import Struct

from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.compile.neighbours import Neighbours
from callrouter.dialplan.compile.texts import sentences
from callrouter.dialplan.documents.drafts import Draft, draft
from callrouter.dialplan.folder.catalogue import Catalogue, admit, client_files, client_names, unknown_plan
from callrouter.dialplan.folder.files import is_special, load_shared, read_file
from callrouter.dialplan.folder.look import Look, Stamp, look
from callrouter.dialplan.issues import Issue, bounded, shown
from callrouter.dialplan.language.own_texts import UNKNOWN_NUMBER
from callrouter.dialplan.language.reader import MAX_BYTES, Document, Key, read
from callrouter.dialplan.shared.reading import DEFAULT_COUNTRY, FOLDER, Shared
from callrouter.dialplan.sounds import SoundSource

TRIES: Final = 3
"""How often a folder that changes while it is read is read again; the last time it is taken as it is."""
_SURE_NS: Final = 50_000_000
"""A file written less than this before it was read may have been written again within one tick of its clock."""


class _Read(Struct):
    stamp: Stamp
    sure: bool
    draft: Draft


class _Made(Struct):
    stands_on: tuple[object, ...]
    used: dict[str, Draft | None]
    compiled: Compiled


class Loader:
    """Loads one folder of clients' files (or one file, and the shared ones beside it). Not for two threads at once."""

    def __init__(
        self,
        path: Path,
        sounds: SoundSource,
        *,
        region: str = DEFAULT_COUNTRY,
        sounds_dirs: Sequence[Path] = (),
        beside: bool = False,
    ) -> None:
        """`region`: the operator's country, whose national numbers a trunk may send and contacts may have;
        `sounds_dirs`: where `sounds` finds files, so that new ones are noticed; `beside`: whether one file alone is
        compared with the clients beside it, for numbers that both have or that it dials.
        """
        self.path = path
        self.sounds_dirs = tuple(sounds_dirs)
        self.seen: Look | None = None
        """What stood in the folder when it was last loaded."""
        self._sounds = sounds
        self._region = region
        self._beside = beside and not path.is_dir()
        self._read: dict[str, _Read] = {}
        self._made: dict[str, _Made] = {}
        self._claims: dict[str, tuple[str, ...]] = {}
        self._held: dict[str, str] = {}
        """By client and by number: the file that has it."""
        self._shared: tuple[dict[str, bytes], Shared] | None = None

    def look(self) -> Look:
        """What stands in the folder now."""
        return look(self.path, self.sounds_dirs)

    def load(self, now: datetime | None = None) -> Catalogue:
        """The catalogue of what stands in the folder; `now` is the instant around which holidays are looked up.

        Raises:
            DialplanError: the folder does not exist or holds no client's file. What is wrong inside the files is
                among the issues.
            SpeechError: the sentence for unknown numbers cannot be made: no text can be spoken at all.
        """
        for _ in range(TRIES):
            before = self.look()
            with _without_collections():
                catalogue = self._load(before, now or datetime.now(UTC))
            if self.look() == before:
                break
        self.seen = before
        return catalogue

    def _load(self, seen: Look, now: datetime) -> Catalogue:
        shared, shared_documents = self._load_shared(seen)
        drafts = {name: self._draft(name, seen) for name in client_names(self.path)}
        # Holidays are known for years around: only another year changes them.
        stands_on = (shared, seen.sounds, now.year)
        holding = _Holding(self._others_read(drafts)) if self._beside else lambda _: ()
        neighbours = Neighbours(drafts.values(), shared.country, lambda: self._others(drafts), holding)
        claims = neighbours.claims()
        moved = neighbours if claims != self._claims else None
        stale = [drafted for name, drafted in drafts.items() if not self._is_current(name, drafts, stands_on, moved)]
        self._sounds.prepare(self._texts(stale, shared))
        for drafted in stale:
            compiled = compile_client(drafted, shared, self._sounds, now.date(), neighbours)
            used: dict[str, Draft | None] = {name: drafts.get(name) for name in compiled.uses}
            used[drafted.document.file] = drafted
            self._made[drafted.document.file] = _Made(stands_on, used, compiled)
        self._claims = claims
        self._forget(drafts)
        everything = [self._made[name].compiled for name in drafts]
        held = {
            what: file for what, file in self._held.items() if file in drafts and _claims(drafts[file], what, claims)
        }
        plans, conflicts = admit(everything, held)
        self._held = held
        for plan in plans.values():
            self._held |= dict.fromkeys((plan.client, *plan.numbers), plan.source)
        if self._beside:
            conflicts += [issue for drafted in drafts.values() for issue in _twice(drafted, neighbours)]
            plans = {} if conflicts else plans
        contents = {name: drafted.document.content for name, drafted in drafts.items()} | shared_documents
        return Catalogue(
            plans=plans,
            unknown=unknown_plan(self._sounds),
            issues=(*bounded((*shared.issues, *(issue for one in everything for issue in one.issues))), *conflicts),
            loaded_at=now,
            queues=shared.queues,
            region=self._region,
            refused=frozenset(one.document.file for one in everything if one.plan is None)
            | {issue.file for issue in conflicts},
            meant={
                one.document.file: one.client
                for one in everything
                if one.client and (one.plan is None or plans.get(one.client) is not one.plan)
            },
            documents=contents,
            uses={
                one.client: one.uses | {one.document.file} | shared_documents.keys()
                for one in everything
                if one.plan is not None and plans.get(one.client) is one.plan
            },
        )

    def _texts(self, stale: Collection[Draft], shared: Shared) -> Iterator[tuple[str, str]]:
        """Every text (text, language) once; one by one, so that who makes no sounds need not look for any."""
        yield from ((text, language) for language, text in UNKNOWN_NUMBER.items())
        seen: set[tuple[str, str]] = set()
        for drafted in stale:
            for text in sentences(drafted, shared, self._sounds):
                if text not in seen:
                    seen.add(text)
                    yield text

    def _others(self, known: Collection[str]) -> Iterator[Draft]:
        """The clients beside the one file that is loaded, for a tree that leads to one of them."""
        if self.path.is_file():
            for file in client_files(self.path.parent):
                if file.name not in known:
                    yield draft(read_file(file, file.name))

    def _others_read(self, known: Collection[str]) -> Mapping[str, bytes]:
        """The same, not understood yet."""
        files = client_files(self.path.parent)
        return {file.name: _content(file) for file in files if file.name not in known}

    def _draft(self, name: str, seen: Look) -> Draft:
        """The document as it was understood, again only when it says something else."""
        stamp = seen.documents.get(name, (0, 0, 0, 0, 0))
        known = self._read.get(name)
        if known and known.sure and known.stamp == stamp:
            return known.draft
        document = read_file(self.path / name if self.path.is_dir() else self.path, name)
        same = known is not None and _same(known.draft.document, document)
        drafted = known.draft if known and same else draft(document)
        self._read[name] = _Read(stamp, time_ns() - max(stamp[3:]) > _SURE_NS, drafted)
        return drafted

    def _load_shared(self, seen: Look) -> tuple[Shared, dict[str, bytes]]:
        """The shared documents, and what was made of them: the same object as long as they say the same."""
        folder = self.path if self.path.is_dir() else self.path.parent
        names = [name for name in seen.documents if name.startswith(f"{FOLDER}/")]
        contents = {name: _content(folder / name) for name in names}
        if self._shared is None or self._shared[0] != contents or self._shared[1].issues:
            self._shared = (contents, load_shared(folder, self._region))
        return self._shared[1], contents

    def _is_current(
        self, name: str, drafts: dict[str, Draft], stands_on: tuple[object, ...], moved: Neighbours | None
    ) -> bool:
        """Whether nothing has changed that the client was made of; `moved` are all clients, when numbers have."""
        made = self._made.get(name)
        if made is None or made.compiled.plan is None:
            return False
        shared, *others = stands_on
        return (
            made.stands_on[0] is shared
            and [*made.stands_on[1:]] == others
            and all(drafts.get(used) is drafted for used, drafted in made.used.items())
            and (moved is None or _dials_the_same(made.compiled, name, moved))
        )

    def _forget(self, names: Collection[str]) -> None:
        """What has gone from the folder."""
        for name in self._read.keys() - names:
            del self._read[name]
        for name in self._made.keys() - names:
            del self._made[name]


@contextmanager
def _without_collections() -> Iterator[None]:
    """No collection of garbage meanwhile: what is made is kept, and looking through it takes a fifth of the time.

    Afterwards it is put out of the collector's sight, whose first round would look through all of it: plans and
    documents hold no cycles to speak of, and are freed when nobody refers to them.
    """
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.freeze()
            gc.enable()


class _Holding:
    """Which of many documents may well hold a number or a name: looked for in their bytes, and only then read."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents
        self._digits = {name: content.translate(None, _NO_DIGITS) for name, content in contents.items()}
        self._drafts: dict[str, Draft] = {}

    def __call__(self, wanted: str) -> Iterator[Draft]:
        # However a number is written, it ends in the same digits.
        within, part = (self._digits, wanted[-6:]) if wanted.startswith("+") else (self._contents, wanted)
        for name, content in within.items():
            if part.encode() in content:
                if name not in self._drafts:
                    self._drafts[name] = draft(read(self._contents[name], name))
                yield self._drafts[name]


_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


def _twice(drafted: Draft, neighbours: Neighbours) -> Iterator[Issue]:
    """What a file that is looked at alone has in common with one beside it."""
    document = drafted.document
    for claim, index, other in neighbours.twice(drafted):
        file = other.document.file
        path: Key
        if index < 0:
            message, path = f"client: {shown(claim)} is the client of {file} too", ("client",)
        else:
            where = f"{file}:{neighbours.place_of(other, claim)}"
            message, path = f"numbers: {claim} is a number of {where} too", ("numbers", index)
        yield Issue(file=document.file, line=document.line(*path), field=str(path[0]), message=message)


def _claims(drafted: Draft, what: str, numbers: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a document still claims a client or a number; one that cannot be read is taken to claim what it did."""
    document = drafted.document
    return document.value is None or what == drafted.claim.client or what in numbers[document.file]


def _dials_the_same(compiled: Compiled, name: str, neighbours: Neighbours) -> bool:
    """Whether each number a client dials still is, or is not, another client's."""
    return all(file in (name, _file_of(neighbours.owner(one))) for one, file in compiled.dialled.items())


def _file_of(drafted: Draft | None) -> str:
    return drafted.document.file if drafted else ""


def _content(path: Path) -> bytes:
    """What the file holds, as far as a document may be long; what cannot be read is an issue of whoever reads it."""
    try:
        if is_special(path):
            return b""
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError:
        return b""


def _same(one: Document, other: Document) -> bool:
    return bool(one.content) and one.content == other.content


def load_directory(
    path: Path,
    sounds: SoundSource,
    *,
    now: datetime | None = None,
    region: str = DEFAULT_COUNTRY,
    beside: bool = False,
) -> Catalogue:
    """Load every client's file in a folder (or one file, with the shared ones beside it), once.

    `region` is the operator's country, whose national numbers a trunk may send and contacts may have.
    `now` is the instant around which holidays are looked up, an aware datetime; the present by default.
    `beside`: one file alone is compared with the clients beside it, for numbers that both have or that it dials.

    Raises:
        DialplanError: the folder does not exist or holds no client's file. What is wrong inside the files is
            among the issues.
        SpeechError: the sentence for unknown numbers cannot be made: no text can be spoken at all.
    """
    return Loader(path, sounds, region=region, beside=beside).load(now)
