"""Forms in a client's file: what they become, for which calls they are, and what they cost who has none."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.call import CallerId, Presentation
from callrouter.core.forms import Field, FieldType, Filled, Form, HoursAre, When, fill
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.compile.forms import never_chosen
from callrouter.dialplan.show.text import tree
from callrouter.testing import TUESDAY_10
from tests.dialplan.conftest import NOW
from tests.dialplan.reference.test_schema import complaints

FULL = Path(__file__).parent / "full_language"
SHARED = """queues: { medical: { members: [anne] } }
"""
SNIPPET = """snippets:
  in_line:
    start: wait
    parameters: { after: node }
    nodes: { wait: { queue: { name: medical, max_wait: 1m, overflow: $after } } }
"""
CLIENT = """client: {name}
numbers: ["01 99 00 00 {number}"]
timezone: Europe/Paris
language: fr
languages: [fr, en]
{hours}
contacts: {{ desk: {{ email: desk@acme.example }} }}
fallback: {{ queue: medical }}
forms: {forms}
start: menu
nodes:
  menu:
    menu:
      prompt: {{ say: {{ fr: "1, 2 ou 3.", en: "1, 2 or 3." }} }}
      keys: {{ "1": line, "2": included, "3": english, "4": {other} }}
      no_input: line
      no_match: line
  line: {{ queue: {{ name: medical, max_wait: 1m, overflow: bye }} }}
  included: {{ include: {{ snippet: in_line, with: {{ after: bye }} }} }}
  english: {{ set: {{ language: en, next: line }} }}
  {elsewhere}
  bye: {{ hangup: {{}} }}
"""
HOURS = 'hours: { open: { mon-fri: "08:00-18:00" } }'
ELSEWHERE = "elsewhere: { redirect: { client: other } }"


def load(folder: Path, forms: str, hours: str = HOURS) -> Catalogue:
    """Two clients, of whom the first leads to the other."""
    (folder / "shared").mkdir(parents=True, exist_ok=True)
    (folder / "shared" / "queues.yaml").write_text(SHARED)
    (folder / "shared" / "snippets.yaml").write_text(SNIPPET)
    first = CLIENT.format(name="first", number="10", forms=forms, hours=hours, other="elsewhere", elsewhere=ELSEWHERE)
    other = CLIENT.format(name="other", number="11", forms="{}", hours=hours, other="line", elsewhere="")
    (folder / "first.yaml").write_text(first)
    (folder / "other.yaml").write_text(other)
    return load_directory(folder, PaperSpeech(), now=TUESDAY_10)


def plan_of(folder: Path, forms: str, hours: str = HOURS) -> Plan:
    catalogue = load(folder, forms, hours)
    assert [str(issue) for issue in catalogue.issues] == []
    return catalogue.plans["first"]


def test_what_is_written_becomes_a_form(tmp_path: Path) -> None:
    """With the shortest ways to write it: what is not said is what is usual."""
    forms = "{ rdv: { deliver: desk, fields: { name: name, when: { type: choice, choices: [am, pm] }, more: text } } }"

    assert plan_of(tmp_path, forms).forms == (
        Form(
            name="rdv",
            title="rdv",
            deliver="desk",
            fields=(
                Field(name="name", label="name", type=FieldType.NAME),
                Field(name="when", label="when", type=FieldType.CHOICE, choices=(("am", "am"), ("pm", "pm"))),
                Field(name="more", label="more", type=FieldType.TEXT),
            ),
        ),
    )


def test_the_full_language_has_every_part_of_it() -> None:
    """Nodes are meant in every language, lists are the client's and shared ones."""
    clinic = load_directory(FULL, PaperSpeech(), now=NOW).plans["clinic"]
    urgent, usual = clinic.forms

    assert urgent.when.hours == (HoursAre(hours="desk", open=False), HoursAre(hours="always", open=True))
    assert sorted(urgent.when.kinds) == ["duty", "duty@en", "people", "people@en"]
    assert urgent.when.lists == ("vip", "nuisance") == tuple(clinic.form_lists)
    assert urgent.fields[1] == Field(name="number", label="Téléphone", type=FieldType.NUMBER, required=True)
    assert (usual.title, usual.when) == ("usual", When())
    assert (
        "  form urgent: “Urgence”, outside hours desk and in hours always and for callers of list vip or nuisance"
        in (tree(clinic))
    )
    assert "  form usual: for every call, asks name (needed), subject, when, day; for box\n" in tree(clinic)


@pytest.mark.parametrize(
    ("written", "nodes"),
    [
        ("line", {"line", "line@en"}),
        ("included", {"included/wait"}),
        ("[line, included]", {"line", "line@en", "included/wait"}),
    ],
)
def test_a_kind_is_every_node_that_is_called_so(tmp_path: Path, written: str, nodes: set[str]) -> None:
    """In all languages, and within what a node includes; not another client's."""
    form = f"{{ a: {{ when: {{ kind: {written} }}, deliver: desk, fields: {{ more: text }} }} }}"

    assert {*plan_of(tmp_path, form).forms[0].when.kinds} == nodes


@pytest.mark.parametrize("hours", [HOURS, 'hours: { office: { open: { mon-fri: "08:00-18:00" } } }'])
def test_the_only_hours_need_no_name(tmp_path: Path, hours: str) -> None:
    """Whether they have one or not."""
    form = "{ a: { when: { hours: closed }, deliver: desk, fields: { more: text } } }"
    plan = plan_of(tmp_path, form, hours)

    assert plan.forms[0].when.hours == (HoursAre(hours=next(iter(plan.schedules)), open=False),)
    assert plan.form_for(at=TUESDAY_10) is None


def test_hours_must_be_there(tmp_path: Path) -> None:
    """A form cannot be for hours that the client does not keep."""
    form = "{ a: { when: { hours: open }, deliver: desk, fields: { more: text } } }"
    (found,) = load(tmp_path, form, hours="").issues

    assert str(found) == 'first.yaml:9: the client has no hours: write them under "hours"'


def test_who_has_too_many_is_told(tmp_path: Path) -> None:
    """Nobody chooses between fifty forms, or asks forty things."""
    forms = ", ".join(f"f{index}: {{ deliver: desk, fields: {{ more: text }} }}" for index in range(51))
    fields = ", ".join(f"f{index}: text" for index in range(41))

    for written, said in (
        (f"{{ {forms} }}", "forms: holds 51 entries, 50 are the most"),
        (f"{{ a: {{ deliver: desk, fields: {{ {fields} }} }} }}", "forms.a.fields: holds 41 entries, 40 are the most"),
    ):
        assert said in {issue.message for issue in load(tmp_path, written).issues}


def test_a_demonstration_clients_message_is_kept_in_one_form() -> None:
    """As the secretaries of the surgery write it down."""
    moreau = load_directory(
        Path(__file__).parents[2] / "dialplans" / "cabinet-moreau.yaml", PaperSpeech(), now=TUESDAY_10
    ).plans["cabinet-moreau"]
    pharmacy = CallerId(number="+33612340007", presentation=Presentation.ALLOWED)
    patient = CallerId(number="+33612340001", presentation=Presentation.ALLOWED)
    forms = [moreau.form_for(at=TUESDAY_10, caller=caller) for caller in (pharmacy, patient, None)]
    form = forms[1]

    assert [one and one.name for one in forms] == ["correspondent", "patient", "patient"]
    assert form is not None
    given_values = {"name": "Mme Durand", "subject": "Ordonnance", "birth": "1/2/1957"}
    found = fill(form, given_values, region=moreau.transfers.region, caller_number=patient.number)
    assert isinstance(found, Filled)
    assert found.values == {
        "name": "Mme Durand",
        "number": "+33612340001",
        "subject": "prescription",
        "birth": "1957-02-01",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "{ fields: { more: text } }",
        "{ deliver: desk }",
        "{ deliver: desk, fields: { more: txt } }",
        "{ deliver: desk, fields: { more: { type: txt } } }",
        "{ deliver: desk, fields: { more: { type: choice, choices: [one] } } }",
        "{ deliver: desk, fields: { more: text }, when: { hours: shut } }",
        "{ deliver: desk, fields: { more: text }, when: { hours: { desk: shut } } }",
        "{ deliver: desk, fields: { more: text }, when: { did: '1' } }",
    ],
)
def test_an_editor_sees_what_is_wrong(wrong: str) -> None:
    """While the form is written; and nothing is wrong with what is right."""
    when = "{ hours: { desk: open }, list: vip, kind: [a, b] }"
    right = f"{{ deliver: desk, when: {when}, fields: {{ m: text, d: {{ type: date }} }} }}"
    for form, finds in ((wrong, True), (right, False)):
        text = CLIENT.format(name="a", number="10", forms=f"{{ rdv: {form} }}", hours=HOURS, other="line", elsewhere="")
        assert bool(complaints("client", text)) is finds


_WHEN = st.builds(
    When,
    hours=st.lists(
        st.builds(HoursAre, hours=st.sampled_from(["a", "b"]), open=st.booleans()),
        max_size=2,
        unique_by=lambda h: h.hours,
    ).map(tuple),
    lists=st.sampled_from([(), ("x",), ("y",), ("x", "y")]),
    kinds=st.sampled_from([(), ("m",), ("n",), ("m", "n")]),
)


@given(whens=st.lists(_WHEN, min_size=1, max_size=4))
def test_a_form_is_refused_exactly_where_no_call_has_it(whens: list[When]) -> None:
    """Every case of hours, lists and kinds is tried, by the function that chooses."""
    forms = tuple(
        Form(name=f"f{place}", title="", deliver="desk", fields=(), when=when) for place, when in enumerate(whens)
    )
    chosen = set()
    for a, b, lists, kind in product((True, False), (True, False), ("", "x", "y", "xy"), ("", "m", "n")):
        is_open = {"a": a, "b": b}.__getitem__
        holding = (one.name for one in forms if one.when.holds(is_open=is_open, in_list=lists.__contains__, kind=kind))
        chosen.add(next(holding, ""))

    assert {form.name for form, _ in never_chosen(forms)} == {form.name for form in forms} - chosen
