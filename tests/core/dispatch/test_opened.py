"""Who cannot open the link to what is confidential is named, by the course that the message goes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from callrouter.core.dispatch import Course, Means, Policy, Reach, Step, is_closed, unopened
from callrouter.core.rota import Contact, Rota, Turns

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MOBILE, FIXED = "+33612340001", "+33145670001"


@pytest.mark.parametrize(
    ("reach", "closed"),
    [
        ({"email": "m@x.fr"}, {Means.EMAIL}),
        ({"email": "m@x.fr", "number": FIXED}, {Means.EMAIL}),
        ({"email": "m@x.fr", "number": MOBILE}, set()),
        ({"number": MOBILE}, {Means.SMS}),
        ({"url": "https://x.fr/"}, {Means.WEBHOOK}),
        ({"url": "https://x.fr/", "email": "m@x.fr"}, {Means.EMAIL}),
        ({"email": "m@x.fr", "pin": "DR"}, set()),
    ],
)
def test_nothing_opens_what_comes_by_the_only_way(reach: dict[str, str], closed: set[Means]) -> None:
    """A fixed line gets no SMS; by telephone no link comes."""
    made = Reach(name="m", title="M", **reach)

    assert {means for means in Means if is_closed(made, means)} == closed


def people(*names: str, **more: str) -> dict[str, Reach]:
    return {name: Reach(name=name, title=name.title(), email=f"{name}@x.fr", **more) for name in names}


def a_policy(*to: str, ordinary: tuple[str, ...] = (), **more: Any) -> Policy:
    def course(*names: str) -> Course:
        return Course(steps=(Step(to=names, by=(Means.EMAIL,)),) if names else ())

    return Policy(name="night", urgent=course(*to), ordinary=course(*ordinary), **more)


def names(policy: Policy, rotas: dict[str, Rota] | None = None, *, urgent: bool = True) -> list[str]:
    said = unopened(policy, people("anne", "bruno", "carla"), rotas or {}, urgent=urgent, at=AT)
    return [one.partition(", and ")[2].partition(" cannot")[0] for one in said]


def test_each_who_is_told_is_named_once() -> None:
    assert names(a_policy("anne", "bruno", "anne", "gone")) == ["Anne", "Bruno"]


def test_only_the_course_that_it_goes_and_the_one_it_may_come_to() -> None:
    policy = a_policy("anne", ordinary=("bruno",))

    assert names(policy, urgent=False) == ["Bruno"]
    assert names(a_policy("anne", ordinary=("bruno",), ages_seconds=60.0), urgent=False) == ["Bruno", "Anne"]


def test_of_a_rota_who_is_on_call_or_the_one_who_is_told_instead() -> None:
    cycle = ((Contact(name="bruno", number=MOBILE),),)
    duty = Rota(name="duty", timezone="UTC", turns=Turns(cycle=cycle, starting=date(2025, 1, 6)))
    empty = Rota(name="duty", timezone="UTC", turns=Turns())

    assert names(a_policy("duty", last="carla"), {"duty": duty}) == ["Bruno"]
    assert names(a_policy("duty", last="carla"), {"duty": empty}) == ["Carla"]


def test_what_is_said_names_the_way_and_what_to_do() -> None:
    (said,) = unopened(a_policy("anne"), people("anne"), {}, urgent=True, at=AT)

    assert said == (
        "the message is confidential, and Anne cannot open the link that comes by e-mail: there is neither a PIN of "
        "theirs nor another way for a code. Tell them yourself, or give it to somebody else"
    )
    assert unopened(a_policy("anne"), people("anne", pin="DR"), {}, urgent=True, at=AT) == ()
