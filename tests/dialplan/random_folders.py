"""Random folders: several clients in two languages that share snippets, calendars and rotas, and lead to each other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.dialplan.random_trees import VARIABLES, VERBS, Verb, as_text, document, maybe, without_unreached

CLIENTS = ("acme", "beta", "gamma")
SPOKEN = {"say": {"fr": "Bonjour.", "en": "Hello."}}
BYE = {"sound": "bye"}

SHARED: dict[str, Any] = {
    "prompts": {"prompts": {"bye": {"fr": "Au revoir.", "en": "Goodbye."}}},
    "queues": {"queues": {"medical": {"members": ["agent-1"]}, "legal": {"members": ["agent-1"]}}},
    "agents": {"agents": {"agent-1": {"name": "Anne Martin"}}},
    "contacts": {
        "country": "FR",
        "contacts": {
            "doctor": {"number": "06 12 36 00 01"},
            "nurse": {"number": "06 12 36 00 02"},
            "crm": {"url": "https://crm.example/calls"},
            "office": {"email": "office@acme.example"},
        },
    },
    "lists": {"country": "FR", "lists": {"nuisance": ["0162*"], "known": ["06 12*"]}},
    "calendars": {
        "calendars": {"office": {"open": {"mon-fri": "09:00-17:00"}, "holidays": "FR-57"}},
        "rotas": {
            "duty": {
                "timezone": "Europe/Paris",
                "change": "mon 08:00",
                "cycle": ["doctor", "nurse"],
                "starting": "2026-01-05",
            },
            "winter": {"timezone": "Europe/Paris", "weeks": {"2026-W01": "doctor", "2026-W02": "nurse"}},
        },
    },
}

SNIPPETS: dict[str, Any] = {
    "word": {
        "parameters": {"after": "node"},
        "start": "ask",
        "nodes": {
            "ask": {"message": {"prompt": BYE, "deliver": "office", "done": "$after", "empty": "again"}},
            "again": {"play": {"prompt": BYE, "next": "$after"}},
        },
    },
    "offer": {
        "parameters": {"after": "node", "else": "node"},
        "start": "known",
        "nodes": {
            "known": {"caller": {"vip": "offer", "unwanted": "bye", "otherwise": "offer"}},
            "offer": {"callback": {"done": "$after", "declined": "word", "no_input": "$else", "no_match": "$else"}},
            "word": {"include": {"snippet": "word", "with": {"after": "$after"}}},
            "bye": {"reject": {}},
        },
    },
    "ask": {
        "parameters": {"yes": "node", "no": "node", "variable": "text"},
        "start": "choose",
        "nodes": {
            "choose": {
                "menu": {"prompt": BYE, "keys": {"1": "number", "2": "choose"}, "no_input": "$no", "no_match": "$no"}
            },
            "number": {
                "collect_digits": {
                    "prompt": BYE,
                    "variable": "$variable",
                    "min": 1,
                    "max": 3,
                    "next": "which",
                    "no_input": "$no",
                    "no_match": "$no",
                }
            },
            "which": {
                "branch": {
                    "when": [
                        {"variable": "$variable", "starts_with": "7", "then": "$no"},
                        {"queue": "medical", "waiting": {"above": 3}, "then": "word"},
                    ],
                    "otherwise": "$yes",
                }
            },
            "word": {"message": {"done": "$no"}},
        },
    },
    "put_through": {
        "parameters": {"queue": "queue", "after": "node"},
        "start": "line",
        "nodes": {
            "line": {"queue": {"name": "$queue", "max_wait": "1m", "overflow": "person", "done": "told"}},
            "person": {"dial": {"contacts": ["duty"], "no_answer": "outside", "done": "$after"}},
            "outside": {"redirect": {"number": "06 12 36 00 01", "failed": "told"}},
            "told": {"notify": {"contact": "crm", "next": "$after"}},
        },
    },
    "spoken": {
        "parameters": {"after": "node", "language": "text"},
        "start": "set",
        "nodes": {
            "set": {"set": {"language": "$language", "next": "word"}},
            "word": {"include": {"snippet": "word", "with": {"after": "$after"}}},
        },
    },
    "look": {
        "parameters": {"found": "node", "lost": "node", "variable": "text"},
        "start": "ask",
        "nodes": {
            "ask": {
                "lookup": {
                    "url": "https://crm.example/x",
                    "fields": {"$variable": "x"},
                    "next": "tell",
                    "failed": "$lost",
                }
            },
            "tell": {"play": {"prompt": [BYE, {"digits": "$variable"}], "next": "hours"}},
            "hours": {"opening_hours": {"open": "$found", "closed": "$lost", "holiday": "$lost"}},
        },
    },
}


def _include(random: Random, to: Callable[[], str], _: object) -> dict[str, Any]:
    return random.choice(
        [
            {"snippet": "word", "with": {"after": to()}},
            {"snippet": "offer", "with": {"after": to(), "else": to()}},
            {"snippet": "ask", "with": {"yes": to(), "no": to(), "variable": random.choice(VARIABLES)}},
            {"snippet": "put_through", "with": {"queue": random.choice(["medical", "legal"]), "after": to()}},
            {"snippet": "spoken", "with": {"after": to(), "language": random.choice(["fr", "en"])}},
            {"snippet": "look", "with": {"found": to(), "lost": to(), "variable": random.choice(VARIABLES)}},
        ]
    )


def _bilingual(verb: Verb) -> Verb:
    return lambda random, to, retry: {**verb(random, to, retry), "prompt": SPOKEN}


_VERBS: dict[str, Verb] = {
    **{verb: VERBS[verb] for verb in ("opening_hours", "caller", "branch", "queue", "message", "callback", "lookup")},
    **{verb: VERBS[verb] for verb in ("form", "notify", "reject", "hangup")},
    **{verb: _bilingual(VERBS[verb]) for verb in ("play", "menu", "collect_digits")},
    "include": _include,
    "set": lambda random, to, retry: {"language": random.choice(["fr", "en"]), "next": to()},
    "redirect": lambda random, to, retry: (
        {"client": random.choice(CLIENTS)} if random.random() < 0.7 else VERBS["redirect"](random, to, retry)
    ),
    "dial": lambda random, to, retry: {
        "contacts": random.choice([["doctor"], ["duty"], ["winter"], ["duty", "winter"]]),
        "no_answer": to(),
        **maybe(random, "done", to),
    },
}


def client(random: Random, name: str, number: str) -> dict[str, Any]:
    """A client's document; its variables are set before anything reads them."""
    found = document(random, _VERBS, forward=0.99, often=("include",) * 6)
    first = {"set": {"variables": {"dossier": "1234", "postcode": "75011"}, "next": found["start"]}}
    found |= {"client": name, "numbers": [number], "languages": ["fr", "en"], "start": "first"}
    found["nodes"] = {"first": first, **found["nodes"]}
    for node in found["nodes"].values():
        for condition in node.get("branch", {}).get("when", ()):
            if "did" in condition:
                condition["did"] = number
    if random.random() < 0.7:
        found["fallback"] = {"queue": "medical"}
    if random.random() < 0.3:
        found["hours"] = {"calendar": "office"}
    return without_unreached(found)


def write_folder(random: Random, place: Path, *, careless: bool) -> None:
    """Three clients and what they share; `careless`: with one target of a snippet misspelt."""
    snippets = misspelt(SNIPPETS, random) if careless else SNIPPETS
    (place / "shared").mkdir()
    for name, found in {**SHARED, "snippets": {"snippets": snippets}}.items():
        _write(place / "shared" / f"{name}.yaml", found)
    for index, name in enumerate(CLIENTS):
        _write(place / f"{name}.yaml", client(random, name, f"01 99 00 00 9{index}"))


def _write(path: Path, found: Any) -> None:
    path.write_text(yaml.dump(as_text(found), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True))


def misspelt(snippets: dict[str, Any], random: Random) -> dict[str, Any]:
    """The snippets with one text that names a node changed."""
    found: dict[str, Any] = copy.deepcopy(snippets)
    block = found[random.choice(list(found))]
    named = {*block["nodes"], *(f"${name}" for name in block["parameters"])}
    places = [(where, key) for where, key in _places(block["nodes"]) if where[key] in named]
    where, key = random.choice(places)
    where[key] = random.choice(
        [f"{where[key]}s", where[key].removeprefix("$"), f"{where[key]}-$queue", random.choice(list(named))]
    )
    return found


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a text."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(inside):
        if isinstance(inner, str):
            yield value, key
        else:
            yield from _places(inner)
