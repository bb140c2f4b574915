"""From a folder to a catalogue, as often as needed: what has not changed is neither read nor compiled again.

A load is five stages. The documents are *understood*; those clients are *compiled* again whose own document, one they
use, a shared one, or a sound has changed; clients that are gone are *forgotten*; plans that claim nothing another file
has are *admitted*; and all of it makes the *catalogue*. What was wrong is compiled every time: what it lacked may have
come. The folder is looked at before and after, so that a catalogue is made of documents that stood in it together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.compile.neighbours import Neighbours
from callrouter.dialplan.compile.texts import sentences
from callrouter.dialplan.documents.drafts import Draft, draft
from callrouter.dialplan.folder.beside import Holding, claimed_twice, other_drafts
from callrouter.dialplan.folder.catalogue import Catalogue, Overdue, admit, claims_of, unknown_plan
from callrouter.dialplan.folder.derived_bound import derived_of, within_bound
from callrouter.dialplan.folder.kept import KeptDocuments
from callrouter.dialplan.folder.look import Look, Stamp, look
from callrouter.dialplan.issues import Issue, bounded
from callrouter.dialplan.language.own_texts import UNKNOWN_NUMBER
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.language.timezones import known_timezone
from callrouter.dialplan.shared.crew import crew_of
from callrouter.dialplan.shared.reading import DEFAULT_COUNTRY, Shared
from callrouter.dialplan.sounds import SoundSource
from callrouter.garbage import made_to_stay

TRIES: Final = 3
"""How often a folder that changes while it is read is read again; the last time it is taken as it is."""


class _Ground(Struct, frozen=True):
    """What every plan stands on, besides clients' documents."""

    shared: Shared
    sounds: tuple[tuple[str, Stamp], ...]
    day: date
    """Of the instant, in UTC: holidays are known for years around it."""

    def is_the_same(self, other: _Ground | None) -> bool:
        """Whether nothing has changed; a shared document that did makes another object of `shared`."""
        return (
            other is not None and self.shared is other.shared and (self.day, self.sounds) == (other.day, other.sounds)
        )


class _Folder(Struct, frozen=True, kw_only=True):
    """The documents of the folder at one instant, understood."""

    ground: _Ground
    drafts: dict[str, Draft]
    shared_contents: dict[str, bytes]
    neighbours: Neighbours
    claims: dict[str, tuple[str, ...]]
    """The numbers of each client's document."""

    def still_claims(self, file: str, what: str) -> bool:
        """Whether a document claims a client or number it had; one that cannot be read is taken to do so."""
        if file not in self.drafts:
            return False
        drafted = self.drafts[file]
        return drafted.document.value is None or what in drafted.claim.names or what in self.claims[file]


class _Made(Struct):
    """What became of a client's document, and all it was made of."""

    ground: _Ground
    used: dict[str, Draft | None]
    compiled: Compiled
    day: date
    """The client's day when it was made: some findings depend on it."""


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
        on_shared: Callable[[Shared], None] = lambda _: None,
    ) -> None:
        """`region`: the operator's country, whose national numbers a trunk may send and contacts may have;
        `sounds_dirs`: where `sounds` finds files, so that new ones are noticed; `beside`: whether one file alone is
        compared with the clients beside it, for numbers that both have or that it dials; `on_shared`: handed what the
        shared files say, in the thread that loads, before any client is compiled.
        """
        self.path = path
        self.sounds_dirs = tuple(sounds_dirs)
        self.seen: Look | None = None
        """What stood in the folder when it was last loaded."""
        self._sounds = sounds
        self._on_shared = on_shared
        self.region = region
        self._beside = beside and not path.is_dir()
        self._documents = KeptDocuments(path, region)
        self._ground: _Ground | None = None
        self._made: dict[str, _Made] = {}
        self._claims: dict[str, tuple[str, ...]] = {}
        self._held: dict[str, str] = {}
        """By client, former name and number: the file that has it."""
        self._derived: frozenset[str] = frozenset()
        """The derived queues of what was loaded last."""

    def of(self, path: Path) -> Loader:
        """One of another folder, and all else as this one has it."""
        return Loader(path, self._sounds, region=self.region, sounds_dirs=self.sounds_dirs, on_shared=self._on_shared)

    def look(self) -> Look:
        """What stands in the folder now."""
        return look(self.path, self.sounds_dirs)

    def remember(self, documents: Mapping[str, bytes]) -> None:
        """These documents, by file, had what they claim before anything was loaded; each keeps what it still claims."""
        drafts = [draft(read(content, file)) for file, content in documents.items()]
        claims = Neighbours(drafts, self._ground.shared.country if self._ground else self.region).claims()
        self._held = {}
        for drafted in drafts:
            file = drafted.document.file
            self._held |= dict.fromkeys((*drafted.claim.names, *claims[file]), file)

    def load(self, now: datetime | None = None) -> Catalogue:
        """The catalogue of what stands in the folder; `now` is the instant around which holidays are looked up.

        Raises:
            DialplanError: the folder does not exist or holds no client's file. What is wrong inside the files is
                among the issues.
            SpeechError: the sentence for unknown numbers cannot be made: no text can be spoken at all.
        """
        for _ in range(TRIES):
            before = self.look()
            with made_to_stay():
                catalogue = self._load(before, now or datetime.now(UTC))
            if self.look() == before:
                break
        self.seen = before
        return catalogue

    def _load(self, seen: Look, now: datetime) -> Catalogue:
        folder = self._understand(seen, now)
        self._compile(folder, now)
        self._forget(folder)
        compiled = [self._made[name].compiled for name in folder.drafts]
        plans, conflicts = self._admit(folder, compiled)
        return self._catalogue(folder, compiled, plans, conflicts, now)

    # Understood: the documents, and what all of them stand on

    def _understand(self, seen: Look, now: datetime) -> _Folder:
        shared, shared_contents = self._documents.shared(seen, now.year)
        self._on_shared(shared)
        drafts = self._documents.drafts(seen)
        ground = _Ground(shared, seen.sounds, now.date())
        self._ground = self._ground if self._ground and ground.is_the_same(self._ground) else ground
        neighbours = Neighbours(
            drafts.values(),
            shared.country,
            lambda: other_drafts(self.path, drafts),
            Holding(self.path, drafts) if self._beside else lambda _: (),
        )
        return _Folder(
            ground=self._ground,
            drafts=drafts,
            shared_contents=shared_contents,
            neighbours=neighbours,
            claims=neighbours.claims(),
        )

    # Compiled: what has changed, or was wrong

    def _compile(self, folder: _Folder, now: datetime) -> None:
        moved = folder.claims != self._claims
        days = {name: _today(drafted, now) for name, drafted in folder.drafts.items()}
        stale = [
            drafted for name, drafted in folder.drafts.items() if not self._is_current(name, folder, moved, days[name])
        ]
        shared = folder.ground.shared
        self._sounds.prepare(self._texts(stale, shared))
        for drafted in stale:
            today = days[drafted.document.file]
            compiled = compile_client(drafted, shared, self._sounds, today, folder.neighbours)
            used = {name: folder.drafts.get(name) for name in (*compiled.uses, drafted.document.file)}
            self._made[drafted.document.file] = _Made(folder.ground, used, compiled, today)
        self._claims = folder.claims

    def _is_current(self, name: str, folder: _Folder, moved: bool, today: date) -> bool:
        """Whether nothing has changed that the client was made of; `moved`: some client's numbers have."""
        made = self._made.get(name)
        return (
            made is not None
            and made.compiled.plan is not None
            and made.ground is folder.ground
            and made.day == today
            and all(folder.drafts.get(used) is drafted for used, drafted in made.used.items())
            and (not moved or _dials_as_before(made.compiled, name, folder.neighbours))
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

    # Forgotten: what has gone from the folder

    def _forget(self, folder: _Folder) -> None:
        for name in self._made.keys() - folder.drafts.keys():
            del self._made[name]

    # Admitted: what claims nothing that another file has, and derives no more queues than there may be

    def _admit(self, folder: _Folder, compiled: Collection[Compiled]) -> tuple[dict[str, Plan], list[Issue]]:
        """The plans that may be served, and why others may not; of two files the one keeps a claim that had it, and of
        derived queues those stay that there were.
        """
        held = {what: file for what, file in self._held.items() if folder.still_claims(file, what)}
        plans, conflicts = admit(compiled, held)
        plans, beyond = within_bound(plans, compiled, self._derived)
        conflicts += beyond
        self._held, self._derived = held, frozenset(derived_of(plans))
        for plan in plans.values():
            self._held |= dict.fromkeys((what for what, _ in claims_of(plan)), plan.source)
        if self._beside:
            twice = (claimed_twice(drafted, folder.neighbours) for drafted in folder.drafts.values())
            conflicts += [issue for issues in twice for issue in issues]
            plans = {} if conflicts else plans
        return plans, conflicts

    # The catalogue

    def _catalogue(
        self,
        folder: _Folder,
        compiled: Collection[Compiled],
        plans: dict[str, Plan],
        conflicts: Sequence[Issue],
        now: datetime,
    ) -> Catalogue:
        served = [one for one in compiled if one.plan is not None and plans.get(one.client) is one.plan]
        files = {one.document.file for one in served}
        found = (*folder.ground.shared.issues, *(issue for one in compiled for issue in one.issues))
        contents = {name: drafted.document.content for name, drafted in folder.drafts.items()}
        return Catalogue(
            plans=plans,
            unknown=unknown_plan(self._sounds),
            issues=(*bounded(found), *conflicts),
            loaded_at=now,
            queues=folder.ground.shared.queues,
            crew=crew_of(folder.ground.shared),
            region=self.region,
            refused=frozenset(one.document.file for one in compiled if one.plan is None)
            | {issue.file for issue in conflicts},
            overdue={
                one.document.file: Overdue(plan=one.overdue, uses=self._stands_on(one, folder))
                for one in compiled
                if one.overdue is not None
            },
            meant={name: folder.drafts[name].claim.names for name in folder.drafts.keys() - files},
            documents=contents | folder.shared_contents,
            uses={one.client: self._stands_on(one, folder) for one in served},
        )

    @staticmethod
    def _stands_on(one: Compiled, folder: _Folder) -> frozenset[str]:
        return one.uses | {one.document.file} | folder.shared_contents.keys()


def _today(drafted: Draft, now: datetime) -> date:
    """The day in the client's zone: what ends today is not over before midnight there."""
    zone = drafted.claim.timezone
    return now.astimezone(ZoneInfo(zone) if known_timezone(zone) else UTC).date()


def _dials_as_before(compiled: Compiled, name: str, neighbours: Neighbours) -> bool:
    """Whether each number a client dials still is, or is not, that of another client's document."""
    owners = ((neighbours.owner(number), file) for number, file in compiled.dialled.items())
    return all(file in (name, owner.document.file if owner else "") for owner, file in owners)


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
