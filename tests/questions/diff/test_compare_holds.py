"""Whatever is told of two trees is true of rehearsed calls, and whoever comes to another end is told of."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core.call import Call
from callrouter.core.effects import Effect
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import DialNode
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED
from callrouter.questions.decisions import (
    DRAW,
    KEYS,
    MESSAGE,
    NO_ANSWER,
    OTHER,
    SILENT,
    SPEAKS,
    TIMEOUT,
    UNSEEN,
    WRONG,
    Decided,
    Decision,
    Decisions,
    Option,
    words_of,
)
from callrouter.questions.diff.compare import Compared, Difference, compare
from callrouter.questions.diff.experience import UNSERVED, ended
from callrouter.questions.examples import Distinctions
from callrouter.questions.occasions import calendar, caller_kinds, moment
from callrouter.questions.rehearsal import Cast, Script, rehearse

FOLDERS = {
    "clinic": Path(__file__).parents[2] / "dialplan" / "full_language",
    **dict.fromkeys(("cabinet-moreau", "plomberie-garnier", "brighton-books"), Path(__file__).parents[3] / "dialplans"),
}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CALLERS = 150
"""Callers who do something at random, for each pair of trees."""

LOOKUPS: tuple[Decided, ...] = (
    {Decision("lookup", ANYBODY): FAILED},
    {},
    {Decision("answer", "rank"): "gold"},
    {Decision("answer", "rank"): "10"},
)
"""What web services do."""

HARD = ('"A survey follows." } }, next: standing',)
"""After which callers can go more ways than are looked at: it is said so."""

EDITS = [
    ("cabinet-moreau", "contacts: [on_call, doctor]", "contacts: [doctor]"),
    ("cabinet-moreau", 'sat: "09:00-12:00"', 'sat: "09:00-13:00"'),
    ("cabinet-moreau", 'vip: ["06 12 34 00 07"]', 'vip: ["06 12 34 00 08"]'),
    ("plomberie-garnier", '"75012"]', '"75013"]'),
    ("brighton-books", '"3": warehouse, "4": returns', '"4": warehouse, "3": returns'),
    ("clinic", '"{rank}" }, next: people }', '"{rank}" }, next: second }'),
    ("clinic", "waiting: { at_least: 3, at_most: 6 }", "waiting: { at_least: 4, at_most: 6 }"),
    ("clinic", '"1": season, "2": english', '"1": season, "4": desk, "2": english'),
    ("clinic", "declined: word", "declined: second"),
    ("clinic", "contacts: [on_call, matron]", "contacts: [matron, on_call]"),
    ("clinic", '"A survey follows." } }, next: file', '"A survey follows." } }, next: standing'),
]


class Caller(Cast):
    """One who answers a question that is asked again as before."""

    def __init__(self, plan: Plan, answers: tuple[str, ...], script: Script) -> None:
        super().__init__(script)
        self._decisions = Decisions(plan)
        self._answers = list(answers)
        self._last: tuple[str, tuple[Option, ...], str] = ("", (), "")

    def decide(self, call: Call, wait: Effect, decision: Decision) -> Option:
        """The next answer, where keys are asked for; all else by the script."""
        if decision != KEYS:
            return super().decide(call, wait, decision)
        options = tuple(self._decisions.options(call, wait, decision))
        if not (call.memory and self._last[:2] == (call.node, options)):
            answer = self._answers.pop(0) if self._answers else ""
            self._last = (call.node, options, answer)
        return self._last[2]


def _plan(client: str, folder: Path, old: str = "", new: str = "") -> Plan:
    shutil.copytree(FOLDERS[client], folder, symlinks=True)
    file = folder / f"{client}.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new) if old else file.read_text())
    return load_directory(folder, PaperSpeech(), now=NOW).plans[client]


def _end(plan: Plan, offered: CallOffered, answers: tuple[str, ...], decided: Decided) -> str:
    return ended(plan, rehearse(plan, offered, Caller(plan, answers, Script(decided=decided))).call)


def _way(one: Difference, told_apart: Distinctions) -> tuple[tuple[str, ...], Decided, str]:
    """What a caller keys who goes the way that is told, what is decided besides, and the draw."""
    decided: dict[Decision, Option] = {}
    call_id = ""
    for taken in one.others:
        option = taken.options[0]
        if taken.decision == DRAW:
            call_id = option
        elif taken.decision.kind == "look":
            looks: tuple[Option, ...] = (*told_apart.standings(taken.decision.of), UNSEEN)
            decided[taken.decision] = next(look for look in looks if words_of(look) == option)
        else:
            decided[taken.decision] = option
    return tuple(taken.options[0] for taken in one.keys), decided, call_id


@pytest.mark.parametrize(("client", "before", "after"), EDITS)
def test_what_is_told_is_so(client: str, before: str, after: str, tmp_path: Path) -> None:
    """Of ends: the caller who is told of, rehearsed in either tree, comes to what is said."""
    old, new = _plan(client, tmp_path / "old"), _plan(client, tmp_path / "new", before, after)
    compared, seen_by, told_apart = compare(old, new, NOW), calendar(old, new), Distinctions(old, new)
    kinds = {kind.words: kind for kind in caller_kinds(old, new)}

    assert compared.differences
    for one, by_caller in compared.differences.items():
        answers, decided, call_id = _way(one, told_apart)
        for caller, said in by_caller.items() if one.change.ends else ():
            at = moment(seen_by, compared.stretches[min(said)][0]).at.astimezone(UTC)
            offered = CallOffered(
                call_id=call_id or next(iter(compared.shares)),
                did=kinds[caller].did,
                caller=kinds[caller].caller,
                at=at,
            )
            ends = tuple(_end(plan, offered, answers, decided) for plan in (old, new))
            assert ends == (one.change.before, one.change.now), one
    assert (not compared.cut) == (after not in HARD)


@pytest.mark.parametrize(("client", "before", "after"), EDITS)
def test_whoever_meets_another_end_is_told_of(client: str, before: str, after: str, tmp_path: Path) -> None:
    """Callers at random, at random times, who press keys at random while anybody may be absent."""
    old, new = _plan(client, tmp_path / "old"), _plan(client, tmp_path / "new", before, after)
    compared, seen_by, told_apart = compare(old, new, NOW), calendar(old, new), Distinctions(old, new)
    drawn = random.Random(f"{client} {after}")
    nodes = (node for plan in (old, new) for node in plan.nodes.values())
    dials = {one.name for node in nodes if isinstance(node, DialNode) for one in node.people()}
    kinds, calendar_says = caller_kinds(old, new), list(compared.stretches)
    people = sorted(dials | {"medical", "spare", "shop", "returns", "trades"})

    for _ in range(CALLERS):
        kind, said = drawn.choice(kinds), drawn.choice(calendar_says)
        at = moment(seen_by, compared.stretches[said][0]).at.astimezone(UTC)
        offered = CallOffered(call_id=drawn.choice(list(compared.shares)), did=kind.did, caller=kind.caller, at=at)
        options = ["1", "2", "3", "4", WRONG, OTHER, "", "75011", "75013", "9999#", "0050#"]
        answers = tuple(drawn.choice(options) for _ in range(6))
        decided: dict[Decision, Option] = {MESSAGE: drawn.choice([SILENT, SPEAKS])}
        for one in people:
            if drawn.random() < 0.5:
                decided |= {Decision("queue", one): TIMEOUT, Decision("dial", one): NO_ANSWER}
        for queue in ("medical", "spare"):
            decided[Decision("look", queue)] = drawn.choice(told_apart.standings(queue))
        decided |= drawn.choice(LOOKUPS)
        ends = {_end(plan, offered, answers, decided) for plan in (old, new)}
        if len(ends) > 1 and ends != UNSERVED and kind.words not in compared.cut:
            assert _told_of(compared, kind.words, said), (kind.words, said, answers, decided, ends)


def _told_of(compared: Compared, caller: str, said: tuple[str, ...]) -> bool:
    return any(one.change.ends and said in by_caller.get(caller, ()) for one, by_caller in compared.differences.items())
