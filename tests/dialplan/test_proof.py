"""What the proof finds that depends on the day, and what it must leave alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.call import replace
from callrouter.core.rota import Contact, Duty, Rota, Turns
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.issues import MOST_OF_ONE_FILE
from callrouter.dialplan.proof.calendar import skipped_minutes
from callrouter.dialplan.proof.kept_hours import DAYS_AHEAD
from callrouter.dialplan.proof.rotas import gaps
from callrouter.dialplan.shared.public_holidays import public_holidays
from tests.dialplan.conftest import NOW
from tests.dialplan.random_trees import HEAD, SHARED, compiled

BYE: dict[str, dict[str, object]] = {"hangup": {}}
SALES = {"queue": {"name": "medical", "max_wait": "1m", "overflow": "bye"}}
DOCTOR, NURSE = Contact(name="doctor", number="+33612360001"), Contact(name="nurse", number="+33612360002")


def tree(start: str = "first", **nodes: Any) -> dict[str, Any]:
    """A document of these nodes, and of a queue and an end."""
    rest = {"sales": SALES, "bye": BYE}
    return {**HEAD, "fallback": {"queue": "medical"}, "start": start, "nodes": {**nodes, **rest}}


def findings(document: dict[str, Any], **changes: Any) -> list[str]:
    """The sentences of all findings."""
    return [issue.message for issue in compiled({**document, **changes}, SHARED).issues]


def dial(rota: Rota) -> list[str]:
    """What is found of a tree that rings by a rota."""
    document = tree(first={"dial": {"contacts": rota.name, "no_answer": "sales"}})
    return [issue.message for issue in compiled(document, replace(SHARED, rotas={rota.name: rota})).issues]


@pytest.mark.parametrize(
    ("zone", "today", "days"),
    [
        ("Europe/Paris", date(2026, 11, 24), [(date(2027, 3, 28), 120, 180), (date(2028, 3, 26), 120, 180)]),
        ("Europe/London", date(2026, 11, 24), [(date(2027, 3, 28), 60, 120), (date(2028, 3, 26), 60, 120)]),
        ("America/Martinique", date(2026, 11, 24), []),
        ("Australia/Lord_Howe", date(2027, 1, 1), [(date(2027, 10, 3), 120, 150), (date(2028, 10, 1), 120, 150)]),
    ],
)
def test_clocks_that_go_forward(zone: str, today: date, days: list[tuple[date, int, int]]) -> None:
    """Each day of the coming two years on which minutes are left out, and which."""
    assert days == list(skipped_minutes(zone, today))


def test_hours_that_do_not_occur() -> None:
    """A range that the change of the clocks leaves out is worth a warning; one that goes beyond is not."""
    document = tree(first={"opening_hours": {"open": "sales", "closed": "bye"}})

    lost = findings(document, hours={"open": {"sun": "02:15-03:00"}})
    kept = findings(document, hours={"open": {"sun": "02:15-03:30", "mon": "02:15-03:00"}})

    assert lost == ['hours.open: "02:15-03:00" does not occur on sun 2026-03-29: the clocks go from 02:00 to 03:00']
    assert kept == []


def test_every_minute_of_two_years_leads_somewhere() -> None:
    """Around every midnight, every change of the clocks, the leap day and every holiday, one exit is taken."""
    document = tree(first={"opening_hours": {"open": "sales", "closed": "bye", "holiday": "bye"}})
    plan = compiled(document).plan
    assert plan is not None
    schedule = plan.schedules["open"]
    zone = ZoneInfo(plan.timezone)
    local = datetime(2026, 1, 6, tzinfo=zone)
    special = {day for day, _, _ in skipped_minutes(plan.timezone, date(2026, 1, 6))} | {date(2028, 2, 29)}
    special |= {date(2026, 10, 25), date(2027, 10, 31), *schedule.holidays}

    for step in range(DAYS_AHEAD + 60):
        day = local.date() + timedelta(days=step)
        minutes = range(0, 1440, 7) if day in special else (0, 479, 480, 749, 750, 809, 810, 1139, 1140, 1319, 1320)
        for minute in minutes:
            for fold in (0, 1):
                at = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone).replace(fold=fold)
                found = schedule.at(at.astimezone(UTC))
                clock = at.astimezone(UTC).astimezone(zone)
                assert found.open == _open(clock, schedule.holidays), clock
                assert not (found.open and found.holiday)


def _open(clock: datetime, holidays: Any) -> bool:
    """The hours of the random trees' head, said another way."""
    minute = clock.hour * 60 + clock.minute
    office = 480 <= minute < 750 or 810 <= minute < 1140
    night = clock.weekday() == 5 and minute >= 1320
    # A night is the day's on which it begins: a holiday ends none that has begun, and takes its own away whole.
    begun = clock.weekday() == 6 and minute < 180 and clock.date() - timedelta(days=1) not in holidays
    return begun or (clock.date() not in holidays and ((clock.weekday() < 5 and office) or night))


@pytest.mark.parametrize("code", ["FR-57", "FR-67", "FR-68"])
def test_alsace_and_moselle(code: str) -> None:
    """Good Friday and the day after Christmas, by each department's number."""
    days = public_holidays(code, "fr", 2026)

    assert {date(2027, 3, 26), date(2027, 12, 26)} <= set(days)


@pytest.mark.parametrize(
    ("codes", "day"),
    [
        (("FR-971", "FR-GP"), date(2027, 5, 27)),
        (("FR-972", "FR-MQ"), date(2027, 5, 22)),
        (("FR-973", "FR-GF"), date(2027, 6, 10)),
        (("FR-974", "FR-RE"), date(2027, 12, 20)),
        (("FR-976", "FR-YT"), date(2027, 4, 27)),
        (("FR-NC", "FR-988"), date(2027, 9, 24)),
        (("FR-PF", "FR-987"), date(2027, 3, 5)),
    ],
)
def test_overseas(codes: tuple[str, ...], day: date) -> None:
    """Each territory's own day, by its number and by its ISO code."""
    for code in codes:
        assert day in public_holidays(code, "fr", 2026), code


def test_a_rota_with_a_gap() -> None:
    """A week nobody has between two that somebody has is a mistake; an open end is a warning."""
    weeks = {date(2026, 1, 5): (DOCTOR,), date(2026, 1, 12): (DOCTOR,), date(2026, 1, 26): (NURSE,)}
    rota = Rota(name="weeks", timezone="Europe/Paris", at_clock=time(8), turns=Turns(weeks=weeks))

    assert list(gaps(rota, date(2026, 1, 6))) == [
        (date(2026, 1, 19), date(2026, 1, 25)),
        (date(2026, 2, 2), None),
    ]
    assert dial(rota) == [
        'rota "weeks" names nobody from 2026-01-19 to 2026-01-25: write who is on call, in weeks or exceptions',
        'rota "weeks" names nobody from 2026-02-02 on: write who follows',
    ]


def test_a_rota_that_starts_too_late() -> None:
    """Whoever writes the week to come is told what to write instead."""
    turns = Turns(cycle=((DOCTOR,), (NURSE,)), starting=date(2026, 1, 12))
    rota = Rota(name="turns", timezone="Europe/Paris", at_clock=time(8), turns=turns)

    gap, mend = "from 2026-01-06 to 2026-01-11", "name an earlier week of the first contact's"
    assert dial(rota) == [f'rota "turns" names nobody {gap}: its cycle starts on 2026-01-12; {mend}']


def test_a_rota_that_gives_a_day_to_two() -> None:
    """The first written would win, and nobody would know."""
    easter = Duty(first=date(2026, 4, 3), last=date(2026, 4, 6), people=(DOCTOR,))
    monday = Duty(first=date(2026, 4, 6), last=date(2026, 4, 6), people=(NURSE,))
    rota = Rota(
        name="turns",
        timezone="Europe/Paris",
        turns=Turns(cycle=((DOCTOR,), (NURSE,)), starting=date(2026, 1, 5)),
        exceptions=(easter, monday),
    )

    assert dial(rota) == ['rota "turns" gives 2026-04-06 to two people: a day needs one of them']
    assert dial(replace(rota, exceptions=(easter,))) == []


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(
            {
                "first": {"caller": {"vip": "sales", "known": "second", "otherwise": "second"}},
                "second": {"caller": {"unwanted": "sales", "otherwise": "bye"}},
            },
            id="a number before the beginning that holds it",
        ),
        pytest.param(
            {
                "first": {"branch": {"when": [{"variable": "file", "then": "second"}], "otherwise": "sales"}},
                "second": {
                    "branch": {"when": [{"variable": "file", "equals": "1", "then": "bye"}], "otherwise": "sales"}
                },
                "third": {"set": {"variables": {"file": "1"}, "next": "sales"}},
            },
            id="a variable read where it was found to be set",
        ),
        pytest.param(
            {
                "first": {
                    "branch": {
                        "when": [
                            {"from": "2026-12-25", "to": "2026-12-25", "then": "bye"},
                            {"from": "2026-12-20", "to": "2027-01-03", "then": "sales"},
                        ],
                        "otherwise": "sales",
                    }
                }
            },
            id="a day before the days around it",
        ),
        pytest.param(
            {
                "first": {
                    "menu": {
                        "prompt": "Tapez 1.",
                        "keys": {"1": "times", "2": "sales"},
                        "no_input": "sales",
                        "no_match": "sales",
                    }
                },
                "times": {"play": {"prompt": "De 9 heures à midi.", "next": "first"}},
            },
            id="back to the menu by a key",
        ),
    ],
)
def test_what_is_meant_passes(nodes: dict[str, Any]) -> None:
    """Idioms that look like the mistakes."""
    found = [one for one in findings(tree(**nodes)) if "nothing leads here" not in one]

    assert found == []


def test_what_is_cut_off_is_told_once() -> None:
    """Of many nodes that no call can reach: the one that the others hang on, and one of those that go round."""
    found = findings(
        tree(
            first={"play": {"prompt": "Oui.", "next": "sales"}},
            lonely={"play": {"prompt": "Un.", "next": "after"}},
            after={"play": {"prompt": "Deux.", "next": "sales"}},
            round={"play": {"prompt": "Trois.", "next": "about"}},
            about={"menu": {"prompt": "Tapez 1.", "keys": {"1": "round"}, "no_input": "bye", "no_match": "bye"}},
        )
    )

    more = "no call can reach this node, nor what only it leads to"
    assert [one for one in found if "nothing leads here" in one] == [
        f"nothing leads here: {more}",
        f"nothing leads here from the start: {more}",
    ]


def test_all_findings_at_once() -> None:
    """One run names everything, each with its line and node."""
    document = tree(
        first={"menu": {"prompt": "?", "keys": {"1": "salse", "2": "ask"}, "no_input": "first", "no_match": "bye"}},
        ask={"branch": {"when": [{"variable": "never", "equals": "1", "then": "bye"}], "otherwise": "sales"}},
        lonely={"hangup": {}},
    )
    issues = compiled(document).issues

    assert [issue.node for issue in issues] == ["first", "first", "ask", "lonely"]
    assert all(issue.line for issue in issues)
    assert [issue.suggestion for issue in issues][1] == "sales"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("huge", b"client: acme\n# " + b"x" * 10_000_000, "is larger than 1024 KiB"),
        ("deep", b"[" * 100, "is nested more than 40 deep"),
        ("bomb", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "alias *a is not understood"),
        ("endless", b"a: &a [*a]\n", "alias *a is not understood"),
        ("utf32", "client: acme\n".encode("utf-32"), "UTF"),
        ("nul", b"client: ac\0me\n", "U+0000"),
        ("latin1", "name: Étude\n".encode("latin-1"), "is not UTF-8"),
        ("tab", b"hours:\n\topen: {}\n", "begins with a tab"),
        ("twice", b"client: a\nclient: b\n", "a second time"),
    ],
)
def test_hostile_files_by_name(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    """Each in one sentence at its place, at once, and without harm."""
    (tmp_path / f"{name}.yaml").write_bytes(content)
    catalogue = load_directory(tmp_path, PaperSpeech(), now=NOW)

    assert not catalogue.plans
    assert any(sentence in issue.message for issue in catalogue.issues), [str(one) for one in catalogue.issues]


def test_very_many_mistakes_are_counted(tmp_path: Path) -> None:
    """The engine that serves calls logs every finding: 170 000 of one file would keep callers waiting for seconds."""
    (tmp_path / "twice.yaml").write_text("a: 1\n" * 150_000)
    (tmp_path / "other.yaml").write_text("client: [\n")
    issues = load_directory(tmp_path, PaperSpeech(), now=NOW).issues
    of_one = [issue for issue in issues if issue.file == "twice.yaml"]

    assert len(of_one) == MOST_OF_ONE_FILE + 1
    assert "more findings from here on: mend those above first" in str(of_one[-1])
    assert of_one[-1].severity == "error"
    assert len(issues) == len(of_one) + 1


@pytest.mark.parametrize(
    "word", ["on", "no", "off", "yes", "y", "null", "08:00", "0612345678", "1e3", "0x1F", "2026-12-24"]
)
def test_words_that_yaml_1_1_reads_as_something_else(word: str) -> None:
    """Without quotes, each stays the text it is."""
    found = compiled(tree(first={"set": {"variables": {"value": word}, "next": "sales"}}))

    assert found.plan is not None
    assert getattr(found.plan.nodes["first"], "variables") == {"value": word}  # noqa: B009


def test_what_stands_after_a_queue_may_not_have_been_asked() -> None:
    """A queue that cannot be looked at leads to `otherwise` at once: what a later condition settles is not settled."""
    unset = {"variable": "file", "is_set": "false", "then": "bye"}
    empty = {"queue": "medical", "agents": {"below": "1"}, "then": "bye"}

    def found(*when: dict[str, Any]) -> list[str]:
        document = tree(
            first={"branch": {"when": [{"percentage": "50", "then": "second"}], "otherwise": "known"}},
            known={"set": {"variables": {"file": "12"}, "next": "second"}},
            second={"branch": {"when": list(when), "otherwise": "third"}},
            third={"branch": {"when": [{"variable": "file", "equals": "12", "then": "sales"}], "otherwise": "bye"}},
        )
        return findings(document)

    wrong = (
        'variable "file" is read here, but it is not set on the way first → second → third: "second" does not ask for'
        " it when a queue before it cannot be looked at; ask for it first"
    )

    assert found(unset, empty) == []
    assert found(empty, unset) == [wrong]


def test_a_way_for_holidays_needs_holidays() -> None:
    """Or no call ever takes it, and what is said on holidays is never heard."""
    asks = {"opening_hours": {"open": "sales", "closed": "bye", "holiday": "feast"}}
    document = tree(first=asks, feast={"play": {"prompt": "Joyeuses fêtes.", "next": "bye"}})
    week = {"mon-fri": "08:00-12:00"}

    assert findings(document, hours={"open": week, "holidays": "FR"}) == []
    assert findings(document, hours={"open": week}) == [
        'exit "holiday" is never taken: hours "open" keep no public holidays; write holidays: FR in them if they should'
    ]
