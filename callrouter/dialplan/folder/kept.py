"""The documents of a folder as they were understood: what says the same as before is not read or understood again.

A document is read again when its stamp has changed, and understood again when its content has.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from time import time_ns
from typing import Final

from msgspec import Struct

from callrouter.dialplan.documents.drafts import Draft, draft
from callrouter.dialplan.folder.catalogue import client_names
from callrouter.dialplan.folder.files import content_of, load_shared, read_file
from callrouter.dialplan.folder.look import Look, Stamp
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.shared.reading import FOLDER, Shared

_SURE_NS: Final = 50_000_000
"""A file written less than this before it was read may have been written again within one tick of its clock."""


class _Kept(Struct):
    stamp: Stamp
    sure: bool
    draft: Draft


class KeptDocuments:
    """The clients' documents of a folder, or one of them, and those that are shared beside it."""

    def __init__(self, path: Path, region: str) -> None:
        """`region`: the operator's country, for what the shared documents say of numbers."""
        self.path = path
        self._region = region
        self._kept: dict[str, _Kept] = {}
        self._shared: tuple[dict[str, bytes], int, Shared] | None = None

    def drafts(self, seen: Look) -> dict[str, Draft]:
        """Every client's document by its name; the same object as before where it says the same.

        Raises:
            DialplanError: the folder does not exist or holds no client's file.
        """
        drafts = {name: self._draft(name, seen) for name in client_names(self.path)}
        self._forget(drafts)
        return drafts

    def shared(self, seen: Look, year: int) -> tuple[Shared, dict[str, bytes]]:
        """What was made of the shared documents, the same object as long as they say the same; and what they say.

        Days that come every year are looked up around `year`.
        """
        folder = self.path if self.path.is_dir() else self.path.parent
        names = [name for name in seen.documents if name.startswith(f"{FOLDER}/")]
        contents = {name: content_of(folder / name) for name in names}
        if self._shared is None or self._shared[:2] != (contents, year) or self._shared[2].issues:
            self._shared = (contents, year, load_shared(folder, self._region, year))
        return self._shared[2], contents

    def _draft(self, name: str, seen: Look) -> Draft:
        stamp = seen.documents.get(name, (0, 0, 0, 0, 0))
        kept = self._kept.get(name)
        if kept and kept.sure and kept.stamp == stamp:
            return kept.draft
        document = read_file(self.path / name if self.path.is_dir() else self.path, name)
        drafted = kept.draft if kept and _says_the_same(kept.draft.document, document) else draft(document)
        self._kept[name] = _Kept(stamp, time_ns() - max(stamp[3:]) > _SURE_NS, drafted)
        return drafted

    def _forget(self, names: Collection[str]) -> None:
        """What has gone from the folder."""
        for name in self._kept.keys() - names:
            del self._kept[name]


def _says_the_same(one: Document, other: Document) -> bool:
    return bool(one.content) and one.content == other.content
