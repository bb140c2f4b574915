"""Whatever is told of two trees is true of rehearsed calls, and whoever comes to another end is told of."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core.call import Call, DialOutcome, QueueOutcome
from callrouter.core.effects import CollectDigits, Dial, EnterQueue
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import DialNode
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.questions.diff.compare import Compared, Difference, compare
from callrouter.questions.diff.experience import UNSERVED, ended
from callrouter.questions.diff.side import NO, OTHER, UNSEEN, WRONG, Tree
from callrouter.questions.examples import Distinctions, in_words
from callrouter.questions.occasions import calendar, caller_kinds, moment
from callrouter.questions.rehearsal import DialBehaviour, QueueBehaviour, Rehearsal, Script, Scripted, rehearse

FOLDERS = {
    "clinic": Path(__file__).parents[2] / "dialplan" / "full_language",
    **dict.fromkeys(("cabinet-moreau", "plomberie-garnier", "brighton-books"), Path(__file__).parents[3] / "dialplans"),
}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CALLERS = 150
"""Callers who do something at random, for each pair of trees."""

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


class Caller(Scripted):
    """One who answers a question that is asked again as before, and meets the same people wherever he comes to."""

    def __init__(self, plan: Plan, answers: tuple[str, ...], absent: frozenset[str], script: Script) -> None:
        super().__init__(script)
        self._tree = Tree(plan, Distinctions(plan))
        self._answers = list(answers)
        self._absent = absent
        self._last: tuple[str, tuple[str, ...], str] = ("", (), "")

    def keys(self, call: Call, asked: CollectDigits) -> str:
        """The next answer, in the keys of this tree."""
        options = self._tree.options(call, asked)
        if not (call.memory and self._last[:2] == (call.node, options)):
            answer = self._answers.pop(0) if self._answers else ""
            self._last = (call.node, options, answer)
        return self._tree.keyed(call, asked, self._last[2])

    def queue(self, call: Call, entered: EnterQueue) -> QueueBehaviour:
        """Whether anybody answers."""
        outcome = QueueOutcome.TIMEOUT if entered.queue in self._absent else QueueOutcome.ANSWERED
        return QueueBehaviour(outcome=outcome)

    def dial(self, call: Call, rung: Dial) -> DialBehaviour:
        """Whether anybody answers, known by name."""
        answers = any(one not in self._absent for one in rung.names or rung.numbers)
        return DialBehaviour(outcome=DialOutcome.ANSWERED if answers else DialOutcome.NO_ANSWER)


def _plan(client: str, folder: Path, old: str = "", new: str = "") -> Plan:
    shutil.copytree(FOLDERS[client], folder, symlinks=True)
    file = folder / f"{client}.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new) if old else file.read_text())
    return load_directory(folder, PaperSpeech(), now=NOW).plans[client]


def _rehearsed(
    plan: Plan, offered: CallOffered, answers: tuple[str, ...], absent: frozenset[str], script: Script
) -> Rehearsal:
    return rehearse(plan, offered, Caller(plan, answers, absent, script))


def _script(one: Difference, told_apart: Distinctions) -> tuple[tuple[str, ...], frozenset[str], Script, str]:
    """A caller who goes the way that is told."""
    absent, answers, looks, call_id, seconds, known = set(), {}, {}, "", 10.0, True
    for taken in one.others:
        of, option = taken.decision.of, taken.options[0]
        match taken.decision.kind:
            case "queue" | "dial":
                absent.add(of)
            case "message":
                seconds = 0.0
            case "look":
                standings = {**{in_words(look): look for look in told_apart.standings(of)}, UNSEEN: None}
                looks[of] = standings[option]
            case "lookup":
                known = option != NO
            case "answer":
                answers[of] = option
            case "draw":
                call_id = option
    script = Script(message_seconds=seconds, answers=answers if known else None, looks=looks)
    return tuple(taken.options[0] for taken in one.keys), frozenset(absent), script, call_id


@pytest.mark.parametrize(("client", "before", "after"), EDITS)
def test_what_is_told_is_so(client: str, before: str, after: str, tmp_path: Path) -> None:
    """Of ends: the caller who is told of, rehearsed in either tree, comes to what is said."""
    old, new = _plan(client, tmp_path / "old"), _plan(client, tmp_path / "new", before, after)
    compared, seen_by, told_apart = compare(old, new, NOW), calendar(old, new), Distinctions(old, new)
    kinds = {kind.words: kind for kind in caller_kinds(old, new)}

    assert compared.differences
    for one, by_caller in compared.differences.items():
        answers, absent, script, call_id = _script(one, told_apart)
        for caller, said in by_caller.items() if one.change.ends else ():
            at = moment(seen_by, compared.stretches[min(said)][0]).at.astimezone(UTC)
            offered = CallOffered(
                call_id=call_id or next(iter(compared.shares)), did="", caller=kinds[caller].caller, at=at
            )
            ends = tuple(ended(plan, _rehearsed(plan, offered, answers, absent, script).call) for plan in (old, new))
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
        offered = CallOffered(call_id=drawn.choice(list(compared.shares)), did="", caller=kind.caller, at=at)
        options = ["1", "2", "3", "4", WRONG, OTHER, "", "75011", "75013", "9999#", "0050#"]
        answers = tuple(drawn.choice(options) for _ in range(6))
        absent = frozenset(one for one in people if drawn.random() < 0.5)
        looks = {queue: drawn.choice(told_apart.standings(queue)) for queue in ("medical", "spare")}
        known = drawn.choice([None, {}, {"rank": "gold"}, {"rank": "10"}])
        script = Script(message_seconds=drawn.choice([0.0, 10.0]), answers=known, looks=looks)
        ends = {ended(plan, _rehearsed(plan, offered, answers, absent, script).call) for plan in (old, new)}
        if len(ends) > 1 and ends != UNSERVED and kind.words not in compared.cut:
            assert _told_of(compared, kind.words, said), (kind.words, said, answers, absent, script, ends)


def _told_of(compared: Compared, caller: str, said: tuple[str, ...]) -> bool:
    return any(one.change.ends and said in by_caller.get(caller, ()) for one, by_caller in compared.differences.items())
