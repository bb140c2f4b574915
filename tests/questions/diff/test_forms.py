"""What is asked for messages, and what of it differs: in words, and nothing where nothing does."""

from __future__ import annotations

from callrouter.core.call import replace
from callrouter.core.forms import Field, FieldType, Form, HoursAre, When
from callrouter.core.nodes import HangupNode
from callrouter.core.numbers import CallerList
from callrouter.questions.diff.forms import changed_forms
from callrouter.questions.diff.settings import unheard
from callrouter.testing import plan_of

NAME = Field(name="name", label="Nom", type=FieldType.NAME, required=True)
REASON = Field(name="reason", label="Motif", type=FieldType.TEXT)
FORM = Form(name="rdv", title="Rendez-vous", fields=(NAME, REASON), deliver="desk")
NIGHT = replace(FORM, name="night", when=When(hours=(HoursAre(hours="open", open=False),)))


def test_forms_that_come_and_go() -> None:
    """With the calls for which a new one is; and the order of the others is only told where it differs."""
    vip = replace(FORM, name="vip", when=When(lists=("vip", "doctors"), kinds=("line",)))

    assert list(changed_forms((NIGHT, FORM), (NIGHT, FORM))) == []
    assert list(changed_forms((NIGHT, FORM), (vip, FORM))) == [
        "Form vip is new, for callers of list vip or doctors and for callers put through by line.",
        "Form night is gone.",
    ]
    assert list(changed_forms((FORM, NIGHT), (NIGHT, FORM))) == ["Forms are now chosen in the order night, rdv."]


def test_each_part_of_a_form_is_told() -> None:
    """By what it means for whoever asks, and for whoever gets the messages."""
    choice = replace(REASON, type=FieldType.CHOICE, choices=(("a", "A."), ("b", "B.")), label="Why")
    day = Field(name="day", label="Jour", type=FieldType.DATE, required=True)
    becomes = replace(
        FORM,
        title="Appointment",
        deliver="doctor",
        when=NIGHT.when,
        fields=(choice, replace(NAME, required=False), day),
    )

    (told,) = changed_forms((FORM,), (becomes,))
    (back,) = changed_forms((becomes,), (FORM,))

    assert told.removeprefix("Form rdv: ").removesuffix(".").split("; ") == [
        "its title is now Appointment instead of Rendez-vous",
        "it is now outside hours open instead of for every call",
        "its messages are now for doctor instead of desk",
        "reason is now of type choice instead of text, is now called Why instead of Motif, now has the choices A., B.",
        "name is no longer needed",
        "day is asked too, and needed",
        "it now asks in the order reason, name, day",
    ]
    assert "reason is now of type text instead of choice" in back
    assert "now has the choices none" in back
    assert "day is no longer asked" in back


def test_a_plans_differences_hold_those_of_its_forms() -> None:
    """And of the lists by which forms are chosen: no node need ask them."""
    vip = CallerList(name="vip", numbers=frozenset({"+33612340007"}))
    of_vip = replace(FORM, when=When(lists=("vip",)))
    plan = replace(plan_of(HangupNode(name="bye", exits={})), forms=(of_vip,), form_lists={"vip": vip})
    more = replace(vip, prefixes=("+338",))

    assert list(unheard(plan, plan)) == []
    assert list(unheard(plan, replace(plan, form_lists={"vip": more}))) == [
        "List vip, by which a form is chosen, now holds other callers."
    ]
    assert list(unheard(plan, replace(plan, forms=(), form_lists={}))) == ["Form rdv is gone."]
