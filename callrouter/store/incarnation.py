"""Which of an engine's lives this is: an epoch, higher than those of all its lives before, and the PBX it serves.

The epoch is the time of the start in milliseconds since 1970, or one more than the last one where the clock was set
back: of two records of one call, or of two engines that both think they lead, the higher epoch knows better
(`core.call.Revision`). The calls that it places are its own by it, too (`store.outgoing.book`). The last one stands in
a file of the data folder, with the name the PBX had then, so that an engine whose PBX is called otherwise goes on with
what was said of it. A former name is forgotten when the database has taken the new one (`renamed`), and not before: an
engine may die while PostgreSQL is away. It may then be another's.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

FILE: Final = "engine.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incarnation:
    """One life of an engine."""

    epoch: int
    pbx: str
    formerly: tuple[str, ...] = ()
    """What the PBX was called before, where the database may still call it so."""


def next_incarnation(data_dir: Path, pbx: str, now_seconds: float) -> Incarnation:
    """The next life of the engine of this data folder, at a time in seconds since 1970.

    Raises:
        OSError: the folder cannot be written.
    """
    path = data_dir / FILE
    last, names = _last(path)
    one = Incarnation(
        epoch=max(int(now_seconds * 1000), last + 1), pbx=pbx, formerly=tuple(name for name in names if name != pbx)
    )
    _write(path, one)
    return one


def is_last(data_dir: Path, one: Incarnation) -> bool:
    """Whether no engine of this data folder was started since: who was stopped meanwhile may have a follower."""
    return _last(data_dir / FILE)[0] <= one.epoch


def renamed(data_dir: Path, one: Incarnation) -> None:
    """The database calls the PBX by its present name: the next life need not know another.

    Raises:
        OSError: the folder cannot be written.
    """
    if one.formerly:
        _write(data_dir / FILE, replace(one, formerly=()))


def _write(path: Path, one: Incarnation) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"epoch": one.epoch, "pbx": one.pbx, "formerly": one.formerly}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _last(path: Path) -> tuple[int, list[str]]:
    """The last epoch and the PBX's names; 0 and none where there is none, or a machine that died left something else.

    A release of before wrote no former names.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return int(found["epoch"]), [*map(str, found.get("formerly", ())), str(found["pbx"])]
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return 0, []
