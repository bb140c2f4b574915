"""What an engine serves that has taken another one's place: what was live, whatever stands in its folder.

A start makes live what the folder says. A take-over is no start: the engine before has loaded what was saved there, and
what differs was refused, or is not published yet, or lies in a folder that is not that engine's. So each document in
the folder is compared with those that live plans stand on. Where all are the same the folder is loaded, as at a start;
where one is not, the live documents are, and the folder is left alone until it changes, or is loaded on demand. What
was saved so shortly before that the engine before may not have seen it is loaded right afterwards (`is_fresh`).
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from callrouter.app.live.last_live import LastLive
from callrouter.core.call import replace
from callrouter.dialplan import Catalogue, Loader
from callrouter.dialplan.folder.look import Look, folder_of, is_client_file
from callrouter.dialplan.issues import Issue
from callrouter.dialplan.shared.reading import FOLDER as SHARED
from callrouter.errors import CallrouterError
from callrouter.store.plans import StoredPlan, content_hash

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 30.0
DIFFERS: Final = (
    "is not what was live when this engine took over, which stays in service until the file is saved again, or the "
    "folder is loaded"
)


@dataclass(frozen=True, kw_only=True)
class LiveInstead:
    """What is served instead of the folder."""

    catalogue: Catalogue
    seen: Look
    """What stands in the folder."""
    is_fresh: bool
    """Whether a document that differs was saved in the last seconds."""


def is_what_was_live(last: LastLive, loader: Loader) -> bool:
    """Whether the folder holds, document by document, what was live, by what the disk knows. It blocks."""
    kept = last.disk.plans
    if any(client not in kept or kept[client].version != one.version for client, one in last.versions.items()):
        return False
    hashes = _stand_together([kept[client].documents for client in last.versions])
    return not _differing(folder_of(loader.path), loader.look(), hashes)


def live_instead(live: Sequence[StoredPlan], loader: Loader, now: datetime) -> LiveInstead | None:
    """None where the folder holds what was live after all, or that cannot be had. It blocks: not for the loop.

    Args:
        live: all that is, with its documents.
        loader: of the folder.
        now: the instant around which holidays are looked up.
    """
    hashes = _stand_together([_hashes(one) for one in live])
    seen = loader.look()
    differing = _differing(folder_of(loader.path), seen, hashes)
    documents = {
        name: one.documents[name] for one in live for name, its in _hashes(one).items() if hashes.get(name) == its
    }
    if not differing or not documents:
        return None
    log.warning("the folder is not what was live: what was live stays in service", files=differing[:5])
    try:
        catalogue = _loaded(documents, loader, now)
    except CallrouterError as error:  # then the folder is all there is
        log.warning("what was live cannot be loaded as a whole", reason=str(error))
        return None
    away = {one.source for one in live if one.client not in catalogue.plans}
    issues = tuple(Issue(file=name, line=0, message=DIFFERS) for name in differing)
    newest_ns = max(max(seen.documents.get(name, (0,))[3:], default=0) for name in differing)
    return LiveInstead(
        catalogue=replace(
            catalogue,
            issues=(*catalogue.issues, *issues),
            refused=catalogue.refused | away | {name for name in differing if is_client_file(name)},
        ),
        seen=seen,
        is_fresh=time.time_ns() - newest_ns < FRESH_SECONDS * 1e9,
    )


def _hashes(one: StoredPlan) -> dict[str, str]:
    return {name: content_hash(content) for name, content in one.documents.items()}


def _stand_together(live: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The documents' hashes, by path, of those plans that stand on the same shared ones as most do; any others are made
    again one by one.
    """
    shared = [frozenset((name, key) for name, key in one.items() if name.startswith(f"{SHARED}/")) for one in live]
    if not shared:
        return {}
    [(most, _)] = Counter(shared).most_common(1)
    return {name: key for one, its in zip(live, shared, strict=True) if its == most for name, key in one.items()}


def _differing(folder: Path, seen: Look, hashes: Mapping[str, str]) -> list[str]:
    """Paths of documents that are other in the folder, or only there, or not there."""
    there = {name for name in seen.documents if is_client_file(name) or name.startswith(f"{SHARED}/")}
    return [name for name in sorted(there | hashes.keys()) if _hash_of(folder / name) != hashes.get(name)]


def _hash_of(path: Path) -> str | None:
    """As documents are kept; None when it cannot be read."""
    try:
        return content_hash(path.read_bytes().decode("utf-8", errors="replace"))
    except OSError:
        return None


def _loaded(documents: Mapping[str, str], loader: Loader, now: datetime) -> Catalogue:
    with tempfile.TemporaryDirectory(prefix="callrouter-live-") as place:
        for name, content in documents.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")
        return loader.of(Path(place)).load(now).with_overdue()  # what was live stays, whatever days have passed
