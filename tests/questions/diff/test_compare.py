"""What changes for whom: told in callers and times, each change once, and nothing where nothing changes."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.questions.diff.compare import compare
from callrouter.questions.diff.settings import unheard
from callrouter.questions.diff.wording import sentences

DIALPLANS = Path(__file__).parents[3] / "dialplans"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _plan(folder: Path, client: str, *changes: tuple[str, str]) -> Plan:
    text = (DIALPLANS / f"{client}.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / f"{client}.yaml").write_text(text)
    if not (folder / "shared").exists():
        (folder / "shared").symlink_to(DIALPLANS / "shared")
    catalogue = load_directory(folder / f"{client}.yaml", PaperSpeech(), now=NOW)
    assert catalogue.ok, catalogue.issues
    return catalogue.plans[client]


def _told(tmp_path: Path, client: str, *changes: tuple[str, str]) -> list[str]:
    old, new = _plan(tmp_path / "old", client), _plan(tmp_path / "new", client, *changes)
    return [str(one) for one in sentences(compare(old, new, NOW))]


@pytest.mark.parametrize(
    ("client", "change", "sentence"),
    [
        pytest.param(
            "cabinet-moreau",
            ('sat: "09:00-12:00"', 'sat: "09:00-13:00"'),
            "On Saturdays 12:00–13:00 (not on holidays), ordinary callers who press 2, press a wrong key or press"
            " nothing now reach queue:medical instead of a message for email_doctor.",
            id="longer_on_saturdays",
        ),
        pytest.param(
            "cabinet-moreau",
            ('"2": secretaries }', '"2": secretaries, "3": take_message }'),
            "In opening hours, ordinary callers who press 3 now reach a message for email_doctor instead of"
            " queue:medical.",
            id="a_new_key",
        ),
        pytest.param(
            "cabinet-moreau",
            ('lists:\n  vip: ["06 12 34 00 07"]', 'lists:\n  vip: ["06 12 34 00 07", "06 55 55 55 55"]'),
            "In opening hours, callers like +33655555555 (now in list vip) who press 1 now reach queue:medical instead"
            " of dial:on_call.",
            id="a_new_vip",
        ),
        pytest.param(
            "cabinet-moreau",
            ("  holidays: FR\n", "  holidays: FR-57\n"),
            "On 2026-12-26 (Saint-Étienne) 09:00–12:00, 2027-03-26 (Vendredi saint) 08:00–12:30 and 13:30–19:00,"
            " ordinary callers who press 1 now reach a message for email_doctor instead of dial:on_call.",
            id="alsace_moselle",
        ),
        pytest.param(
            "cabinet-moreau",
            ("timezone: Europe/Paris\n", "timezone: Europe/London\ncountry: FR\n"),
            "On Mondays to Fridays 11:30–12:30 and 18:00–19:00, on Saturdays 11:00–12:00 (not on holidays), ordinary"
            " callers who press 1 now reach dial:on_call instead of a message for email_doctor.",
            id="another_zone_by_its_wall_clock",
        ),
        pytest.param(
            "cabinet-moreau",
            ("contacts: [on_call, doctor]", "contacts: [on_call]"),
            "In opening hours, when on_call does not answer, ordinary callers who press 1 now reach a message for"
            " emergencies instead of dial:doctor.",
            id="one_contact_less",
        ),
        pytest.param(
            "cabinet-moreau",
            ("le samedi de 9 heures à midi", "le samedi de 9 heures à 13 heures"),
            "Outside opening hours, ordinary callers now hear «… de 9 heures à 13 heures. En cas d'urgence, composez"
            " …» instead of hearing «… de 9 heures à midi. En cas d'urgence, composez …».",
            id="the_middle_of_a_long_sentence",
        ),
        pytest.param(
            "brighton-books",
            ('"3": warehouse, "4": returns', '"4": warehouse, "3": returns'),
            "In opening hours, callers who press 4 now reach redirect:+442079460041 instead of queue:returns.",
            id="an_option_moved",
        ),
        pytest.param(
            "cabinet-moreau",
            ("  holidays: FR\n", '  holidays: FR\n  exceptions: { 2026-12-25: "10:00-12:00" }\n'),
            "On 2026-12-25 (Noël) 10:00–12:00, ordinary callers who press 2, press a wrong key or press nothing now"
            " reach queue:medical instead of a message for email_doctor.",
            id="open_on_a_holiday",
        ),
        pytest.param(
            "etude-lenoir",
            ('mon-fri: "14:00-18:00"', 'mon-fri: "14:00-17:00"'),
            "On Mondays to Fridays 17:00–18:00 (not on 2026-12-24..2026-12-25, 2026-12-28..2027-01-01, 2027-03-29"
            " (Lundi de Pâques), 2027-05-06 (Ascension), 2027-05-17 (Lundi de Pentecôte) and 3 more), ordinary callers"
            " and callers without a number now reach a message for email_lawyer instead of queue:legal.",
            id="shorter",
        ),
        pytest.param(
            "plomberie-garnier",
            ("max_wait: 2m", "max_wait: 4m"),
            "At any time, callers who come to it now wait for trades at most 4 min instead of waiting for trades at"
            " most 2 min.",
            id="longer_wait",
        ),
        pytest.param(
            "plomberie-garnier",
            ('"75012"]', '"75013"]'),
            "While technician_2 is on call, callers who key 75013 now reach dial:technician_2 instead of queue:trades.",
            id="another_district",
        ),
        pytest.param(
            "brighton-books",
            ("Thank you. We will call", "Thank you. We shall call"),
            "At any time, callers who come to it now hear «Thank you. We shall call you back. Goodbye.» instead of"
            " hearing «Thank you. We will call you back. Goodbye.».",
            id="other_words",
        ),
    ],
)
def test_a_change_in_a_sentence(tmp_path: Path, client: str, change: tuple[str, str], sentence: str) -> None:
    """As an operator would tell it to the client."""
    told = _told(tmp_path, client, change)

    assert sentence in told, "\n".join(told)


SWAPPED = "cycle: [technician_2, technician]"


@pytest.mark.parametrize(
    ("client", "document", "change", "sentence"),
    [
        pytest.param(
            "plomberie-garnier",
            "calendars",
            ("cycle: [technician, technician_2]", SWAPPED),
            "In every second week, from Monday 08:00 to Monday 08:00 (now, then from 2026-12-07), callers who key 75011"
            " now reach dial:technician_2 instead of dial:technician.",
            id="turns_swapped",
        ),
        pytest.param(
            "plomberie-garnier",
            "calendars",
            ("change: mon 08:00", "change: mon 07:00"),
            "On every second Monday 07:00–08:00 (first 2026-11-30), callers who key 75011 now reach dial:technician_2"
            " instead of dial:technician.",
            id="turns_change_sooner",
        ),
        pytest.param(
            "plomberie-garnier",
            "calendars",
            ("starting: 2025-01-06", 'starting: 2025-01-06\n    exceptions: { "2026-12-24..2026-12-26": garnier }'),
            "From 2026-12-24 08:00 to 2026-12-27 08:00, callers who key 75011 now reach dial:garnier instead of"
            " dial:technician.",
            id="somebody_else_on_some_days",
        ),
        pytest.param(
            "brighton-books",
            "calendars",
            ("holidays: GB-ENG", 'holidays: GB-ENG\n    closed: ["2026-12-24"]'),
            "On 2026-12-24 09:00–18:00, callers who press 4 now reach a message for email_shop instead of"
            " queue:returns.",
            id="a_calendar_closed_for_a_day",
        ),
        pytest.param(
            "plomberie-garnier",
            "snippets",
            ("Parlez après le bip, ou raccrochez.", "Parlez après le bip."),
            "At any time, when no agent of trades answers and they say nothing after the beep, callers who come to it"
            " now hear «Nous n'avons rien entendu. Parlez après le bip.» instead of hearing «Nous n'avons rien entendu."
            " Parlez après le bip, ou raccrochez.».",
            id="the_words_of_a_snippet",
        ),
        pytest.param(
            "cabinet-moreau",
            "contacts",
            ("06 39 98 00 02", "06 39 98 00 22"),
            "In opening hours, ordinary callers who press 1 now ring on_call (+33639980022), who must press 1, for 20 s"
            " instead of ringing on_call (+33639980002), who must press 1, for 20 s.",
            id="another_number_of_the_same_person",
        ),
    ],
)
def test_a_change_in_a_shared_file(
    tmp_path: Path, client: str, document: str, change: tuple[str, str], sentence: str
) -> None:
    """Told of the client who uses it, where it matters to their callers."""
    shared = tmp_path / "new" / "shared"
    shutil.copytree(DIALPLANS / "shared", shared)
    file = shared / f"{document}.yaml"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    told = _told(tmp_path, client)

    assert sentence in told, "\n".join(told)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("secretaries", "desk"), id="renamed_node"),
        pytest.param(("# A surgery", "# The surgery"), id="comment"),
        pytest.param(('sat: "09:00-12:00"', 'sat: ["09:00-10:00", "10:00-12:00"]'), id="hours_written_otherwise"),
        pytest.param(('unwanted: ["08*"]', 'unwanted: ["+338*"]'), id="prefix_written_otherwise"),
    ],
)
def test_no_change_for_callers(tmp_path: Path, change: tuple[str, str]) -> None:
    """Lines of YAML are not what is compared."""
    assert _told(tmp_path, "cabinet-moreau", change) == []


SMALL = """\
client: acme
name: Acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
hours: {{ open: {{ mon-fri: "09:00-17:00" }} }}
contacts: {{ doctor: {{ number: "01 99 00 99 01" }}, office: {{ email: a@b.example }} }}
fallback: {{ queue: medical }}
start: first
nodes:
  {first}
  sales: {{ queue: {{ name: medical, max_wait: 1m, overflow: message }} }}
  other: {{ queue: {{ name: trades, max_wait: 1m, overflow: message }} }}
  message: {{ message: {{ prompt: "Parlez.", deliver: office, done: bye, empty: {empty} }} }}
  silent: {{ play: {{ prompt: "Rien.", next: bye }} }}
  said: {{ play: {{ prompt: "Encore rien.", next: silent }} }}
  bye: {{ hangup: }}
"""
BRANCH = """first: {{ branch: {{ when: [{when}], otherwise: {otherwise} }} }}
  looked: {{ lookup: {{ url: "https://a.example/", fields: {{ rank: rank }}, next: answered, failed: sales }} }}
  answered: {{ branch: {{ when: [{{ variable: rank, {rank} }}], otherwise: other }} }}"""


NOBODY = "{ queue: trades, agents: { below: 1 }, then: said }"


def _small(folder: Path, first: str, empty: str = "said") -> Plan:
    folder.mkdir()
    (folder / "shared").symlink_to(DIALPLANS / "shared")
    (folder / "acme.yaml").write_text(SMALL.format(first=first, empty=empty))
    catalogue = load_directory(folder / "acme.yaml", PaperSpeech(), now=NOW)
    assert catalogue.ok, [str(issue) for issue in catalogue.issues]
    return catalogue.plans["acme"]


def _branch(when: str = "{ percentage: 50, then: said }", rank: str = "equals: gold, then: sales") -> str:
    return BRANCH.format(when=when, otherwise="looked", rank=rank)


def _menus(keys: str) -> str:
    """Six questions one after the other."""
    names = ["first", *(f"m{number}" for number in range(2, 7))]
    ways = [*(f"'1': {name}" for name in names[1:]), keys]
    return "\n  ".join(
        f"{name}: {{ menu: {{ prompt: 'Tapez 1.', keys: {{ {way} }}, no_input: message, no_match: message }} }}"
        for name, way in zip(names, ways, strict=True)
    )


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        pytest.param(
            _branch(),
            _branch(rank="equals: gold, then: said"),
            "in 50 % of the calls when the web service answers rank = gold, callers now reach the end of the tree"
            " instead of queue:medical",
            id="the_target_of_an_answer",
        ),
        pytest.param(
            _branch(rank="number: { at_least: 10 }, then: sales"),
            _branch(rank="number: { at_least: 12 }, then: sales"),
            "in 50 % of the calls when the web service answers rank = 10, callers now reach queue:trades instead of"
            " queue:medical",
            id="a_bound_of_an_answer",
        ),
        pytest.param(
            _branch("{ queue: medical, waiting: { at_least: 3, at_most: 6 }, then: said }"),
            _branch("{ queue: medical, waiting: { at_least: 4, at_most: 6 }, then: said }"),
            "when queue medical has 3 callers waiting, callers now reach queue:trades instead of the end of the tree",
            id="a_bound_of_a_queue",
        ),
        pytest.param(
            _branch(
                "{ queue: medical, agents: { below: 1 }, then: said }, { queue: shop, free: { below: 1 }, then: said }"
            ),
            _branch("{ queue: medical, agents: { below: 1 }, then: said }"),
            "when queue shop has no agents free, callers now reach queue:trades instead of the end of the tree",
            id="a_second_queue",
        ),
        pytest.param(
            _branch("{ queue: medical, agents: { below: 1 }, then: looked }", rank="equals: gold, then: sales").replace(
                "otherwise: looked", "otherwise: other"
            ),
            _branch("{ queue: medical, agents: { below: 1 }, then: looked }", rank="equals: gold, then: said").replace(
                "otherwise: looked", "otherwise: other"
            ),
            "when queue medical has no agents logged in and the web service answers rank = gold, callers now reach the"
            " end of the tree instead of queue:medical",
            id="a_queue_and_an_answer_together",
        ),
        pytest.param(
            _branch("{ percentage: 10, then: said }"),
            _branch("{ percentage: 25, then: said }"),
            "in 15 % of the calls, callers now reach the end of the tree instead of queue:trades",
            id="another_share",
        ),
        pytest.param(
            _menus("'1': sales, '2': other"),
            _menus("'1': other, '2': sales"),
            "callers who press 1, then press 1, then press 1, then press 1, then press 1, then press 1 now reach"
            " queue:trades instead of queue:medical",
            id="the_sixth_question",
        ),
    ],
)
def test_a_change_behind_what_others_do(tmp_path: Path, old: str, new: str, part: str) -> None:
    """A web service answers, or a queue stands as it must for the change to be met."""
    compared = compare(_small(tmp_path / "old", old), _small(tmp_path / "new", new), NOW)
    told = [str(one) for one in sentences(compared)]

    assert any(part in one for one in told), "\n".join(told)
    assert not compared.cut


def test_a_change_behind_silence(tmp_path: Path) -> None:
    """Of a caller who says nothing after the beep."""
    old = _small(tmp_path / "old", _branch())
    told = [str(one) for one in sentences(compare(old, _small(tmp_path / "new", _branch(), empty="silent"), NOW))]

    assert any("when they say nothing after the beep" in one and "«Encore rien.»" in one for one in told), told


def test_little_is_told_of_little(tmp_path: Path) -> None:
    """What follows from a change that is told is not told again: nobody answers there either."""
    told = _told(tmp_path, "brighton-books", ('"3": warehouse, "4": returns', '"4": warehouse, "3": returns'))

    assert len(told) == 2, "\n".join(told)


def test_menus_that_lead_round_in_circles(tmp_path: Path) -> None:
    """Everything is compared all the same; whoever goes round once more is not told of."""
    keys = "keys: {{ '1': {there}, '2': {end} }}, no_input: {end}, no_match: {end}"
    menu = f"{{name}}: {{{{ menu: {{{{ prompt: 'Tapez.', {keys} }}}} }}}}"
    first, second = (
        menu.format(name="first", there="m2", end="sales"),
        menu.format(name="m2", there="first", end="other"),
    )
    old, new = (
        _small(tmp_path / name, "\n  ".join((first, changed)))
        for name, changed in (("old", second), ("new", second.replace("'2': other", "'2': said")))
    )
    compared = compare(old, new, NOW)

    assert [str(one) for one in sentences(compared)] == [
        "At any time, callers who press 1, then press 2 now reach the end of the tree instead of queue:trades.",
    ]
    assert not compared.cut


@pytest.mark.parametrize(
    ("client", "change", "sentence"),
    [
        pytest.param(
            "cabinet-moreau",
            ("timeout: 4s", "timeout: 8s"),
            "At welcome, the longest wait for a key or an answer is now 8 s instead of 4 s.",
            id="time_to_press_a_key",
        ),
        pytest.param(
            "plomberie-garnier",
            ('brief: { say: "Plomberie Garnier." }', 'brief: { say: "Garnier." }'),
            "At dispatch, what agents hear first of queue trades is now «Garnier.» instead of «Plomberie Garnier.».",
            id="what_agents_hear",
        ),
        pytest.param(
            "brighton-books",
            ("target: 80%", "target: 90%"),
            "The client is now promised 90% of the calls answered within 20 s (short abandons: 5 s, formula"
            " short_abandon_excluded) instead of 80% of the calls answered within 20 s (short abandons: 5 s, formula"
            " short_abandon_excluded).",
            id="what_is_promised",
        ),
    ],
)
def test_what_no_caller_meets(tmp_path: Path, client: str, change: tuple[str, str], sentence: str) -> None:
    """It is told all the same, and no call is said to go another way."""
    old, new = _plan(tmp_path / "old", client), _plan(tmp_path / "new", client, change)

    assert list(unheard(old, new)) == [sentence]
    assert not compare(old, new, NOW).differences


def test_a_caller_who_goes_round_for_ever(tmp_path: Path) -> None:
    """Who declines a call-back again and again is walked until the engine ends the call, and that is told."""
    tree = """first: {{ callback: {{ done: bye, declined: again, no_input: sales, no_match: other }} }}
  again: {{ play: {{ prompt: "Bon.", next: {to} }} }}"""
    old, new = (_small(tmp_path / to, tree.format(to=to)) for to in ("sales", "first"))
    told = [str(one) for one in sentences(compare(old, new, NOW)) if "now reach a failure" in str(one)]

    assert [one.startswith("At any time, callers who press 3; or ") for one in told] == [True]
