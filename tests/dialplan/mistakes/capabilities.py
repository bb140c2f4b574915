"""What right trees use of the language: each by how it is told from a firm's documents.

Another capability is a line here, and one in `firms` that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.dialplan.mistakes.firms import Firm


def _verb(name: str) -> Callable[[Firm], bool]:
    return lambda firm: any(name in node for node in firm.client["nodes"].values())


def _anywhere(test: Callable[[str, Any], bool]) -> Callable[[Firm], bool]:
    """Whether any key of the client's document, with its value, is such a one."""

    def of(value: object) -> bool:
        if isinstance(value, dict):
            return any(test(str(key), inner) or of(inner) for key, inner in value.items())
        return any(of(inner) for inner in value) if isinstance(value, list) else False

    return lambda firm: of(firm.client)


def _day_keys(firm: Firm) -> list[str]:
    """Where the keys of the day's menu lead."""
    return [*firm.client["nodes"].get("welcome", {}).get("menu", {}).get("keys", {}).values()]


CAPABILITIES: Mapping[str, Callable[[Firm], bool]] = {
    "season": _anywhere(lambda key, value: key == "from"),
    "season of every year": _anywhere(lambda key, value: key == "dates"),
    "closing of every year": _anywhere(lambda key, value: key == "closed" and len(value[0].partition("..")[0]) == 5),
    "value in a sentence": _anywhere(lambda key, value: key in ("say", "prompt") and "{dossier}" in str(value)),
    "rota": _anywhere(
        lambda key, value: key == "contacts" and isinstance(value, list) and value[0] in ("on-duty", "weekly")
    ),
    "rota of days, nights and week-ends": _anywhere(lambda key, value: key == "contacts" and value == ["shifts"]),
    "several languages": lambda firm: len(firm.languages) > 1,
    "several numbers": lambda firm: len(firm.client["numbers"]) > 1,
    "shared calendar": _anywhere(lambda key, value: key == "calendar"),
    "shared list": _anywhere(lambda key, value: key == "nuisance"),
    "callers without a number": _anywhere(lambda key, value: key == "no_number"),
    "identity": lambda firm: "identity" in firm.client,
    "number dialled": _anywhere(lambda key, value: key == "did"),
    "several sets of hours": lambda firm: "desk" in firm.client["hours"],
    "holiday exit": _anywhere(lambda key, value: key == "holiday"),
    "lists of callers": _verb("caller"),
    "snippet": _verb("include"),
    "web service": _verb("lookup"),
    "callback": _verb("callback"),
    "callers told their place": _anywhere(lambda key, value: key == "announce"),
    "messages to those who wait": _anywhere(lambda key, value: key == "comfort"),
    "priority that rises": _anywhere(lambda key, value: key == "rises"),
    "key that leaves a line": _anywhere(lambda key, value: key == "queue" and "keys" in value),
    "queue looked at": _anywhere(lambda key, value: key == "agents"),
    "agents preferred": lambda firm: any("prefer" in one for one in firm.client.get("agents", {}).values()),
    "agents never wanted": lambda firm: any("never" in one for one in firm.client.get("agents", {}).values()),
    "number in two lists": lambda firm: "partners" in firm.client.get("lists", {}),
    "emergency": lambda firm: "emergency" in firm.client,
    "emergency at night only": lambda firm: "emergency" in firm.client and "duty" not in _day_keys(firm),
    "overseas": lambda firm: firm.place.country in ("RE", "YT", "GP", "MQ"),
    "abroad": lambda firm: firm.place.country in ("GB", "BE", "CH", "CA"),
}
