"""How large everything is that lives long in a process: each container of ours, tasks, objects.

`install` has a process write it down whenever it gets SIGUSR2, so that the real engine is looked at, and not a part of
it. Whatever an object of ours holds is counted by where it is held, `module.Class.attribute`, the sum over all
instances; so are variables of modules, and functions' caches.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any, Final

OURS: Final = ("callrouter", "prometheus_client", "panoramisk")
_CONTAINERS: Final = (dict, list, set, deque)
TASKS: Final = "asyncio tasks"
OBJECTS: Final = "objects that the collector knows"


def install(path: Path) -> None:
    """From now on SIGUSR2 has the sizes written to `path`; it is there when it is whole."""

    def write(*_: object) -> None:
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(sizes()), encoding="utf-8")
        unfinished.rename(path)

    signal.signal(signal.SIGUSR2, write)


def sizes() -> dict[str, int]:
    """By what it is."""
    gc.collect()
    gc.unfreeze()  # or all that was there at the start would not be seen
    found: Counter[str] = Counter()
    objects = gc.get_objects()
    for one in objects:
        for name, held in _held(one):
            found[name] += len(held)
        if isinstance(one, _lru_cache_wrapper):
            found[f"cache of {one.__module__}.{one.__qualname__}"] += one.cache_info().currsize
    for name, module in [*sys.modules.items()]:
        if name.startswith(OURS):
            for variable, held in [*vars(module).items()]:
                if isinstance(held, _CONTAINERS):
                    found[f"{name}.{variable}"] += len(held)
    found[OBJECTS] = len(objects)
    found[TASKS] = len(asyncio.all_tasks(asyncio.get_running_loop()))
    return dict(found)


def _held(one: Any) -> Iterator[tuple[str, Any]]:
    kind = type(one)
    if not str(kind.__module__).startswith(OURS):
        return
    where = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(one, _CONTAINERS):
        yield where, one
    attributes = dict(getattr(one, "__dict__", {}))
    for above in kind.__mro__:
        for slot in getattr(above, "__slots__", ()):
            attributes.setdefault(slot, getattr(one, slot, None))
    for name, held in attributes.items():
        if isinstance(held, _CONTAINERS):
            yield f"{where}.{name}", held
