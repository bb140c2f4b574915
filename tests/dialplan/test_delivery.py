"""Policies of delivery in a client's file: what they become, in whose plan, and what is wrong with them by rota."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.dispatch import Course, Means, Policy, Reach, Step
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.compile.frame import named, scope_of
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.issues import errors
from callrouter.dialplan.language.reader import read
from callrouter.testing import TUESDAY_10
from tests.dialplan.random_trees import HEAD, SHARED
from tests.dialplan.reference.test_schema import complaints

CONTACTS = """country: FR
contacts:
  anna: { name: Docteur Anna, number: "06 12 34 00 21", email: anna@acme.example }
  bob: { name: Docteur Bob, number: "06 12 34 00 22", email: bob@acme.example }
  carl: { number: "06 12 34 00 23" }
  box: { name: Boîte, email: box@acme.example, pin: "env:BOX_PIN" }
"""
ROTAS = """rotas:
  duty: { timezone: Europe/Paris, change: mon 08:00, cycle: [anna, bob], starting: 2026-01-05 }
"""
SNIPPET = """snippets:
  word:
    parameters: { to: contact, after: node }
    start: ask
    nodes: { ask: { message: { prompt: "Un message ?", deliver: $to, done: $after } } }
"""
CLIENT = """client: {name}
numbers: ["01 99 00 00 {number}"]
timezone: Europe/Paris
language: fr
hours: {{ open: {{ mon-fri: "08:00-18:00" }} }}
contacts: {{ {contacts} }}
delivery:
{delivery}
fallback: {{ node: bye }}
start: first
nodes:
  first: {first}
  bye: {{ hangup: {{}} }}
"""
RIGHT = "  doctors: { urgent: { to: duty, by: [sms, email], wait: 10m } }"
TELLS = "{ message: { deliver: doctors, done: bye } }"


def load(
    folder: Path, delivery: str = RIGHT, *, first: str = TELLS, contacts: str = "", rotas: str = ROTAS, **others: str
) -> Catalogue:
    """One client, or more: `others` are the nodes `first` of those that have no policies, by name."""
    shared = folder / "shared"
    shared.mkdir(parents=True, exist_ok=True)
    (shared / "contacts.yaml").write_text(CONTACTS)
    (shared / "calendars.yaml").write_text(rotas)
    (shared / "snippets.yaml").write_text(SNIPPET)
    files = {"first": first, **others}
    for place, (name, node) in enumerate(files.items(), 10):
        written = CLIENT.format(name=name, number=place, contacts=contacts, delivery=delivery, first=node)
        if name != "first":
            written = written.replace(f"contacts: {{ {contacts} }}\ndelivery:\n{delivery}\n", "")
        (folder / f"{name}.yaml").write_text(written)
    return load_directory(folder, PaperSpeech(), now=TUESDAY_10)


def plan_of(folder: Path, delivery: str = RIGHT, **more: str) -> Plan:
    catalogue = load(folder, delivery, **more)
    assert [str(issue) for issue in catalogue.issues] == []
    return catalogue.plans["first"]


def found(folder: Path, delivery: str = RIGHT, **more: str) -> list[str]:
    return [str(issue) for issue in load(folder, delivery, **more).issues]


def test_what_is_written_becomes_a_policy(tmp_path: Path) -> None:
    """With the people who may be on call by its rota; all contacts have their addresses in the plan."""
    delivery = """  doctors:
    urgent:
      - { to: duty, by: [sms, email], wait: 10m }
      - { to: [anna, crm], wait: 1h30m }
    repeat: 2
    ordinary: [{ to: box, at: ["18:00", "12:00"] }, { to: anna, by: email, hours: open, wait: 2h }]
    ages: 20h
    confidential: true"""
    crm = 'crm: { url: "https://acme.example/x", secret: "env:CRM", pin: "env:CRM_PIN", language: en }'
    plan = plan_of(tmp_path, delivery, contacts=crm)

    assert plan.policies == {
        "doctors": Policy(
            name="doctors",
            urgent=Course(
                steps=(
                    Step(to=("duty",), by=(Means.SMS, Means.EMAIL), wait_seconds=600),
                    Step(to=("anna", "crm"), by=(), wait_seconds=5400),
                ),
                repeat=2,
            ),
            ordinary=Course(
                steps=(
                    Step(to=("box",), by=(), at=(time(12), time(18))),
                    Step(to=("anna",), by=(Means.EMAIL,), wait_seconds=7200, hours="open"),
                )
            ),
            ages_seconds=72_000,
            confidential=True,
        )
    }
    assert list(plan.people) == ["anna", "bob", "carl", "box", "crm"]
    assert plan.people["anna"].address(Means.SMS) == "sms:+33612340021"
    assert plan.people["crm"] == Reach(
        name="crm", title="crm", url="https://acme.example/x", secret="CRM", pin="CRM_PIN", language="en"
    )
    assert [one.name for one in plan.rotas["duty"].people()] == ["anna", "bob"]
    assert plan.policy_for("doctors") == plan.policies["doctors"]
    alone = plan.policy_for("box")
    assert alone is not None
    assert alone.urgent.steps == (Step(to=("box",), by=(Means.EMAIL,)),)


def test_one_course_is_the_other_where_nothing_else_is_written(tmp_path: Path) -> None:
    """Whichever of the two is written."""
    urgent = plan_of(tmp_path / "urgent").policies["doctors"]
    ordinary = plan_of(tmp_path / "ordinary", RIGHT.replace("urgent", "ordinary")).policies["doctors"]

    assert urgent == ordinary
    assert urgent.urgent == urgent.ordinary == Course(steps=urgent.urgent.steps)


@pytest.mark.parametrize("hours", ["hours: { open: { mon-fri: '08:00-18:00' } }", "hours: { desk: { open: {} } }"])
def test_the_only_hours_need_no_name(hours: str) -> None:
    """Whether they have one or not."""
    names = {"contacts": {"a": {"email": "a@a.example"}}, "delivery": {"x": {"ordinary": {"to": "a", "hours": "open"}}}}
    (step,) = policies(names, hours=hours)["x"].ordinary.steps

    assert step.hours in hours


def policies(document: dict[str, Any], hours: str = "") -> dict[str, Policy]:
    """Those of a document that need not be right otherwise."""
    rest = {"start": "bye", "nodes": {"bye": {"hangup": {}}}}
    base = {key: value for key, value in HEAD.items() if key not in ("forms", "hours")}
    content = json.dumps({**base, **rest, **document})
    text = f"{content[:-1]},\n{hours}\n}}" if hours else content
    drafted = draft(read(text.encode(), "acme.yaml"))
    assert isinstance(drafted.file, ClientFile), drafted.issues
    scope = named(scope_of(drafted, drafted.file, SHARED, PaperSpeech()), drafted.file, TUESDAY_10.date())
    return dict(scope.policies)


# What is written is what is compiled

_PEOPLE = ("doctor", "office", "crm", "nurse")
_WAITS = st.sampled_from([("1m", 60.0), ("10m", 600.0), ("1h30m", 5400.0), ("24h", 86_400.0)])
_CLOCKS = st.lists(st.sampled_from(["00:00", "8:05", "12:00", "23:59"]), min_size=1, max_size=3, unique=True)


@st.composite
def _written_step(draw: st.DrawFn, *, urgent: bool) -> tuple[Any, Step]:
    """A step as somebody may write it, and what it is."""
    to = draw(st.lists(st.sampled_from(_PEOPLE), min_size=1, max_size=3, unique=True))
    if draw(st.booleans()) and len(to) == 1:
        return to[0], Step(to=tuple(to), by=())
    by = draw(st.lists(st.sampled_from(list(Means)), max_size=3, unique=True))
    written: dict[str, Any] = {"to": to[0] if len(to) == 1 and draw(st.booleans()) else to}
    if by:
        written["by"] = str(by[0]) if len(by) == 1 and draw(st.booleans()) else list(map(str, by))
    wait = draw(st.none() | _WAITS)
    if wait:
        written["wait"] = wait[0]
    at = [] if urgent or Means.PHONE in by else draw(st.just([]) | _CLOCKS)
    if at:
        written["at"] = at[0] if len(at) == 1 else at
    clocks = sorted(time(int(one.partition(":")[0]), int(one[-2:])) for one in at)
    return written, Step(to=tuple(to), by=tuple(by), wait_seconds=wait[1] if wait else 0.0, at=tuple(clocks))


@st.composite
def _written_policy(draw: st.DrawFn) -> tuple[dict[str, Any], Policy]:
    written: dict[str, Any] = {}
    courses: dict[str, Course] = {}
    kinds = draw(st.sampled_from([("urgent",), ("ordinary",), ("urgent", "ordinary")]))
    for kind in kinds:
        steps = draw(st.lists(_written_step(urgent=kind == "urgent"), min_size=1, max_size=4))
        listed = [one for one, _ in steps]
        written[kind] = listed[0] if len(listed) == 1 and draw(st.booleans()) else listed
        courses[kind] = Course(steps=tuple(step for _, step in steps))
    if "urgent" in kinds and (repeat := draw(st.integers(0, 20))):
        written["repeat"] = repeat
        courses["urgent"] = Course(steps=courses["urgent"].steps, repeat=repeat)
    ages = draw(st.none() | _WAITS) if len(kinds) > 1 else None
    if ages:
        written["ages"] = ages[0]
    if confidential := draw(st.booleans()):
        written["confidential"] = draw(st.sampled_from([True, "yes"]))
    policy = Policy(
        name="rule",
        urgent=courses.get("urgent") or courses["ordinary"],
        ordinary=courses.get("ordinary") or courses["urgent"],
        ages_seconds=ages[1] if ages else 0.0,
        confidential=confidential,
    )
    return written, policy


@given(_written_policy())
def test_a_policy_is_exactly_what_was_written(case: tuple[dict[str, Any], Policy]) -> None:
    """In any of the ways to write it."""
    written, policy = case

    assert policies({"delivery": {"rule": written}}) == {"rule": policy}


@pytest.mark.parametrize(
    "wrong",
    [
        "{ urgent: { by: sms } }",
        "{ urgent: { to: a, by: mail } }",
        "{ urgent: { to: a, wait: 10 minutes } }",
        "{ ordinary: { to: a, at: noon } }",
        "{ ordinary: [{ to: a }, { for: a }] }",
        "{ urgent: { to: a }, repeat: twice }",
    ],
)
def test_an_editor_sees_what_is_wrong(wrong: str) -> None:
    """While the policy is written; and nothing is wrong with what is right."""
    right = "{ urgent: [{ to: a, by: [sms, email], wait: 10m }, b], repeat: 2, ordinary: { to: a, at: '18:00' } }"
    for written, finds in ((wrong, True), (right, False)):
        text = CLIENT.format(name="a", number=10, contacts="", delivery=f"  x: {written}", first=TELLS)
        assert bool(complaints("client", text)) is finds


# Whose it is


def test_a_snippet_is_given_a_policy(tmp_path: Path) -> None:
    """Where it asks for a contact; nothing else may ring one."""
    first = "{ include: { snippet: word, with: { to: doctors, after: bye } } }"
    plan = plan_of(tmp_path, first=first)
    node: Any = plan.nodes["first/ask"]

    assert node.deliver == "doctors"
    assert found(tmp_path, first="{ dial: { contacts: [doctors], no_answer: bye } }") == [
        (
            'first.yaml:8: warning: policy "doctors" is named by no form and no node: take it out, or write deliver:'
            " doctors [idle-policy]"
        ),
        'first.yaml:12: node "first": contact "doctors" is not in shared/contacts.yaml',
    ]


def test_another_clients_tree_tells_that_clients_people(tmp_path: Path) -> None:
    """Under names that cannot be mistaken; what all share needs none, unless the client has somebody of that name."""
    crm = 'crm: { url: "https://acme.example/x" }'
    delivery = "  doctors: { urgent: [{ to: [anna, box], by: email, wait: 10m }, { to: [crm, duty], wait: 10m }] }"
    plan = plan_of(tmp_path / "a", delivery, contacts=crm, second="{ redirect: { client: first } }")
    assert {*plan.policies} == {"doctors"}
    second = load_directory(tmp_path / "a", PaperSpeech(), now=TUESDAY_10).plans["second"]
    node: Any = second.nodes["first/first"]
    policy = second.policy_for(node.deliver)

    assert node.deliver == "first/doctors"
    assert policy is not None
    assert [step.to for step in policy.urgent.steps] == [("anna", "box"), ("first/crm", "duty")]
    assert second.people["first/crm"].url == "https://acme.example/x"
    assert {*second.rotas} == {"duty"}


def test_a_contact_of_another_clients_is_known_too(tmp_path: Path) -> None:
    """As a message may be for them alone."""
    own = 'anna: { email: mine@acme.example, pin: "env:A" }, bob: { email: bobs@acme.example, pin: "env:B" }'
    delivery = "  two: { urgent: { to: [anna, bob], wait: 10m }, confidential: true }"
    first = "{ message: { deliver: anna, done: then } }\n  then: { message: { deliver: two, done: bye } }"
    catalogue = load(tmp_path, delivery, contacts=own, first=first, second="{ redirect: { client: first } }")
    assert [str(issue) for issue in catalogue.issues] == []
    second = catalogue.plans["second"]
    node: Any = second.nodes["first/first"]

    assert node.deliver == "first/anna"
    assert second.policies["first/two"].urgent.steps[0].to == ("first/anna", "first/bob")
    assert second.people["first/anna"].email == "mine@acme.example"
    assert second.people["anna"].email == "anna@acme.example"


# Rotas


@pytest.mark.parametrize(
    ("rota", "sentence"),
    [
        (
            "{ timezone: Europe/Paris, weeks: { 2026-W01: anna, 2026-W02: bob } }",
            (
                'first.yaml:8: policy "doctors", urgent: rota "duty" has nobody from Mon 2026-01-12'
                " 00:00 on: write who follows"
                " in shared/calendars.yaml"
            ),
        ),
        (
            "{ timezone: Europe/Paris, change: fri 12:00, weeks: { 2026-W01: anna, 2026-W03: bob, 2026-W04: bob } }",
            (
                'first.yaml:8: policy "doctors", urgent: nobody is on call by rota "duty" from Fri 2026-01-09 12:00'
                " to Fri 2026-01-16 12:00: write who is, in shared/calendars.yaml, or a contact who"
                " is told then, with last"
            ),
        ),
        (
            (
                '{ timezone: Europe/Paris, shifts: { day: { when: "mon-fri 08:00-18:00", cycle: [anna, bob] } },'
                " starting: 2026-01-05 }"
            ),
            (
                'first.yaml:8: policy "doctors", urgent: nobody is on call by rota "duty" from Tue 2026-01-06 00:00'
                " to Tue 2026-01-06 08:00: write who is, in shared/calendars.yaml, or a contact who"
                " is told then, with last"
            ),
        ),
        (
            "{ timezone: Europe/Paris, cycle: [anna, carl], starting: 2026-01-05 }",
            (
                'first.yaml:8: policy "doctors", urgent: "carl", whom rota "duty" names, has no'
                " email to be told by email:"
                " write it (shared/contacts.yaml:5), or name other means"
            ),
        ),
    ],
)
def test_nobody_is_there_or_has_no_address(tmp_path: Path, rota: str, sentence: str) -> None:
    """By a rota: as soon as that is known, and not only when the time has come."""
    catalogue = load(tmp_path, rotas=f"rotas:\n  duty: {rota}\n")
    (issue,) = catalogue.issues

    assert str(issue) == sentence
    assert issue.dated is ("carl" not in rota)


def test_who_was_on_call_long_ago_needs_no_address(tmp_path: Path) -> None:
    """Nor does who had a day, or a part of one, that is over."""
    rota = """rotas:
  duty:
    timezone: Europe/Paris
    cycle: [anna, bob]
    starting: 2025-01-06
    weeks: { 2025-W10: carl }
    exceptions: { 2025-12-24: carl, "2025-12-31 18:00..24:00": carl }
"""
    assert found(tmp_path, rotas=rota) == []
    assert len(found(tmp_path, rotas=rota.replace("2025-12-24", "2026-02-01"))) == 1


def test_a_contact_who_follows_is_told_when_nobody_is_on_call(tmp_path: Path) -> None:
    """Then a gap is no mistake, as long as there are two ways; a rota that ends is one."""
    gap = "rotas:\n  duty: { timezone: Europe/Paris, weeks: { 2026-W02: anna, 2026-W04: bob, 2026-W05: bob } }\n"
    ends = "rotas:\n  duty: { timezone: Europe/Paris, weeks: { 2026-W02: anna } }\n"
    delivery = "  doctors: { urgent: [{ to: duty, by: sms, wait: 10m }, { to: bob, by: [sms, email], wait: 10m }] }"
    one_way = delivery.replace("[sms, email]", "email")

    assert found(tmp_path, delivery, rotas=gap) == []
    assert found(tmp_path, one_way, rotas=gap) == [
        (
            'first.yaml:8: policy "doctors": an urgent message that comes on Mon 2026-01-12 00:00'
            ' reaches "bob" by e-mail,'
            " and that is all: tell somebody else too, or by other means, in the same step or in one more"
        )
    ]
    assert found(tmp_path, delivery, rotas=ends) == [
        (
            'first.yaml:8: policy "doctors", urgent, step 1: rota "duty" has nobody from Mon'
            " 2026-01-12 00:00 on: write who"
            " follows in shared/calendars.yaml"
        )
    ]


@pytest.mark.parametrize(
    ("ordinary", "sentence"),
    [
        ('{ to: nights, by: email, at: "20:00" }', ""),
        ('{ to: nights, by: email, at: ["20:00", "12:00"] }', "nobody is on call"),
        ("{ to: nights, by: email, hours: open }", "nobody is ever told of its ordinary messages"),
        ("[{ to: nights, by: email, hours: open }, anna]", "ordinary, step 1: never begins"),
        ("[{ to: nights, by: email }, anna]", ""),
    ],
)
def test_a_rota_is_asked_when_a_step_may_begin(tmp_path: Path, ordinary: str, sentence: str) -> None:
    """A digest at eight in the evening may be for whoever has the night."""
    nights = '  nights: { timezone: Europe/Paris, shifts: { n: { when: "daily 19:00-07:00", cycle: [anna] } }, '
    delivery = f"{RIGHT[:-2]}, ordinary: {ordinary} }}"
    issues = found(tmp_path, delivery, rotas=f"{ROTAS}{nights}starting: 2025-01-06 }}\n")

    assert len(issues) == bool(sentence)
    assert sentence in "".join(issues)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"first": "{ message: { deliver: duty, done: bye } }"},
            (
                'first.yaml:12: node "first": "duty" is a rota, and messages are for a contact or a'
                " policy: name a policy,"
                ' written under "delivery", with a step that tells it'
            ),
        ),
        (
            {"delivery": RIGHT.replace("doctors", "duty"), "first": TELLS.replace("doctors", "duty")},
            (
                'first.yaml:8: policy "duty" has the name of a rota of shared/calendars.yaml, and'
                " deliver: duty could mean"
                " either: give the policy another one"
            ),
        ),
        (
            {"contacts": "anna: { email: other@acme.example }"},
            (
                'first.yaml:6: rota "duty", which is told of messages, names "anna" of'
                " shared/contacts.yaml, and this is"
                " somebody else: give the one here another name"
            ),
        ),
        (
            {"delivery": RIGHT.replace("to: duty", "to: [duty, dutty]")},
            'first.yaml:8: contact "dutty" is not in shared/contacts.yaml (did you mean "duty"?)',
        ),
    ],
)
def test_names_that_could_mean_something_else(tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    """Each is an error, where it is written."""
    catalogue = load(tmp_path, **changes)

    assert [str(one) for one in errors(catalogue.issues)] == [sentence]


def test_the_same_contact_in_the_file_is_nobody_else(tmp_path: Path) -> None:
    """A client's own contact may be written as all others have it."""
    own = 'anna: { name: Docteur Anna, number: "06 12 34 00 21", email: anna@acme.example }'

    assert found(tmp_path, contacts=own) == []


def test_time_alone_takes_no_plan_out_of_service(tmp_path: Path) -> None:
    """A rota that ends soon refuses a change; the plan that is there may stay."""
    ends = "rotas:\n  duty: { timezone: Europe/Paris, weeks: { 2026-W02: anna } }\n"
    catalogue = load(tmp_path, rotas=ends)

    assert catalogue.plans == {}
    assert {*catalogue.overdue} == {"first.yaml"}


def weeks(*names: str) -> str:
    """A rota that is written for some weeks."""
    having = ", ".join(f"{name}: anna" for name in names)
    return f"rotas:\n  duty: {{ timezone: Europe/Paris, weeks: {{ {having} }} }}\n"


def test_a_rota_that_ends_needs_somebody_after_it(tmp_path: Path) -> None:
    """Who has no cycle ends, some day: who is told then is said now."""
    rotas = weeks("2026-W02", "2026-W03", "2026-W04", "2026-W05", "2026-W06")
    wrong = 'first.yaml:8: policy "doctors", urgent: rota "duty" is written until 2026-W06, and nobody is told after it'
    assert found(tmp_path, rotas=rotas) == [f"{wrong}: name a contact who is told then, with last"]

    last = plan_of(tmp_path, RIGHT.replace(" } }", " }, last: bob }"), rotas=rotas)
    assert last.policies["doctors"].last == "bob"
    followed = "  doctors: { urgent: [{ to: duty, by: [sms, email], wait: 10m }, { to: bob, by: email, wait: 1h }] }"
    assert plan_of(tmp_path, followed, rotas=rotas).policies["doctors"].last == ""


def test_who_is_told_last_covers_the_gaps_of_a_rota(tmp_path: Path) -> None:
    """By the means of the step; whoever has no address for it is no help."""
    rotas = """rotas:
  duty:
    timezone: Europe/Paris
    starting: 2026-01-05
    shifts: { day: { when: "mon-fri 08:00-18:00", cycle: [anna, bob] } }
"""
    assert len(found(tmp_path, rotas=rotas)) == 1
    assert found(tmp_path, RIGHT.replace(" } }", " }, last: bob }"), rotas=rotas) == []
    (lacks,) = found(tmp_path, RIGHT.replace(" } }", " }, last: carl }"), rotas=rotas)
    assert lacks == (
        'first.yaml:8: policy "doctors", urgent: contact "carl" has no email to be told by email:'
        " write it (shared/contacts.yaml:5), or name other means"
    )


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        ("duty", '"duty" is a rota, and last is told where a rota has nobody: name a contact'),
        ("nobody", 'contact "nobody" is not in shared/contacts.yaml'),
    ],
)
def test_who_is_told_last_is_a_contact(tmp_path: Path, last: str, sentence: str) -> None:
    """A rota may end, too."""
    (said,) = found(tmp_path, RIGHT.replace(" } }", f" }}, last: {last} }}"))
    assert said.startswith("first.yaml:8:")
    assert sentence in said


def test_nobody_stands_in_where_there_is_no_rota(tmp_path: Path) -> None:
    """What would never do anything is said to be so."""
    delivery = "  doctors: { urgent: { to: anna, by: [sms, email], wait: 10m }, last: bob }"
    (said,) = found(tmp_path, delivery)
    assert said.endswith(
        "last is told where a rota has nobody, and its steps name no rota: take it out, or name them in a step"
    )


@pytest.mark.parametrize(("days", "refused"), [(7, False), (21, True)])
def test_how_far_ahead_a_rota_must_be_written_is_a_setting(tmp_path: Path, days: int, refused: bool) -> None:
    """Of the house, in the file of its rotas."""
    rotas = weeks("2026-W02", "2026-W03", "2026-W04") + f"days_ahead: {days}\n"
    said = found(tmp_path, RIGHT.replace(" } }", " }, last: bob }"), rotas=rotas)
    assert [" has nobody from Mon 2026-01-26 00:00 on" in one for one in said] == [True] * refused


def test_two_weeks_are_looked_at(tmp_path: Path) -> None:
    """What comes after is for another day to say."""
    rotas, delivery = weeks("2026-W02", "2026-W03", "2026-W04"), RIGHT.replace(" } }", " }, last: bob }")
    late = load(tmp_path, delivery, rotas=rotas)
    assert late.issues == ()

    (issue,) = load_directory(tmp_path, PaperSpeech(), now=TUESDAY_10 + timedelta(days=7)).issues
    assert "has nobody from Mon 2026-01-26 00:00 on" in str(issue)
    assert isinstance(late.loaded_at, datetime)
