"""What clients share: snippets, calendars, rotas, each other's trees; and a client's several languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core.call import CallerId, DialOutcome, Presentation, replace
from callrouter.core.engine import start, step
from callrouter.core.inputs import CallOffered, DialEnded
from callrouter.core.nodes import DialNode, HangupNode, MenuNode, MessageNode, OpeningHoursNode, PlayNode
from callrouter.dialplan import Catalogue, Loader, PaperSpeech, load_directory
from callrouter.questions.occasions import moments
from callrouter.questions.outcomes import outcomes

SNIPPETS = """\
snippets:
  take_a_message:
    about: Asks for a message and says goodbye.
    parameters:
      email: contact
      after: node
      longest: { type: duration, default: 2m }
      why: { type: text, default: "Nous sommes en ligne" }
    start: ask
    nodes:
      ask:
        message: { prompt: { say: "$why. Laissez un message." }, max: $longest, deliver: $email, done: thanks }
      thanks:
        play: { prompt: "Merci.", next: $after }
  twice:
    parameters: { where: node }
    start: first
    nodes:
      first:
        include: { snippet: take_a_message, with: { email: box, after: second } }
      second:
        include: { snippet: take_a_message, with: { email: box, after: $where, why: "Encore" } }
"""
CONTACTS = """\
country: FR
contacts:
  box: { email: box@a.example }
  anne: { number: "01 99 00 99 01" }
  bruno: { number: "01 99 00 99 02" }
  carla: { number: "01 99 00 99 03" }
"""
HEAD = """\
client: {client}
numbers: ["{number}"]
timezone: {zone}
language: fr
fallback: {{ node: bye }}
start: {start}
"""
BYE = '  bye:\n    hangup: { prompt: { say: "Au revoir." } }\n'
Put = Callable[..., None]
Load = Callable[[], Catalogue]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a shared file (`put("shared/snippets", text)`), or a client's head, extra lines and nodes."""

    def write(name: str, nodes: str, *, start: str = "go", number: str = "01 99 00 00 10", **more: str) -> None:
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        if "/" in name:
            path.write_text(nodes)
            return
        head = HEAD.format(client=name, number=number, start=start, zone=more.get("zone", "Europe/Paris"))
        path.write_text(f"{head}{more.get('extra', '')}nodes:\n{nodes}{BYE}")

    write("shared/contacts", CONTACTS)
    return write


def said(load: Load) -> list[str]:
    """What is wrong."""
    return [str(issue) for issue in load().issues]


# Snippets


def test_a_snippet_becomes_nodes_of_the_tree(put: Put, load: Load) -> None:
    """Under the name of the node that includes it; its parameters filled in; its places and the includer's known."""
    put("shared/snippets", SNIPPETS)
    put("a", "  go:\n    include: { snippet: take_a_message, with: { email: box, after: bye, why: Fermé } }\n")
    catalogue = load()
    assert [str(issue) for issue in catalogue.issues] == []
    plan = catalogue.plans["a"]
    ask = plan.nodes["go/ask"]

    assert plan.start == "go/ask"
    assert list(plan.nodes) == ["bye", "go/ask", "go/thanks"]
    assert isinstance(ask, MessageNode)
    assert (ask.deliver, ask.max_seconds, ask.sounds[0].text) == ("box", 120.0, "Fermé. Laissez un message.")
    assert plan.nodes["go/thanks"].exits == {"next": "bye"}
    assert plan.where("go/ask") == "go/ask (shared/snippets.yaml:11, from a.yaml:9)"


def test_a_snippet_within_a_snippet(put: Put, load: Load) -> None:
    """Each at its own place, and the way out is the outermost includer's node."""
    put("shared/snippets", SNIPPETS)
    put("a", "  go:\n    include: { snippet: twice, with: { where: bye } }\n")
    plan = load().plans["a"]

    assert set(plan.nodes) == {"bye", "go/first/ask", "go/first/thanks", "go/second/ask", "go/second/thanks"}
    assert plan.nodes["go/first/thanks"].exits == {"next": "go/second/ask"}
    assert plan.nodes["go/second/thanks"].exits == {"next": "bye"}


@pytest.mark.parametrize(
    ("with_", "sentence"),
    [
        ("{ email: box }", 'parameter "after" of snippet "take_a_message" is missing: give a node'),
        (
            "{ email: box, aftre: bye, after: bye }",
            'snippet "take_a_message" has no parameter "aftre" (did you mean "after"?)',
        ),
        ("{ email: boxx, after: bye }", 'contact "boxx" is not in shared/contacts.yaml (did you mean "box"?)'),
        ("{ email: box, after: by }", 'parameter "after" leads to "by", which does not exist (did you mean "bye"?)'),
        (
            "{ email: box, after: bye, longest: 2 }",
            'parameter "longest" (duration): "2" has no unit: write "2s" for seconds, "2m" for minutes',
        ),
        ("{ email: box, after: bye, why: [] }", 'parameter "why" (text): must be a single value, not a list'),
    ],
)
def test_arguments_are_judged_where_they_stand(put: Put, load: Load, with_: str, sentence: str) -> None:
    """In the includer's file, on the argument's line; the rest of the tree is not blamed."""
    put("shared/snippets", SNIPPETS)
    put("a", f"  go:\n    include:\n      snippet: take_a_message\n      with: {with_}\n")

    assert said(load) == [f'a.yaml:11: node "go": {sentence}']


def test_a_snippet_that_is_wrong_is_named_once(put: Put, load: Load) -> None:
    """By its own file and line; the includer only says that it needs it."""
    wrong = SNIPPETS.replace("max: $longest", "max: soon").replace(
        "      longest: { type: duration, default: 2m }\n", ""
    )
    put("shared/snippets", wrong)
    nodes = "  go:\n    include: { snippet: take_a_message, with: { email: box, after: bye } }\n"
    put("a", nodes)
    put("b", nodes, number="01 99 00 00 11")

    first, *others = said(load)
    assert first == 'shared/snippets.yaml:11: node "ask": max: "soon" is no duration: write "20s", "3m" or "500ms"'
    mend = 'snippet "take_a_message" cannot be used: mend it in shared/snippets.yaml first'
    assert others == [f'a.yaml:9: node "go": {mend}', f'b.yaml:9: node "go": {mend}']


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "next: $after",
            "next: $aftr",
            ':14: node "thanks": $aftr is no parameter of the snippet (a dollar is written $$) (did you mean "after"?)',
        ),
        (
            "done: thanks",
            "done: thank",
            (
                ':12: node "ask": leads to "thank", which is neither a node of the snippet nor a parameter (did you'
                ' mean "thanks"?)'
            ),
        ),
        (
            "include: { snippet: take_a_message, with: { email: box, after: second } }",
            "include: { snippet: twice, with: { where: second } }",
            ':15: snippet "twice" includes itself: twice → twice',
        ),
    ],
)
def test_what_is_wrong_in_a_snippet_whoever_includes_it(
    put: Put, load: Load, old: str, new: str, sentence: str
) -> None:
    """Names that are not there, and recursion."""
    put("shared/snippets", SNIPPETS.replace(old, new))
    put("a", BYE.replace("bye", "go").replace("Au revoir", "Oui") + "  x:\n    answer: { next: bye }\n")

    assert said(load)[0] == f"shared/snippets.yaml{sentence}"


def test_what_only_an_includer_can_get_wrong_names_both_places(put: Put, load: Load) -> None:
    """A queue that the snippet names itself."""
    text = SNIPPETS.replace(
        'play: { prompt: "Merci.", next: $after }', "queue: { name: x, max_wait: 1m, overflow: $after }"
    )
    put("shared/snippets", text)
    put("a", "  go:\n    include: { snippet: take_a_message, with: { email: box, after: bye } }\n")

    where = 'shared/snippets.yaml:14: node "thanks": '
    assert said(load) == [where + 'queue "x" is not in shared/queues.yaml (put here by a.yaml:9)']


# Other clients' trees


def test_a_redirect_to_a_client_is_its_tree(put: Put, load: Load) -> None:
    """With its own hours and zone, under its name; the version depends on both files."""
    extra = "hours: { open: { daily: '08:00-12:00' } }\n"
    put("a", "  go:\n    redirect: { client: b }\n", extra="hours: { open: { daily: '00:00-24:00' } }\n")
    put(
        "b",
        "  go:\n    opening_hours: { open: bye, closed: bye }\n",
        number="01 99 00 00 11",
        extra=extra,
        zone="Indian/Reunion",
    )
    catalogue = load()
    plan = catalogue.plans["a"]
    node = plan.nodes["b/go"]
    other = catalogue.plans["b"]

    assert catalogue.ok, catalogue.issues
    assert (plan.start, node.exits) == ("b/go", {"open": "b/bye", "closed": "b/bye"})
    assert isinstance(node, OpeningHoursNode)
    assert plan.schedules[node.hours].timezone == "Indian/Reunion"
    assert plan.where("b/go") == "b/go (b.yaml:9, from a.yaml:9)"
    put("b", "  go:\n    play: { prompt: Oui., next: bye }\n", number="01 99 00 00 11")
    assert load().plans["a"].version != plan.version
    assert load().plans["b"].version != other.version


def test_a_number_of_a_client_is_the_client(put: Put, load: Load) -> None:
    """`did` finds it by any of its numbers; a number of nobody is wrong."""
    put("a", '  go:\n    redirect: { did: "+33 1 99 00 00 11" }\n')
    put("b", "  go:\n    play: { prompt: Oui., next: bye }\n", number="01 99 00 00 11")
    assert load().plans["a"].start == "b/go"

    put("a", '  go:\n    redirect: { did: "01 99 00 00 12" }\n')
    nobody = "+33199000012 is the number of no client: to ring it, write number instead of did"
    assert said(load) == [f'a.yaml:9: node "go": {nobody}']


def test_hours_of_another_client_are_found_by_its_own_clock(put: Put, load: Load) -> None:
    """Open from 08:00 to 09:00 in Réunion is early morning in Paris: every outcome is found there, and told as such."""
    put("a", "  go:\n    redirect: { client: b }\n")
    put(
        "b",
        "  go:\n    opening_hours: { open: far, closed: bye }\n  far:\n    reject: {}\n",
        number="01 99 00 00 11",
        extra="country: FR\nhours: { open: { daily: '08:00-09:00' } }\n",
        zone="Indian/Reunion",
    )
    summer, winter = datetime(2027, 7, 1, 9, tzinfo=UTC), datetime(2027, 1, 4, 9, tzinfo=UTC)
    plan = load().plans["a"]

    for since, words in ((summer, "Fri 2027-07-02 06:30"), (winter, "Tue 2027-01-05 05:30")):
        assert words in [one.words for one in moments(plan, since)]
        assert "reject" in [one.ending.outcome for one in outcomes(plan, since).found]


def test_a_list_of_another_client_is_for_its_own_callers(put: Put, load: Load) -> None:
    """That those who are led there have been asked for the same number already hides nothing from them."""
    extra = 'lists: { vip: ["06 12 34 00 07"] }\n'
    put("a", "  go:\n    caller: { vip: bye, otherwise: on }\n  on:\n    redirect: { client: b }\n", extra=extra)
    own = "  go:\n    caller: { vip: first, otherwise: bye }\n  first:\n    play: { prompt: Oui., next: bye }\n"
    put("b", own, number="01 99 00 00 11", extra=extra)

    assert said(load) == []
    assert "b/first" in load().plans["a"].nodes


def test_clients_that_lead_to_each_other_become_a_loop(put: Put, load: Load) -> None:
    """Endless compilation there is none; a loop that needs keys is right, one that needs none is found."""
    menu = (
        "  go:\n    menu: {{ prompt: Un ou deux., keys: {{ '1': on, '2': bye }}, no_input: bye, no_match: bye }}\n"
        "  on:\n    redirect: {{ client: {other} }}\n"
    )
    put("a", menu.format(other="b"))
    put("b", menu.format(other="a"), number="01 99 00 00 11")
    catalogue = load()
    assert [str(issue) for issue in catalogue.issues if issue.severity == "error"] == []
    assert catalogue.plans["a"].nodes["b/go"].exits["key:1"] == "go"
    assert catalogue.plans["b"].nodes["a/go"].exits["key:1"] == "go"

    put("a", "  go:\n    redirect: { client: b }\n")
    put("b", "  go:\n    redirect: { client: a }\n", number="01 99 00 00 11")
    assert any("leads round to itself, and no call ever gets anywhere" in sentence for sentence in said(load))
    assert not load().plans


def test_a_wrong_client_makes_wrong_who_leads_there(put: Put, load: Load) -> None:
    """Both places are named, also through a third client; an unknown client is suggested."""
    put("a", "  go:\n    redirect: { client: b }\n")
    put("b", "  go:\n    redirect: { client: c }\n", number="01 99 00 00 11")
    put("c", "  go:\n    answer: { next: by }\n", number="01 99 00 00 12")

    wrong = 'c.yaml:9: node "go": exit "next" leads to "by", which does not exist (did you mean "bye"?)'
    refused = f"leads to c.yaml, which is refused; mend that first: {wrong}"
    found = said(load)
    assert f'a.yaml:9: node "go": {refused}' in found
    assert f'b.yaml:9: node "go": {refused}' in found
    assert wrong in found
    assert not load().plans

    put("a", "  go:\n    redirect: { client: cc }\n")
    unknown = 'client "cc" has no file in this folder (did you mean "c"?)'
    assert f'a.yaml:9: node "go": {unknown}' in said(load)


def test_one_file_alone_finds_its_neighbours(put: Put, tmp_path: Path) -> None:
    """`route` loads one file: the client it leads to is read from the same folder."""
    put("a", "  go:\n    redirect: { client: b }\n")
    put("b", "  go:\n    play: { prompt: Oui., next: bye }\n", number="01 99 00 00 11")
    catalogue = load_directory(tmp_path / "a.yaml", PaperSpeech())

    assert catalogue.ok
    assert list(catalogue.plans) == ["a"]
    assert catalogue.plans["a"].start == "b/go"


def test_who_leads_to_a_changed_client_is_compiled_again(put: Put, tmp_path: Path) -> None:
    """And nobody else; when the client goes, whoever leads there is wrong."""
    from_b = "  go:\n    play: {{ prompt: {0}., next: bye }}\n"
    put("a", "  go:\n    redirect: { client: b }\n")
    put("b", from_b.format("Oui"), number="01 99 00 00 11")
    put("c", from_b.format("Non"), number="01 99 00 00 12")
    loader = Loader(tmp_path, PaperSpeech())
    before = loader.load()
    put("b", from_b.format("Si"), number="01 99 00 00 11")
    after = loader.load()
    sound = after.plans["a"].nodes["b/go"]

    assert isinstance(sound, PlayNode)
    assert [part.text for part in sound.sounds] == ["Si."]
    assert after.plans["a"].version != before.plans["a"].version
    assert after.plans["c"] is before.plans["c"]
    (tmp_path / "b.yaml").unlink()
    assert [str(issue) for issue in loader.load().issues] == [
        'a.yaml:9: node "go": client "b" has no file in this folder'
    ]


def test_a_number_that_becomes_a_clients_may_not_be_dialled_any_more(put: Put, tmp_path: Path) -> None:
    """Though the file that dials it has not changed; and may again when that client goes."""
    put("a", '  go:\n    redirect: { number: "01 99 00 00 11", failed: bye }\n')
    loader = Loader(tmp_path, PaperSpeech())
    before = loader.load()
    put("b", "  go:\n    play: { prompt: Oui., next: bye }\n", number="01 99 00 00 11")
    refused = loader.load()
    (tmp_path / "b.yaml").unlink()
    after = loader.load()

    assert before.ok
    assert after.ok
    assert list(refused.plans) == ["b"]
    assert [issue.message.partition(": ")[0] for issue in refused.issues] == ["+33199000011 is a number of b.yaml"]


# Languages

BILINGUAL = """\
  go:
    menu:
      prompt: { say: "Pour le français, tapez 1. For English, press 2." }
      keys: { "1": hello, "2": english }
      no_input: hello
      no_match: hello
  english:
    set: { language: en, next: hello }
  hello:
    play: { prompt: { say: { fr: "Bonjour.", en: "Good morning." } }, next: end }
  end:
    hangup: { prompt: { say: { fr: "Au revoir.", en: "Goodbye." } } }
"""


def test_a_text_that_is_missing_in_a_language(put: Put, load: Load) -> None:
    """What is reached after the change must be written in the other language too."""
    put(
        "a",
        BILINGUAL.replace("end:\n    hangup: { prompt", "end:\n    play: { next: bye, prompt").replace(
            '{ fr: "Au revoir.", en: "Goodbye." } } }', '{ fr: "Fin.", en: "The end." } } }'
        ),
        extra="languages: [fr, en]\n",
    )
    problem = said(load)
    want = "the text is written in fr only, and callers come here in en: write { fr: …, en: … }"
    assert problem == [f'a.yaml:22: node "bye": {want}']


def test_every_text_in_every_language(tmp_path: Path, put: Put, load: Load) -> None:
    """Each language has its copy of the nodes that calls reach in it."""
    put("a", BILINGUAL, extra="languages: [fr, en]\n")
    path = tmp_path / "a.yaml"
    path.write_text(path.read_text().replace(BYE, "").replace("node: bye", "node: end"))
    plan = load().plans["a"]

    english = plan.nodes["end@en"]
    french = plan.nodes["end"]
    assert plan.nodes["english"].exits == {"next": "hello@en"}
    assert plan.nodes["hello@en"].exits == {"next": "end@en"}
    assert isinstance(english, HangupNode)
    assert isinstance(french, HangupNode)
    assert [english.sounds[0].text, french.sounds[0].text] == ["Goodbye.", "Au revoir."]
    assert isinstance(plan.nodes["go"], MenuNode)
    assert "go@en" not in plan.nodes


def test_who_changes_the_language_may_begin_again(put: Put, load: Load) -> None:
    """A list that nobody can be on any more there is asked all the same: in the first language it decides."""
    two = "{ say: { fr: Oui., en: Yes. } }"
    nodes = (
        "  go:\n    caller: { vip: first, otherwise: ask }\n"
        f"  first:\n    play: {{ prompt: {two}, next: end }}\n"
        f"  ask:\n    menu: {{ prompt: {two}, keys: {{ '9': english }}, no_input: end, no_match: end }}\n"
        "  english:\n    set: { language: en, next: go }\n"
        f"  end:\n    hangup: {{ prompt: {two} }}\n"
    )
    lists = 'lists: { vip: ["06 12 34 00 07"], again: ["+33 6 12 34 00 07"] }\n'
    put("a", nodes, extra=f"languages: [fr, en]\n{lists}")
    assert said(load) == []

    again = nodes.replace("otherwise: ask }", "otherwise: more }") + (
        "  more:\n    caller: { again: first, otherwise: ask }\n"
    )
    put("a", again, extra=f"languages: [fr, en]\n{lists}")
    hidden = 'list "again" never decides: list "vip", asked before, holds all of it; ask "again" first'
    assert said(load) == [f'a.yaml:21: node "more": {hidden}']


def test_a_language_the_client_has_not(put: Put, load: Load) -> None:
    """It must be among the client's languages."""
    put("a", "  go:\n    set: { language: en, next: bye }\n")

    wrong = 'language "en" is none of the client\'s (fr): add it to languages'
    assert said(load) == [f'a.yaml:9: node "go": {wrong}']


# Calendars and rotas

CALENDARS = """\
calendars:
  office:
    open: { mon-fri: "09:00-17:00" }
    holidays: FR
    exceptions: { "2026-12-24": "09:00-12:00" }
rotas:
  doctors:
    timezone: Europe/Paris
    change: mon 08:00
    cycle: [anne, bruno]
    starting: 2026-11-23
    weeks: { 2026-W50: carla }
    exceptions: { "2026-12-25": carla }
"""


def test_a_calendar_of_several_clients(put: Put, load: Load) -> None:
    """The client's own exceptions come first; what is wrong in the calendar is named in its file."""
    put("shared/calendars", CALENDARS)
    hours = "hours: { calendar: office, exceptions: { '2026-12-24': '14:00-15:00' }, closed: 2026-12-28 }\n"
    put("a", "  go:\n    opening_hours: { open: bye, closed: bye }\n", extra=hours)
    (schedule,) = load().plans["a"].schedules.values()

    def is_open(day: int, hour: int) -> bool:
        return schedule.at(datetime(2026, 12, day, hour, 30, tzinfo=UTC)).open

    assert [is_open(23, 9), is_open(24, 9), is_open(24, 13), is_open(25, 9), is_open(28, 9)] == [
        True,
        False,
        True,
        False,
        False,
    ]
    put("a", "  go:\n    opening_hours: { open: bye, closed: bye }\n", extra="hours: { calendar: ofice }\n")
    assert said(load) == ['a.yaml:7: calendar "ofice" is not in shared/calendars.yaml (did you mean "office"?)']
    put("shared/calendars", CALENDARS.replace("holidays: FR", "holidays: XX"))
    assert said(load)[0].startswith('shared/calendars.yaml:4: calendar "office": holidays of "XX" are not known')


@pytest.mark.parametrize(
    ("at", "who"),
    [
        (datetime(2026, 11, 23, 6, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 23, 7, 0, tzinfo=UTC), "anne"),
        (datetime(2026, 11, 30, 6, 59, tzinfo=UTC), "anne"),
        (datetime(2026, 11, 30, 7, 0, tzinfo=UTC), "bruno"),
        (datetime(2026, 12, 7, 7, 0, tzinfo=UTC), "carla"),
        (datetime(2026, 12, 14, 6, 59, tzinfo=UTC), "carla"),
        (datetime(2026, 12, 25, 6, 59, tzinfo=UTC), "anne"),
        (datetime(2026, 12, 25, 7, 0, tzinfo=UTC), "carla"),
        (datetime(2026, 12, 26, 6, 59, tzinfo=UTC), "carla"),
        (datetime(2026, 12, 26, 7, 0, tzinfo=UTC), "anne"),
        (datetime(2027, 7, 5, 6, 0, tzinfo=UTC), "anne"),
    ],
)
def test_who_is_on_call(put: Put, load: Load, at: datetime, who: str | None) -> None:
    """By the wall clock of the rota's zone: exceptions, weeks written out, the cycle; nobody before it begins."""
    put("shared/calendars", CALENDARS)
    put("a", "  go:\n    dial: { contacts: [doctors], ring: 20s, no_answer: bye }\n")
    plan = load().plans["a"]
    node = plan.nodes["go"]
    assert isinstance(node, DialNode)
    turn = start(
        plan,
        CallOffered(
            call_id="1",
            did="+33199000010",
            caller=CallerId(number="+33612345678", name="", presentation=Presentation.ALLOWED),
            at=at,
        ),
    )

    assert [contact.name for contact in node.targets(0, at)] == ([who] if who else [])
    assert [attempt.target for attempt in turn.call.dials] == ([who] if who else [])
    assert {contact.name for contact in node.people()} == {"anne", "bruno", "carla"}


def test_a_rota_with_nobody_is_passed_over(put: Put, load: Load) -> None:
    """The next of the contacts has their turn, and only theirs."""
    put("shared/calendars", CALENDARS)
    put("a", "  go:\n    dial: { contacts: [doctors, carla], ring: 20s, no_answer: bye }\n")
    plan = load().plans["a"]
    at = datetime(2026, 11, 1, tzinfo=UTC)
    caller = CallerId(number="+33612345678", name="", presentation=Presentation.ALLOWED)
    turn = start(plan, CallOffered(call_id="1", did="+33199000010", caller=caller, at=at))
    assert [attempt.target for attempt in turn.call.dials] == ["carla"]

    ended = DialEnded(step=turn.call.step, outcome=DialOutcome.NO_ANSWER, at=at)
    after = step(plan, turn.call, ended).call
    assert after.node == "bye"
    assert len(replace(after).dials) == 1


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "[anne, bruno]",
            "[anne, Bruno]",
            ':10: rotas.doctors.cycle.2: "Bruno" is no name: use lower-case letters, digits, "_" and "-", a letter first',  # noqa: E501
        ),
        (
            "[anne, bruno]",
            "anne, bruno",
            ':10: rotas.doctors.cycle: "anne, bruno" is no name: where several may stand, write a list, [anne, bruno]',
        ),
        ("[anne, bruno]", "[anne, box]", ':10: rota "doctors": contact "box" has no number to ring'),
        (
            "[anne, bruno]",
            "[anna, bruno]",
            ':10: rota "doctors": contact "anna" is not in shared/contacts.yaml, whose contacts alone a rota names (did you mean "anne"?)',  # noqa: E501
        ),
        (
            "    starting: 2026-11-23\n",
            "",
            ':7: "starting" is missing: say in which week the first of the cycle begins, as in 2026-11-23',
        ),
        ("mon 08:00", "8h", ':9: rotas.doctors.change: "8h" is no instant of a week: write "mon 08:00"'),
        ("2026-W50", "2026-W54", ':12: rotas.doctors.weeks.2026-W54: "2026-W54" does not exist in the calendar'),
        ("Europe/Paris", "Europe/Parys", ':8: rota "doctors": "Europe/Parys" is no time zone'),
    ],
)
def test_a_wrong_rota(put: Put, load: Load, old: str, new: str, sentence: str) -> None:
    """Named with file and line."""
    put("shared/calendars", CALENDARS.replace(old, new))
    put("a", "  go:\n    play: { prompt: Oui., next: bye }\n")

    assert said(load) == [f"shared/calendars.yaml{sentence}"]
