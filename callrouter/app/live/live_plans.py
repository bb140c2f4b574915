"""What is live, on the engine's own disk: it starts from this, also while PostgreSQL or the clients' folder is away.

    <folder>/plans.json          which version of each client is live, its file, its numbers, the hash of each document;
                                 and the same of versions that are not live any more and that calls still walk
    <folder>/documents/<hash>    what a document says

A document is written once and removed when no plan stands on it any more; the list is renamed into place after them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import structlog
from msgspec import Struct, field
from msgspec.structs import replace

from callrouter.store.plans import StoredPlan, content_hash

log = structlog.get_logger(__name__)

FOLDER: Final = "live"
"""Below the data folder: what is live."""
INDEX: Final = "plans.json"
"""The list of what is live."""
Version = tuple[str, str]
"""Client and version of a plan."""


class LivePlan(Struct, frozen=True, kw_only=True):
    """A version that is live, or was when this was written."""

    client: str
    version: str
    source: str
    """The file's path in the folder."""
    live_at: datetime
    documents: Mapping[str, str]
    """The hash of each document it stands on, by path."""
    numbers: tuple[str, ...] = ()
    """DIDs in E.164; none where a release of before wrote the list."""
    shape: str = ""
    """By which another release knows that it reads calls that walk it (`core.plan.Plan.shape`)."""


class _Index(Struct, frozen=True, kw_only=True):
    changed_at: datetime
    """When what is live changed last."""
    plans: dict[str, LivePlan]
    """What is live, by client."""
    walked: list[LivePlan] = field(default_factory=list)
    """What is not, and calls walk."""


class LivePlans:
    """Reads and writes the folder. It blocks: not for the loop."""

    def __init__(self, folder: Path, is_ours: Callable[[], bool] = lambda: True) -> None:
        """`is_ours`: whether no other engine leads by now, which writes there: asked before anything is put in place of
        what stands there.
        """
        self._folder = folder
        self._is_ours = is_ours
        self._index = self._read()

    @property
    def changed_at(self) -> datetime | None:
        """When what is live changed last; None when nothing was kept here yet."""
        return self._index.changed_at if self._index else None

    @property
    def plans(self) -> Mapping[str, LivePlan]:
        """What is live, by client."""
        return self._index.plans if self._index else {}

    @property
    def walked(self) -> Mapping[Version, LivePlan]:
        """Versions that are kept for the calls that walk them, and for nothing else."""
        return {(plan.client, plan.version): plan for plan in (self._index.walked if self._index else ())}

    def stored(self, client: str, version: str | None = None) -> StoredPlan | None:
        """A client's live plan, or the one of a version that is live or walked, with its documents.

        None when it is not kept, or a document cannot be read.
        """
        plan = self.plans.get(client)
        if plan is None or version not in (None, plan.version):
            plan = self.walked.get((client, version or ""))
        if plan is None:
            return None
        try:
            documents = {name: self._content(key) for name, key in plan.documents.items()}
        except (OSError, ValueError) as error:
            log.warning("a kept plan cannot be read", client=client, reason=str(error))
            return None
        return StoredPlan(
            client=client,
            version=plan.version,
            document=documents.get(plan.source, ""),
            first_live_at=plan.live_at,
            source=plan.source,
            documents=documents,
            shape=plan.shape,
        )

    def keep(
        self,
        live: Mapping[str, StoredPlan | None],
        at: datetime,
        *,
        numbers: Mapping[str, Sequence[str]],
        walked: Collection[Version] | None,
    ) -> None:
        """Keep what is live since `at`, and of what was live before, what calls walk.

        Args:
            live: by client; None: as it was kept before.
            at: an aware instant.
            numbers: by client, those of its live plan, in E.164.
            walked: by live calls; None: nobody knows yet, so that nothing is forgotten.

        Raises:
            OSError: the disk does not take it.
        """
        before = self.plans
        plans = {client: before[client] for client, plan in live.items() if plan is None and client in before}
        for plan in live.values():
            if plan is not None and (client := plan.client):
                old = before.get(client)
                is_known = old is not None and old.version == plan.version and old.shape == plan.shape
                plans[client] = old if old is not None and is_known else self._kept(plan)
        plans = {client: replace(plan, numbers=tuple(numbers.get(client, ()))) for client, plan in plans.items()}
        is_same = self._index is not None and _versions(plans) == _versions(before)
        self._put(
            _Index(
                changed_at=self._index.changed_at if self._index is not None and is_same else at,
                plans=plans,
                walked=self._still_walked(plans, walked),
            )
        )

    def forget(self, walked: Collection[Version], besides: Collection[StoredPlan] = ()) -> None:
        """Forget the versions that are not live, and that no live call walks any more; `besides` are kept, if they are
        not yet.

        Raises:
            OSError: the disk does not take it.
        """
        if self._index is not None:
            kept = self._still_walked(self.plans, walked)
            there = _versions(self.plans) | {(plan.client, plan.version) for plan in kept}
            new = [self._kept(stored) for stored in besides if (stored.client, stored.version) not in there]
            self._put(replace(self._index, walked=[*kept, *new]))

    def _still_walked(self, plans: Mapping[str, LivePlan], walked: Collection[Version] | None) -> list[LivePlan]:
        """Of all versions that are kept, those that these plans, which are live, do not hold, and calls walk."""
        kept = {**self.walked, **{(plan.client, plan.version): plan for plan in self.plans.values()}}
        live = _versions(plans)
        return [plan for key, plan in kept.items() if key not in live and (walked is None or key in walked)]

    def _put(self, index: _Index) -> None:
        """Write the list, unless it says so already, and remove the documents that nothing stands on any more."""
        if index == self._index:
            return
        self._write(self._folder / INDEX, msgspec.json.format(msgspec.json.encode(index), indent=1))
        self._index = index  # not before: what the disk did not take is written with the next load
        self._make_sure()
        used = {key for plan in (*index.plans.values(), *index.walked) for key in plan.documents.values()}
        for place in (self._folder / "documents").iterdir():
            if place.name not in used:
                place.unlink(missing_ok=True)

    def _kept(self, plan: StoredPlan) -> LivePlan:
        documents = {name: content_hash(content) for name, content in plan.documents.items()}
        for name, key in documents.items():
            if not self._place(key).exists():
                self._write(self._place(key), plan.documents[name].encode(errors="replace"))
        return LivePlan(
            client=plan.client,
            version=plan.version,
            source=plan.source,
            live_at=plan.first_live_at,
            documents=documents,
            shape=plan.shape,
        )

    def _content(self, key: str) -> str:
        """What a document says, as it was written. Raises OSError and ValueError."""
        content = self._place(key).read_bytes().decode()
        if content_hash(content) != key:
            raise ValueError(f"{self._place(key)} is not what was written there")
        return content

    def _place(self, key: str) -> Path:
        return self._folder / "documents" / key

    def _read(self) -> _Index | None:
        try:
            return msgspec.json.decode((self._folder / INDEX).read_bytes(), type=_Index)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.warning("the plans that were kept cannot be read", folder=str(self._folder), reason=str(error))
            return None

    def _make_sure(self) -> None:
        """A disk takes its time, in which this process may have been stopped."""
        if not self._is_ours():
            raise OSError("another engine leads by now")

    def _write(self, place: Path, content: bytes) -> None:
        # One by one: parents that `mkdir` makes on its way do not get the mode.
        for folder in (self._folder, place.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of one's own name: a process that was stopped here would write into what another one has put in place since.
        beside = place.with_name(f".{place.name}.{os.getpid()}~")
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        self._make_sure()
        beside.replace(place)
        for left in place.parent.glob(f".{place.name}.*~"):  # of one that was killed, or is stopped
            left.unlink(missing_ok=True)


def _versions(plans: Mapping[str, LivePlan]) -> set[Version]:
    return {(client, plan.version) for client, plan in plans.items()}
