"""Mistakes with decisions: queues without members, exits that earlier decisions made dead, the same person again."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import Firm, day, right
from tests.dialplan.mistakes.kind import Kind, Mistake, at


def _first(firm: Firm, name: str, node: dict[str, Any]) -> None:
    """A node that calls pass before all others."""
    firm.client["nodes"][name] = node
    firm.client["start"] = name


def no_members(random: Random) -> Mistake | None:
    """A line in which nobody sits: a node leads there, or the fallback."""
    firm = right(random)
    queues = firm.folder.shared["queues"]["queues"]
    queues["evening"] = {"title": "Evening team", **random.choice([{}, {"members": []}])}
    nodes = firm.client["nodes"]
    lines = [name for name, node in nodes.items() if "queue" in node]
    if firm.chance(0.3) or not lines:
        firm.client["fallback"] = {"queue": "evening"}
        return Mistake(firm.folder, (at(firm.folder, "fallback", "queue"), at(firm.folder, "fallback")))
    name = random.choice(lines)
    nodes[name]["queue"]["name"] = "evening"
    return Mistake(firm.folder, (at(firm.folder, "nodes", name, "queue", "name"),))


def dead_list(random: Random) -> Mistake | None:
    """A list asked again of callers who were asked, in the node or in an earlier one."""
    firm = right(random)
    nodes = firm.client["nodes"]
    if "filter" not in nodes:
        return None
    caller = nodes["filter"]["caller"]
    after = caller["otherwise"]
    if firm.chance(0.5):
        known = firm.client["lists"]["vip"][0]
        firm.client["lists"]["clients"] = [known]
        caller.pop("otherwise")
        caller.update({"clients": "bye", "otherwise": after})
        return Mistake(firm.folder, (at(firm.folder, "nodes", "filter", "caller", "clients"),))
    # The same list again, further on.
    nodes["again"] = {"caller": {"unwanted": "bye", "otherwise": after}}
    caller["otherwise"] = "again"
    return Mistake(firm.folder, (at(firm.folder, "nodes", "again", "caller", "unwanted"),))


def dead_hours(random: Random) -> Mistake | None:
    """The same hours are asked twice on one way: one exit of the second is never taken."""
    firm = right(random)
    nodes = firm.client["nodes"]
    block = nodes["hours"]["opening_hours"]
    again = {key: value for key, value in block.items() if key == "hours"}
    way, dead = random.choice([("open", "closed"), ("closed", "open")])
    after = block[way]
    nodes["again"] = {"opening_hours": {**again, "open": after, "closed": after, dead: "bye"}}
    if way == "closed" and "holiday" in block:
        return None
    block[way] = "again"
    return Mistake(
        firm.folder,
        (
            at(firm.folder, "nodes", "again", "opening_hours", dead),
            at(firm.folder, "nodes", "again", "opening_hours"),
            at(firm.folder, "nodes", "again"),
        ),
    )


def dead_hours_within(random: Random) -> Mistake | None:
    """Hours that lie within other ones are asked where those are closed already: `open` is never taken."""
    firm = right(random)
    if "desk" not in firm.client["hours"]:
        return None
    firm.client["hours"] = {
        "wide": {"open": {"daily": "07:00-21:00"}},
        "desk": {"open": {"mon-fri": "09:00-17:00"}, "holidays": firm.place.holidays},
    }
    nodes = firm.client["nodes"]
    nodes["hours"]["opening_hours"]["hours"] = "wide"
    nodes["late"]["opening_hours"] = {
        "hours": "desk",
        "open": "word",
        "closed": nodes["late"]["opening_hours"]["closed"],
    }
    return Mistake(
        firm.folder,
        (at(firm.folder, "nodes", "late", "opening_hours", "open"), at(firm.folder, "nodes", "late")),
    )


def dead_condition(random: Random) -> Mistake | None:
    """A branch asks what an earlier one, on every way there, has answered."""
    firm = right(random)
    start = firm.client["start"]
    queue = firm.trade.queue
    kind = random.choice(["days", "share", "value", "unset", "within", "queue"])
    nodes = firm.client["nodes"]
    season = {"from": day(10), "to": day(40)}
    if kind in ("value", "unset"):
        if "file" not in nodes or "branch" not in nodes["which"]:
            return None
        which = nodes["which"]["branch"]
        one: dict[str, Any] = {"variable": "dossier", "starts_with": ["9"]}
        if kind == "unset":
            one = {"variable": "dossier", "is_set": "false"}
        nodes["again"] = {"branch": {"when": [{**one, "then": "bye"}], "otherwise": which["otherwise"]}}
        which["otherwise"] = "again"
        return Mistake(
            firm.folder, (at(firm.folder, "nodes", "again", "branch", "when", 0), at(firm.folder, "nodes", "again"))
        )
    pairs: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "days": (season, season),
        "share": ({"percentage": "20"}, {"percentage": "10"}),
        "within": (season, {"from": day(15), "to": day(20)}),
        "queue": ({"queue": queue, "agents": {"below": "2"}}, {"queue": queue, "agents": {"below": "1"}}),
    }
    first, second = pairs[kind]
    if kind == "queue":  # In one node: between two the line may change.
        _first(
            firm,
            "passing",
            {"branch": {"when": [{**first, "then": "word"}, {**second, "then": "bye"}], "otherwise": start}},
        )
        return Mistake(firm.folder, (at(firm.folder, "nodes", "passing", "branch", "when", 1),))
    nodes["again"] = {"branch": {"when": [{**second, "then": "bye"}], "otherwise": start}}
    _first(firm, "passing", {"branch": {"when": [{**first, "then": "word"}], "otherwise": "again"}})
    return Mistake(
        firm.folder, (at(firm.folder, "nodes", "again", "branch", "when", 0), at(firm.folder, "nodes", "again"))
    )


def same_person(random: Random) -> Mistake | None:
    """Somebody who has just been rung in vain is rung again at once."""
    firm = right(random)
    nodes, contacts = firm.client["nodes"], firm.client["contacts"]
    if "duty" not in nodes:
        return None
    dial = nodes["duty"]["dial"]
    dial["contacts"] = ["boss"]
    dial.pop("mode", None)
    firm.client["dialling"] = {"countries": ["FR"]}
    here = ("nodes", "duty", "dial")
    how = random.randrange(5)
    if how == 0:
        dial["contacts"] = random.choice([["boss", "boss"], ["second", "boss", "boss"]])
        return Mistake(firm.folder, (at(firm.folder, *here, "contacts", len(dial["contacts"]) - 1),))
    if how == 1:  # Two names, one telephone.
        contacts["mobile"] = {"name": "Le même", "number": contacts["boss"]["number"].replace(" ", ".")}
        dial["contacts"] = ["boss", "mobile"]
        return Mistake(firm.folder, (at(firm.folder, *here, "contacts", 1),))
    if how == 2:
        nodes["again"] = {"redirect": {"number": contacts["boss"]["number"], "failed": dial["no_answer"]}}
    else:
        again = ["boss"] if how == 3 else ["boss", "second"]
        nodes["again"] = {"dial": {"contacts": again, "screen": "true", "no_answer": dial["no_answer"]}}
    dial["no_answer"] = "again"
    first = ("number",) if how == 2 else ("contacts", 0)
    verb = "redirect" if how == 2 else "dial"
    return Mistake(firm.folder, (at(firm.folder, *here, "no_answer"), at(firm.folder, "nodes", "again", verb, *first)))


def same_person_at_once(random: Random) -> Mistake | None:
    """After all were rung at once, one of them is rung again; or one stands twice among them."""
    firm = right(random)
    nodes = firm.client["nodes"]
    if "duty" not in nodes:
        return None
    dial = nodes["duty"]["dial"]
    dial["mode"], dial["contacts"] = "at_once", ["boss", "second"]
    firm.client["dialling"] = {"countries": ["FR"]}
    if firm.chance(0.4):
        dial["contacts"] = ["boss", "second", "boss"]
        return Mistake(firm.folder, (at(firm.folder, "nodes", "duty", "dial", "contacts", 2),))
    nodes["again"] = {"dial": {"contacts": ["boss"], "screen": "true", "no_answer": dial["no_answer"]}}
    dial["no_answer"] = "again"
    return Mistake(
        firm.folder,
        (
            at(firm.folder, "nodes", "duty", "dial", "no_answer"),
            at(firm.folder, "nodes", "again", "dial", "contacts", 0),
        ),
    )


def no_number(random: Random) -> Mistake | None:
    """Callers without a number are refused, as if they had hidden it."""
    firm = right(random)
    caller = firm.client["nodes"].get("filter", {}).get("caller", {})
    if "unwanted" not in caller or "no_number" in caller:
        return None
    firm.client["lists"]["unwanted"].append(random.choice(["anonymous", "withheld", "unauthenticated", "unavailable"]))
    return Mistake(firm.folder, (at(firm.folder, "nodes", "filter", "caller", "unwanted"),))


KINDS = (
    Kind(name="queue without members", line=19, make=no_members),
    Kind(name="list that is asked too late", line=19, make=dead_list),
    Kind(name="hours asked again", line=19, make=dead_hours),
    Kind(name="hours within those asked before", line=19, make=dead_hours_within),
    Kind(name="condition answered before", line=19, make=dead_condition),
    Kind(name="callers without a number refused", line=19, make=no_number),
    Kind(name="same person twice in a row", line=19, make=same_person),
    Kind(name="same person after all at once", line=19, make=same_person_at_once),
)
