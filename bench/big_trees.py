"""One large client, as a hospital's switchboard would be, and the same after an afternoon of edits.

Everything follows from a seed, so that a run can be repeated. A department has some twenty nodes: hours, a choice, a
number that is keyed and looked up, a look at its queue, people who are rung, a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from bench.clients import SHARED

Nodes = dict[str, dict[str, Any]]

QUEUES = ("medical", "legal", "trades", "shop")
PEOPLE = ("duty", "duty_2", "owner", "assistant")
PATIENCE = {"retry": 1, "then": "operator"}
AFTER_WRONG_KEYS = {"retry": 2, "then": "operator"}


def tree(departments: int, seed: int) -> dict[str, Any]:
    """A client's document: at the top a choice of departments, nine at most at one menu."""
    random = Random(seed)
    nodes: Nodes = {
        "filter": {
            "caller": {"vip": "priority", "partners": "operator", "unwanted": "refuse", "otherwise": "greeting"}
        },
        "greeting": {"play": {"prompt": "Bienvenue.", "next": "choice_0"}},
    }
    for first in range(0, departments, 8):
        inside = range(first, min(first + 8, departments))
        keys = {str(place): f"d{number}_hours" for place, number in enumerate(inside, 1)}
        if first + 8 < departments:
            keys["9"] = f"choice_{first + 8}"
        nodes[f"choice_{first}"] = _menu("Choisissez un service.", keys)
    for number in range(departments):
        nodes |= _department(number, random)
    nodes |= {
        "operator": {"queue": {"name": "medical", "max_wait": "3m", "overflow": "all_busy"}},
        "priority": {"queue": {"name": "medical", "priority": "5", "max_wait": "3m", "overflow": "vip_dial"}},
        "vip_dial": {"dial": {"contacts": ["owner", "assistant"], "mode": "at_once", "no_answer": "take_message"}},
        "all_busy": {"play": {"prompt": "Toutes nos lignes sont occupées.", "next": "take_message"}},
        "take_message": {
            "message": {"prompt": "Parlez après le bip.", "deliver": "mail", "done": "bye", "empty": "bye"}
        },
        "refuse": {"reject": {"cause": "rejected"}},
        "bye": {"hangup": {"prompt": "Au revoir."}},
    }
    return {
        "client": "hospital",
        "numbers": ["01 99 00 00 10"],
        "timezone": "Europe/Paris",
        "language": "fr",
        "hours": {
            "day": {"open": {"mon-fri": "08:00-18:00"}, "holidays": "FR"},
            "long": {"open": {"mon-sat": "07:00-20:00"}, "holidays": "FR"},
        },
        "lists": {"vip": ["06 12 34 00 07"], "partners": ["01 98 00*"], "unwanted": ["08*"]},
        "contacts": {
            "owner": {"number": "06 12 36 00 01"},
            "assistant": {"number": "06 12 37 00 01"},
            "mail": {"email": "contact@hospital.example"},
        },
        "fallback": {"queue": "medical"},
        "start": "filter",
        "nodes": nodes,
    }


def _menu(prompt: str, keys: dict[str, str]) -> dict[str, Any]:
    return {"menu": {"prompt": prompt, "keys": keys, "no_input": PATIENCE, "no_match": AFTER_WRONG_KEYS}}


def _department(number: int, random: Random) -> Nodes:
    d = f"d{number}_"
    queue, other = random.sample(QUEUES, 2)
    who, deputy = random.sample(PEOPLE, 2)
    return {
        f"{d}hours": {
            "opening_hours": {"hours": random.choice(["day", "long"]), "open": f"{d}welcome", "closed": f"{d}closed"}
        },
        f"{d}welcome": {"play": {"prompt": f"Service {number}.", "next": f"{d}menu"}},
        f"{d}menu": _menu(
            f"Service {number} : un rendez-vous, un dossier, une urgence, un renseignement.",
            {"1": f"{d}stands", "2": f"{d}file", "3": f"{d}urgent", "4": f"{d}subject"},
        ),
        f"{d}stands": {
            "branch": {
                "when": [
                    {"queue": queue, "agents": {"below": "1"}, "then": f"{d}other"},
                    {"queue": queue, "waiting": {"at_least": str(3 + number % 4)}, "then": f"{d}offer"},
                ],
                "otherwise": f"{d}queue",
            }
        },
        f"{d}queue": {"queue": {"name": queue, "max_wait": "2m", "overflow": f"{d}busy"}},
        f"{d}other": {"queue": {"name": other, "max_wait": "1m", "overflow": f"{d}busy"}},
        f"{d}offer": {
            "callback": {
                "prompt": "Nous pouvons vous rappeler.",
                "done": "bye",
                "declined": f"{d}queue",
                "no_input": {"retry": 0, "then": f"{d}queue"},
                "no_match": {"retry": 0, "then": f"{d}queue"},
            }
        },
        f"{d}busy": {"play": {"prompt": f"Le service {number} est occupé.", "next": f"{d}message"}},
        f"{d}message": {
            "message": {"prompt": "Laissez un message.", "deliver": "mail", "done": "bye", "empty": f"{d}silent"}
        },
        f"{d}silent": {"play": {"prompt": "Nous n'avons rien entendu.", "next": "bye"}},
        f"{d}file": {
            "collect_digits": {
                "prompt": "Votre numéro de dossier.",
                "variable": "file",
                "min": "4",
                "max": "8",
                "next": f"{d}known",
                "no_input": {"retry": 1, "then": f"{d}stands"},
                "no_match": {"retry": 1, "then": f"{d}stands"},
            }
        },
        f"{d}known": {
            "branch": {
                "when": [{"variable": "file", "starts_with": str(10 + number), "then": f"{d}doctor"}],
                "otherwise": f"{d}ask",
            }
        },
        f"{d}ask": {
            "lookup": {
                "url": "https://crm.example/files/{file}",
                "fields": {"rank": "rank"},
                "next": f"{d}rank",
                "failed": f"{d}stands",
            }
        },
        f"{d}rank": {
            "branch": {
                "when": [
                    {"variable": "rank", "equals": ["gold"], "then": f"{d}doctor"},
                    {"variable": "rank", "number": {"at_least": str(10 + number % 3)}, "then": f"{d}other"},
                ],
                "otherwise": f"{d}stands",
            }
        },
        f"{d}doctor": {"dial": {"contacts": [who, deputy], "ring": "20s", "no_answer": f"{d}message"}},
        f"{d}urgent": {"dial": {"contacts": [who], "ring": "25s", "no_answer": f"{d}urgent_queue"}},
        f"{d}urgent_queue": {"queue": {"name": queue, "priority": "10", "max_wait": "1m", "overflow": f"{d}doctor"}},
        f"{d}subject": _menu("Facture ou papiers ?", {"1": f"{d}bill", "2": f"{d}papers"}),
        f"{d}bill": {"play": {"prompt": "Les factures.", "next": f"{d}other"}},
        f"{d}papers": {"play": {"prompt": "Les papiers.", "next": f"{d}message"}},
        f"{d}closed": {"play": {"prompt": f"Le service {number} est fermé.", "next": f"{d}night"}},
        f"{d}night": _menu("Une urgence, ou un message.", {"1": f"{d}urgent", "2": f"{d}message"}),
    }


def edited(found: dict[str, Any], edits: int, seed: int) -> dict[str, Any]:
    """The same document after so many edits."""
    random = Random(seed)
    found = json.loads(json.dumps(found))  # a copy of which no part is shared
    done = 0
    while done < edits:
        done += random.choice(EDITS)(found, random)
    return {**found, "nodes": _reached(found["nodes"], found["start"])}


def _reached(nodes: Nodes, start: str) -> Nodes:
    """The nodes that something still leads to: others would be refused."""
    waiting, reached = [start], {start}
    for name in waiting:
        ways = {text for text in _texts(nodes[name]) if text in nodes} - reached
        reached |= ways
        waiting += ways
    return {name: node for name, node in nodes.items() if name in reached}


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def _of(found: dict[str, Any], random: Random, *verbs: str) -> dict[str, Any]:
    """What some node of these verbs holds."""
    blocks = [node[verb] for node in found["nodes"].values() for verb in verbs if verb in node]
    return random.choice(blocks)


def _a_text(found: dict[str, Any], random: Random) -> bool:
    block = _of(found, random, "play", "menu")
    block["prompt"] = block["prompt"] + " Merci."
    return True


def _a_target(found: dict[str, Any], random: Random) -> bool:
    """A way on leads to another queue, message or person."""
    block = _of(found, random, "play", "queue", "dial", "branch", "lookup")
    name = next(name for name, node in found["nodes"].items() if block in node.values())
    key = random.choice([key for key in ("next", "overflow", "no_answer", "otherwise", "failed") if key in block])
    number = random.randrange(sum(node.endswith("_hours") for node in found["nodes"]))
    department = name.partition("_")[0] if name.startswith("d") and random.random() < 0.5 else f"d{number}"
    ends = ["take_message", "operator", f"{department}_message", f"{department}_busy"]
    if block is not found["nodes"].get("operator", {}).get("queue"):
        ends.append(f"{department}_urgent_queue" if "_queue" not in name and "_doctor" not in name else "all_busy")
    if name in ("all_busy", "take_message", "vip_dial", "operator", "priority", "greeting") or name.endswith(
        ("_busy", "_silent")
    ):
        return False
    block[key] = random.choice(ends)
    return True


def _a_key(found: dict[str, Any], random: Random) -> bool:
    keys = _of(found, random, "menu")["keys"]
    one, other = random.sample(sorted(keys), 2)
    keys[one], keys[other] = keys[other], keys[one]
    return True


def _a_wait(found: dict[str, Any], random: Random) -> bool:
    _of(found, random, "queue")["max_wait"] = f"{random.randint(1, 9)}m"
    return True


def _a_queue(found: dict[str, Any], random: Random) -> bool:
    _of(found, random, "queue")["name"] = random.choice(QUEUES)
    return True


def _who_is_rung(found: dict[str, Any], random: Random) -> bool:
    _of(found, random, "dial")["contacts"] = random.sample(PEOPLE, random.randint(1, 2))
    return True


def _a_bound(found: dict[str, Any], random: Random) -> bool:
    for condition in _of(found, random, "branch")["when"]:
        for measure in ("waiting", "number"):
            if measure in condition:
                condition[measure] = {"at_least": str(random.randint(2, 14))}
                return True
    return False


def _the_hours(found: dict[str, Any], random: Random) -> bool:
    found["hours"]["day"]["open"]["mon-fri"] = f"0{random.randint(7, 9)}:30-1{random.randint(6, 8)}:00"
    return True


def _a_list(found: dict[str, Any], random: Random) -> bool:
    found["lists"]["vip"].append(f"06 55 55 00 {random.randint(10, 99)}")
    return True


EDITS: tuple[Callable[[dict[str, Any], Random], bool], ...] = (
    *[_a_target] * 3,
    *[_a_text] * 2,
    *(_a_key, _a_wait, _a_queue, _who_is_rung, _a_bound, _the_hours, _a_list),
)
"""Each changes a document; False where what it chose cannot be changed."""


def write_tree(folder: Path, found: dict[str, Any]) -> Path:
    """Write a document and the shared files into a folder."""
    (folder / "shared").mkdir(parents=True, exist_ok=True)
    for name, text in SHARED.items():
        (folder / "shared" / name).write_text(text, encoding="utf-8")
    file = folder / "hospital.yaml"
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    return file
