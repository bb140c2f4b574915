"""Mistakes with what callers hear who wait, and with who goes first."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.kind import Kind, Mistake, at


def _line(random: Random) -> tuple[Firm, dict[str, Any]]:
    """A right firm, and its desk's line."""
    firm = right(random)
    return firm, firm.client["nodes"]["desk"]["queue"]


def bad_interval(random: Random) -> Mistake | None:
    """`every: 5s`, `every: 300ms`, or longer than anybody waits."""
    firm, line = _line(random)
    key = random.choice(["announce", "comfort"])
    block = line.setdefault(key, {} if key == "announce" else {"messages": ["Merci."]})
    block["every"] = random.choice(["5s", "3s", "9s", "300ms", "10m", "30m"])
    return Mistake(firm.folder, (at(firm.folder, "nodes", "desk", "queue", key, "every"),))


def long_message(random: Random) -> Mistake | None:
    """A message that is nearly as long as the pause between two."""
    firm, line = _line(random)
    words = " ".join(["Tous nos conseillers sont en ligne, merci de bien vouloir patienter."] * random.randint(3, 5))
    languages = firm.languages
    message: Any = words if len(languages) == 1 else {"say": dict.fromkeys(languages, words)}
    line["comfort"] = {"messages": [message], "every": random.choice(["10s", "12s", "15s"])}
    return Mistake(firm.folder, (at(firm.folder, "nodes", "desk", "queue", "comfort", "every"),))


def unknown_list(random: Random) -> Mistake | None:
    """A priority for a list that nobody has written."""
    firm, line = _line(random)
    name = random.choice(["vips", "gold", "good_payers", "premium"])
    line["priority_of"] = {name: "5"}
    return Mistake(firm.folder, (at(firm.folder, "nodes", "desk", "queue", "priority_of", name),))


def useless_rise(random: Random) -> Mistake | None:
    """A priority that rises to what it is, or after everybody has gone."""
    firm, line = _line(random)
    line.pop("priority_of", None)
    if random.random() < 0.5:
        line["priority"] = "10"
        line["rises"] = {"after": "30s", "to": random.choice(["5", "10", "1"])}
        return Mistake(firm.folder, (at(firm.folder, "nodes", "desk", "queue", "rises", "to"),))
    line["rises"] = {"after": random.choice(["10m", "1h"]), "to": "50"}
    return Mistake(firm.folder, (at(firm.folder, "nodes", "desk", "queue", "rises", "after"),))


def odd_priority(random: Random) -> Mistake | None:
    """`-1`, `high`, `5000`."""
    firm, line = _line(random)
    line["priority"] = random.choice(["-1", "high", "5000", "1.5", "100000"])
    return Mistake(firm.folder, (at(firm.folder, "nodes", "desk", "queue", "priority"),))


KINDS = (
    Kind(name="interval of what callers hear who wait", line=10, make=bad_interval),
    Kind(name="message as long as the pause", line=10, make=long_message),
    Kind(name="priority of an unknown list", line=10, make=unknown_list),
    Kind(name="priority that rises for nobody", line=10, make=useless_rise),
    Kind(name="priority out of range", line=10, make=odd_priority),
)
