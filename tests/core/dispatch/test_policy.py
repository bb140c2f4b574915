"""What a client's file says of its messages, as values."""

from __future__ import annotations

from callrouter.core.dispatch import Course, Means, Policy, Reach, Step, of_contact

EVERYWHERE = Reach(name="doctor", title="Docteur", number="+33639980001", email="a@b.example", url="https://b.example/")


def test_addresses_are_urls() -> None:
    assert [EVERYWHERE.address(means) for means in Means] == [
        "mailto:a@b.example",
        "sms:+33639980001",
        EVERYWHERE.url,
        "tel:+33639980001",
    ]
    assert [Reach(name="x", title="x").address(means) for means in Means] == ["", "", "", ""]


def test_who_is_named_alone_is_told_at_once_by_what_costs_nothing() -> None:
    policy = of_contact(EVERYWHERE)

    assert policy.urgent == policy.ordinary == Course(steps=(Step(to=("doctor",), by=(Means.EMAIL, Means.WEBHOOK)),))
    assert (policy.name, policy.ages_seconds, policy.confidential) == ("doctor", 0.0, False)


def test_an_urgent_message_goes_its_own_course() -> None:
    steps = (Step(to=("doctor",), by=(Means.SMS,), wait_seconds=600),)
    policy = Policy(name="night", urgent=Course(steps=steps, repeat=2), ordinary=Course(steps=()))

    assert policy.course(urgent=True).steps == steps
    assert policy.course(urgent=False).steps == ()
