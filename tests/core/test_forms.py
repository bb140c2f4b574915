"""Forms: which is for a call, and what becomes of what is given for its fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callrouter.core import forms
from callrouter.core.call import Call, CallerId, Clocks, Presentation, Visit, replace
from callrouter.core.forms import Field, FieldType, Filled, Form, HoursAre, When, Wrong
from callrouter.core.nodes import HangupNode, RedirectNode
from callrouter.core.numbers import CallerList
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule, TimeRange

OWN = "+33612340001"
OPEN_AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in Paris."""
CLOSED_AT = OPEN_AT + timedelta(hours=12)
DAY = Schedule(name="open", timezone="Europe/Paris", week=((TimeRange(start=time(8), end=time(18)),),) * 7)
FORM = Form(
    name="rdv",
    title="Appointment",
    deliver="desk",
    fields=(
        Field(name="name", label="Nom", type=FieldType.NAME, required=True),
        Field(name="number", label="Téléphone", type=FieldType.NUMBER, required=True),
        Field(name="other", label="Autre numéro", type=FieldType.NUMBER),
        Field(
            name="doctor",
            label="Médecin",
            type=FieldType.CHOICE,
            choices=(("moreau", "Docteur Moreau"), ("lenoir", "Docteur Lenoir")),
        ),
        Field(name="day", label="Jour", type=FieldType.DATE),
        Field(name="reason", label="Motif", type=FieldType.TEXT),
        Field(name="urgency", label="Urgence", type=FieldType.URGENCY),
    ),
)


def filled(values: Mapping[str, str], own: str | None = OWN, region: str = "FR", form: Form = FORM) -> Filled:
    found = forms.fill(form, values, region=region, caller_number=own)
    assert isinstance(found, Filled), found
    return found


def wrong(values: Mapping[str, str], own: str | None = OWN, region: str = "FR", form: Form = FORM) -> dict[str, str]:
    """Reasons by field."""
    found = forms.fill(form, values, region=region, caller_number=own)
    assert isinstance(found, list), found
    assert all(type(one) is Wrong for one in found)
    return {one.field: one.reason for one in found}


def one_field(type_: FieldType, **settings: object) -> Form:
    field = replace(Field(name="it", label="It", type=type_), **settings)  # type: ignore[arg-type]
    return replace(FORM, fields=(field, Field(name="more", label="More", type=FieldType.TEXT)))


# Filling in.


def test_each_value_is_kept_in_one_form() -> None:
    """In the form's order, whatever the order in which they were given."""
    found = filled(
        {
            "urgency": "Urgent",
            "reason": "  Mal\u00a0de dents ",
            "day": "24/12/2026",
            "doctor": "docteur LENOIR",
            "number": "06 12 34 00 07",
            "name": "Mme Durand",
        }
    )

    assert list(found.values.items()) == [
        ("name", "Mme Durand"),
        ("number", "+33612340007"),
        ("doctor", "lenoir"),
        ("day", "2026-12-24"),
        ("reason", "Mal de dents"),
        ("urgency", "urgent"),
    ]
    assert (found.urgent, found.caller_number, found.caller_name) == (True, "+33612340007", "Mme Durand")
    assert found.text == "Mal de dents"


def test_the_callers_own_number_is_filled_in() -> None:
    """Into the first number, where none was given; a second one is somebody else's."""
    found = filled({"name": "Mme Durand", "other": "01 99 00 00 10"})

    assert found.values["number"] == OWN
    assert found.values["other"] == "+33199000010"
    assert found.caller_number == OWN
    assert not found.urgent


@pytest.mark.parametrize("own", [None, "", "anonymous", "15", "3949"])
def test_who_shows_no_number_is_asked_for_it(own: str | None) -> None:
    """A short number is nobody's own."""
    assert wrong({"name": "Mme Durand"}, own) == {"number": "is missing: ask the caller for it (Téléphone)"}


def test_a_number_that_is_wrong_is_not_replaced_by_the_callers_own() -> None:
    """Somebody said something else, and must say what."""
    assert (
        wrong({"name": "Mme Durand", "number": "06 12 34"})
        == {"number": '"06 12 34" is no telephone number of FR: it has 2 digits too few'}
        or "is no telephone number of FR" in wrong({"name": "Mme Durand", "number": "06 12 34"})["number"]
    )


def test_a_form_without_a_number_keeps_the_calls() -> None:
    """For whoever calls back."""
    found = filled({"more": "A word."}, form=one_field(FieldType.NAME))

    assert found.values == {"more": "A word."}
    assert (found.caller_number, found.caller_name) == (OWN, "")


@pytest.mark.parametrize(
    "values",
    [{}, {"name": ""}, {"name": " \u00a0 ", "number": ""}, {"urgency": "urgent"}],
    ids=["nothing", "empty", "spaces", "urgency alone"],
)
def test_an_empty_form_is_no_message(values: Mapping[str, str]) -> None:
    """Even where the number of the call was filled in, and whatever is urgent."""
    optional = replace(FORM, fields=tuple(replace(field, required=False) for field in FORM.fields))

    assert wrong(values, form=optional) == {
        "": "nothing was given, and that is no message: give one at least of name, number, other, doctor, day, reason"
    }


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Field by field; what is missing is not blamed twice."""
    found = wrong({"nmae": "Durand", "number": "12", "doctor": "who", "day": "tomorrow", "urgency": "very"}, None)

    assert found == {
        "nmae": 'form rdv has no such field: did you mean "name"?',
        "number": found["number"],
        "doctor": '"who" is no choice: give one of moreau, lenoir',
        "day": '"tomorrow" is no date: write it as "2026-12-24" or "24/12/2026"',
        "urgency": '"very" is neither normal nor urgent',
        "name": "is missing: ask the caller for it (Nom)",
    }
    assert found["number"].startswith('"12" is no telephone number of FR')


@pytest.mark.parametrize(
    ("type_", "written", "reason"),
    [
        (FieldType.NAME, "?", '"?" is no name: it has no letter'),
        (FieldType.NAME, "A" * 121, "is 121 characters long: 120 are the most"),
        (FieldType.TEXT, "a" * 2_001, "is 2001 characters long: 2000 are the most"),
        (FieldType.TEXT, ". !", '". !" says nothing: write at least a word, or leave it out'),
        (FieldType.TEXT, "a", '"a" says nothing: write at least a word, or leave it out'),
        (FieldType.NUMBER, "15", '"15" is a short number, which nobody can be called back at: give a whole one'),
        (FieldType.NUMBER, "01 99 00 00 1", '"01 99 00 00 1" is no telephone number of FR: it has 1 digit too few'),
        (FieldType.DATE, "2026-02-30", '"2026-02-30" is in no calendar: the year, then the month, then the day'),
        (FieldType.DATE, "31/04/2026", '"31/04/2026" is in no calendar: the year, then the month, then the day'),
        (FieldType.DATE, "0206-12-24", '"0206-12-24" is in the year 206: is it right?'),
        (FieldType.DATE, "24/12.2026", '"24/12.2026" is no date: write it as "2026-12-24" or "24/12/2026"'),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(type_: FieldType, written: str, reason: str) -> None:
    assert wrong({"it": written, "more": "A word."}, form=one_field(type_)) == {"it": reason}


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\t", "\x00", "\x1b", "\x85", "\u2028", "\u202e", "\ud800"])
@pytest.mark.parametrize("type_", FieldType)
def test_nothing_that_ends_a_line_or_turns_it_round_is_kept(type_: FieldType, sign: str) -> None:
    """In a mail it would begin a header, in a terminal anything at all."""
    written = {"it": f"Bcc: a{sign}b@x.example", "more": "A word."}
    form = one_field(type_, choices=((written["it"], "Bcc"),))

    assert wrong(written, form=form) == {
        "it": "holds a line break, a tab or another control character: write it on one line"
    }


def test_words_of_all_scripts_are_texts() -> None:
    """Those too whose letters are held together by signs that nobody sees."""
    for words in ("می\u200cخواهم", "田中さん", "👩\u200d⚕️ rendez-vous", "Ça va — « oui »"):
        assert filled({"more": words}, form=one_field(FieldType.NAME)).values["more"] == words


def test_where_months_come_first_a_date_must_be_certain() -> None:
    """4/5/2026 is in April there, in May elsewhere."""
    form = one_field(FieldType.DATE)

    assert filled({"it": "4/5/2026"}, form=form).values["it"] == "2026-05-04"
    assert filled({"it": "2026-5-4"}, None, "US", form).values["it"] == "2026-05-04"
    assert wrong({"it": "4/5/2026"}, None, "US", form) == {"it": '"4/5/2026" is no date: write it as "2026-12-24"'}


def test_a_choice_by_its_value_comes_before_one_by_what_it_is_called() -> None:
    """Where one's label is another's value."""
    form = one_field(FieldType.CHOICE, choices=(("a", "b"), ("b", "c")))

    assert [filled({"it": word}, form=form).values["it"] for word in ("a", "b", "B", "c")] == ["a", "b", "a", "b"]


def test_a_field_of_nobodys_is_named_and_not_compared_for_ever() -> None:
    """Names come from outside, of any length and in any number."""
    found = forms.fill(FORM, {f"{'x' * 100_000}{index}": "" for index in range(50)}, region="FR", caller_number=None)

    assert isinstance(found, list)
    assert len([one for one in found if "no such field" in one.reason]) == forms.filling.MAX_UNKNOWN


_WORDS = st.text(max_size=30) | st.sampled_from(
    ["Mme Durand", "06 12 34 00 07", "+44 20 7946 0040", "moreau", "Docteur Lenoir", "24/12/2026", "2026-1-2", "urgent"]
)


@given(
    given_values=st.dictionaries(st.sampled_from([field.name for field in FORM.fields]), _WORDS),
    own=st.sampled_from([None, OWN, "anonymous", "0612340002"]),
    region=st.sampled_from(["FR", "GB", "US"]),
    required=st.booleans(),
)
@example(given_values={"name": "ÀB\u00a0c"}, own=OWN, region="FR", required=True)
def test_what_is_filled_in_is_right_for_ever(
    given_values: dict[str, str], own: str | None, region: str, required: bool
) -> None:
    """Filled in once more it is the same; every value fits its field, and none can end a line."""
    fields = tuple(replace(field, required=required and field.required) for field in FORM.fields)
    form = replace(FORM, fields=fields)
    found = forms.fill(form, given_values, region=region, caller_number=own)
    if not isinstance(found, Filled):
        assert found
        assert {one.field for one in found} <= {"", *(field.name for field in fields)}
        return

    assert forms.fill(form, found.values, region=region, caller_number=own) == found
    assert forms.filled_of(found.fields, caller_number=found.caller_number) == found
    assert list(found.values) == [field.name for field in fields if field.name in found.values]
    assert all(field.name in found.values for field in fields if field.required)
    assert set(found.values) <= {*given_values, "number"}
    for name, value in found.values.items():
        assert value == value.strip() != ""
        assert len(value) <= 2_000
        assert not {"\r", "\n"} & {*value}
        assert name not in ("number", "other") or (value[0] == "+" and value[1:].isdecimal() and value.isascii())
    assert found.caller_number is None or found.caller_number.startswith("+")


# Choosing.


def _form(name: str, **when: object) -> Form:
    return replace(FORM, name=name, when=When(**when))  # type: ignore[arg-type]


def _chosen(*of: Form, at: datetime = OPEN_AT, lists: tuple[str, ...] = (), kind: str = "") -> str:
    found = forms.form_for(of, at=at, schedules={"open": DAY}, in_list=lambda name: name in lists, kind=kind)
    return found.name if found else ""


def test_the_first_that_is_for_the_call_is_taken() -> None:
    """By the hour, by who calls, by what put them through; all that is said must hold."""
    night = _form("night", hours=(HoursAre(hours="open", open=False),))
    vip = _form("vip", lists=("vip", "doctors"))
    urgent = _form("urgent", kinds=("on_call",), lists=("vip",))
    others = _form("others")

    assert _chosen(night, vip, others) == "others"
    assert _chosen(night, vip, others, at=CLOSED_AT, lists=("vip",)) == "night"
    assert _chosen(night, vip, others, lists=("doctors",)) == "vip"
    assert _chosen(urgent, others, kind="on_call") == "others"
    assert _chosen(urgent, others, kind="on_call", lists=("vip",)) == "urgent"
    assert _chosen(urgent, others, lists=("vip",)) == "others"
    assert _chosen(night, vip, urgent) == ""
    assert _chosen() == ""


def test_a_form_without_conditions_asks_for_nothing() -> None:
    """Neither the clock nor a list is looked at, for clients of one form are the most."""

    def fails(_: str) -> bool:
        raise AssertionError

    for kind, conditions in product(("", "queue"), (When(), When(kinds=("queue",)))):
        assert conditions.holds(is_open=fails, in_list=fails, kind=kind) is (not conditions.kinds or kind == "queue")


# Of a plan.


def _plan(*of: Form) -> Plan:
    reached = RedirectNode(name="line", exits={"failed": "bye"}, number=OWN)
    return Plan(
        client="acme",
        name="Acme",
        version="1",
        numbers=(),
        timezone="Europe/Paris",
        language="fr",
        start="line",
        nodes={"line": reached, "bye": HangupNode(name="bye", exits={})},
        schedules={"open": DAY},
        forms=of,
        form_lists={"vip": CallerList(name="vip", numbers=frozenset({OWN}))},
    )


def test_a_plan_chooses_for_a_caller() -> None:
    """By its own hours and lists; without a call no list holds anybody."""
    plan = _plan(_form("vip", lists=("vip",)), _form("line", kinds=("line",)), _form("others"))
    own = CallerId(number=OWN, presentation=Presentation.ALLOWED)

    def name(**by: object) -> str:
        found = plan.form_for(at=OPEN_AT, **by)  # type: ignore[arg-type]
        return found.name if found else ""

    assert name(caller=own, kind="line") == "vip"
    assert name(kind="line") == "line"
    assert name(caller=replace(own, number="+33612340002")) == "others"
    assert _plan().form_for(at=OPEN_AT) is None


def test_a_calls_kind_is_the_node_that_put_it_through() -> None:
    """While they talk, and afterwards too; nothing before."""
    plan = _plan()
    call = Call(
        call_id="c1",
        client="acme",
        plan_version="1",
        did="",
        caller=CallerId(number=OWN, presentation=Presentation.ALLOWED),
        clocks=Clocks(ringing_at=OPEN_AT),
    )
    visit = Visit(node="line", at=OPEN_AT, exit="failed", because="")

    assert plan.kind_of(call) == ""
    assert plan.kind_of(replace(call, node="line")) == "line"
    assert plan.kind_of(replace(call, node="bye", visits=(visit,))) == "line"
    assert plan.kind_of(replace(call, node="elsewhere")) == ""
