"""One bad entry in a shared file: it is refused with those who use it, and nobody else."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import day, right
from tests.dialplan.mistakes.kind import Kind, Mistake, at_shared


def entry(random: Random) -> Mistake | None:
    """An entry that nobody could use; the firm beside it does not."""
    firm = right(random)
    shared: dict[str, Any] = firm.folder.shared
    how = random.choice([*ENTRIES])
    kind, part, name, block, key = ENTRIES[how]
    shared[kind][part][name] = copy.deepcopy(block)
    path = (part, name, *((key,) if isinstance(key, str) else key))
    places = tuple(at_shared(kind, *path[:length]) for length in range(2, len(path) + 1))
    return Mistake(firm.folder, places)


ENTRIES: dict[str, tuple[str, str, str, Any, str | tuple[str | int, ...]]] = {
    "e-mail without @": ("contacts", "contacts", "lawyer", {"email": "etude.firm.example"}, "email"),
    "nobody reaches it": ("contacts", "contacts", "ghost", {"name": "Personne"}, ()),
    "url without a scheme": ("contacts", "contacts", "crm", {"url": "crm.firm.example/calls"}, "url"),
    "number with letters": ("contacts", "contacts", "vendor", {"number": "06 12 AB 34 56"}, "number"),
    "unknown key": ("contacts", "contacts", "mail", {"mail": "a@firm.example"}, "mail"),
    "unknown strategy": ("queues", "queues", "late", {"members": ["agent-1"], "strategy": "roundrobin"}, ()),
    "unknown agent": ("queues", "queues", "late", {"members": ["agent-99"]}, ("members", 0)),
    "ring without unit": ("queues", "queues", "late", {"members": ["agent-1"], "ring": "15"}, "ring"),
    "hours upside down": ("calendars", "calendars", "shop", {"open": {"mon-fri": "9h-12"}}, ("open", "mon-fri")),
    "unknown weekday": ("calendars", "calendars", "shop", {"open": {"lun-ven": "09:00-12:00"}}, ("open", "lun-ven")),
    "rota of nobody": (
        "calendars",
        "rotas",
        "nights",
        {"timezone": "Europe/Paris", "cycle": ["duty-9"], "starting": day(-300)},
        ("cycle", 0),
    ),
    "rota without a start": ("calendars", "rotas", "nights", {"timezone": "Europe/Paris", "cycle": ["duty-1"]}, ()),
    "list with a digit lost": ("lists", "lists", "agencies", ["01 40 56 60 0"], (0,)),
    "list with an extension": ("lists", "lists", "agencies", ["0162*", "01 40 56 60 00 poste 3"], (1,)),
    "prompt that is empty": ("prompts", "prompts", "hello", {"fr": ""}, "fr"),
}

KINDS = (Kind(name="one bad entry in a shared file", line=24, make=entry),)
