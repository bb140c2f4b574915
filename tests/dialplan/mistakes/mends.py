"""What `check` advises, applied: the file must pass then, and mean what its author meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from callrouter.core.plan import Plan
from callrouter.dialplan.issues import Issue, errors
from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.folders import Path, judge
from tests.dialplan.mistakes.places import FRANCE


@dataclass(frozen=True)
class Mended:
    """A mistake for which a mend is offered."""

    firm: Firm
    holder: Any
    """What holds the value."""
    key: Any
    means: Callable[[Plan], bool]
    """Whether a plan means what was meant."""
    path: Path


Make = Callable[[Random], Mended]
Apply = Callable[[Mended, Issue], None]


@dataclass(frozen=True, kw_only=True)
class Mend:
    """A mistake, and how the sentence of its issue is followed by somebody who does what it says and no more."""

    name: str
    make: Make
    apply: Apply


def write(mended: Mended, issue: Issue) -> None:
    """What the sentence says to write."""
    advised = re.search(r"write (?:a list, )?(\[.*\]|\"[^\"]+\")", issue.message)
    assert advised, issue.message
    value = advised[1]
    mended.holder[mended.key] = re.findall(r'"([^"]+)"', value) if value.startswith("[") else value.strip('"')


def rename(mended: Mended, issue: Issue) -> None:
    """The name that was probably meant."""
    assert issue.suggestion, issue.message
    mended.holder[issue.suggestion] = mended.holder.pop(mended.key)


def allow(mended: Mended, issue: Issue) -> None:
    """The country or the beginning that is to be allowed."""
    advised = re.search(r"add (it|[A-Z]{2}) to dialling\.(countries|prefixes)", issue.message)
    assert advised, issue.message
    what = advised[1]
    if what == "it":
        found = re.search(r"\+[0-9]+", issue.message)
        assert found
        what = found[0]
    mended.firm.client.setdefault("dialling", {}).setdefault(advised[2], []).append(what)


def _share(random: Random) -> Mended:
    firm = right(random)
    written, meant = random.choice(
        [("0.85", 0.85), ("0.9", 0.9), ("85", 0.85), ("0.8", 0.8), ("90", 0.9), ("1.0", 1.0)]
    )
    firm.client["service_level"] = {"within": "20s", "target": written}
    level = firm.client["service_level"]
    return Mended(
        firm, level, "target", lambda plan: abs(plan.service_level.target - meant) < 1e-9, ("service_level", "target")
    )


def _ranges(random: Random) -> Mended:
    firm = right(random)
    joined = random.choice([",", ", ", " et ", " / ", ";", " and "])
    morning, evening = random.choice([("08:00-12:00", "14:00-18:00"), ("09:00-12:30", "13:30-17:00")])
    firm.client["hours"] = {"open": {"mon-fri": f"{morning}{joined}{evening}"}, "holidays": firm.place.holidays}
    _one_set(firm)
    week = firm.client["hours"]["open"]

    def meant(plan: Plan) -> bool:
        hours = plan.schedules["open"].week[0]
        return [f"{one.start:%H:%M}-{one.end:%H:%M}" for one in hours if one.end] == [morning, evening]

    return Mended(firm, week, "mon-fri", meant, ("hours", "open", "mon-fri"))


def _clock(random: Random) -> Mended:
    firm = right(random)
    written, meant_as = random.choice(
        [
            ("8h30-12h", "08:30-12:00"),
            ("9h-17h30", "09:00-17:30"),
            ("8.30-18.00", "08:30-18:00"),
            ("9-17", "09:00-17:00"),
        ]
    )
    firm.client["hours"] = {"open": {"mon-fri": written}, "holidays": firm.place.holidays}
    _one_set(firm)

    def meant(plan: Plan) -> bool:
        (one,) = plan.schedules["open"].week[0]
        return one.end is not None and f"{one.start:%H:%M}-{one.end:%H:%M}" == meant_as

    return Mended(firm, firm.client["hours"]["open"], "mon-fri", meant, ("hours", "open", "mon-fri"))


def _one_set(firm: Firm) -> None:
    nodes = firm.client["nodes"]
    nodes["hours"]["opening_hours"].pop("hours", None)
    if "late" in nodes:
        nodes["hours"]["opening_hours"]["closed"] = nodes.pop("late")["opening_hours"]["closed"]
        for name in [name for name in nodes if name == "word" and not _leads_to(nodes, name)]:
            nodes.pop(name)


def _leads_to(nodes: dict[str, Any], name: str) -> bool:
    return f"'{name}'" in str({key: value for key, value in nodes.items() if key != name})


VERBS = {"message": "mesage", "queue": "queu", "hangup": "hangupp", "opening_hours": "opening_hour", "menu": "menue"}


def _verb(random: Random) -> Mended:
    while True:
        firm = right(random)
        nodes = firm.client["nodes"]
        fitting = [(name, verb) for name, node in nodes.items() for verb in node if verb in VERBS]
        if fitting:
            name, verb = random.choice(fitting)
            nodes[name] = {VERBS[verb]: nodes[name][verb]}
            return Mended(firm, nodes[name], VERBS[verb], _has_verb(name, verb), ("nodes", name, VERBS[verb]))


def _has_verb(name: str, verb: str) -> Callable[[Plan], bool]:
    return lambda plan: plan.nodes[name].kind == verb


def _foreign(random: Random) -> Mended:
    """A number of a neighbour country, right as it is, that may not be dialled yet."""
    firm = right(random, random.choice(FRANCE))
    number, meant = random.choice(
        [
            ("+32 470 12 34 56", "+32470123456"),
            ("+41 79 123 45 67", "+41791234567"),
            ("+44 20 7946 0041", "+442079460041"),
            ("0049 30 123456", "+4930123456"),
            ("+377 93 12 34 56", "+37793123456"),
        ]
    )
    nodes = firm.client["nodes"]
    following = firm.client["start"]
    firm.client.pop("dialling", None)
    for node in nodes.values():
        if "dial" in node:
            firm.client["dialling"] = {"countries": ["FR"]}
    nodes["abroad"] = {"redirect": {"number": number, "failed": following}}
    firm.client["start"] = "abroad"
    return Mended(
        firm,
        nodes["abroad"]["redirect"],
        "number",
        lambda plan: getattr(plan.nodes["abroad"], "number", "") == meant,
        ("nodes", "abroad", "redirect", "number"),
    )


def _day(random: Random) -> Mended:
    firm = right(random)
    written, meant = random.choice(
        [("24/12/2026", "2026-12-24"), ("31.12.2026", "2026-12-31"), ("2-1-2027", "2027-01-02")]
    )
    firm.client["hours"] = {"open": {"mon-fri": "09:00-17:00"}, "holidays": firm.place.holidays, "closed": [written]}
    _one_set(firm)
    return Mended(
        firm,
        firm.client["hours"]["closed"],
        0,
        lambda plan: [one.first.isoformat() for one in plan.schedules["open"].exceptions] == [meant],
        ("hours", "closed", 0),
    )


MENDS = (
    Mend(name="0.85", make=_share, apply=write),
    Mend(name="two ranges in one text", make=_ranges, apply=write),
    Mend(name="hours as people say them", make=_clock, apply=write),
    Mend(name="day as people write it", make=_day, apply=write),
    Mend(name="verb misspelt", make=_verb, apply=rename),
    Mend(name="foreign number that may not be dialled", make=_foreign, apply=allow),
)


def holds(mend: Mend, random: Random) -> str:
    """What is wrong after the mend, or with it; empty when the file passes and means what was meant."""
    mended = mend.make(random)
    before = judge(mended.firm.folder)
    line = before.line(mended.firm.folder.file, mended.path)
    wrong = [issue for issue in errors(before.issues) if issue.line == line]
    if not wrong:
        return f"not found: {[*map(str, before.issues)]}"
    mend.apply(mended, wrong[0])
    after = judge(mended.firm.folder)
    if found := errors(after.issues):
        return f"{wrong[0]}, and after its mend: {found[0]}"
    plan = after.plans[mended.firm.folder.file]
    return "" if mended.means(plan) else f"{wrong[0]}: its mend means something else"
