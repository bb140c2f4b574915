"""Golden examples: each amount was computed by hand, as the comments do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callrouter.consumption.items import Item, Kind, Needs, Outcome, with_known
from callrouter.consumption.money import rounded
from callrouter.consumption.rating import Charge, Why, billed_seconds, lines_of, rate
from callrouter.consumption.statement import Statement, difference
from tests.consumption.made import MIDDAY, OCTOBER, PARIS, call, lines, part, tariff, told

EUR = Decimal


@pytest.mark.parametrize(
    ("talk", "billed"),
    [
        (0.0, 0),  # nobody spoke
        (0.4, 60),  # begun: the first minute
        (60.0, 60),
        (60.9, 60),  # of a second that is begun nothing is billed
        (61.0, 90),
        (90.0, 90),
        (90.000001, 90),
        (91.0, 120),
        (600.0, 600),
    ],
)
def test_the_first_minute_then_each_half(talk: float, billed: int) -> None:
    minutes = tariff("minutes: { price: 0.60, first: 60s, step: 30s }\n").minutes
    assert minutes is not None

    assert billed_seconds(call(1, talk), minutes) == billed


def test_by_the_minute_in_steps() -> None:
    """60 + 90 + 120 s = 4.5 minutes at 0.65 = 2.925, rounded half up, once."""
    by = part(tariff("minutes: { price: 0.65, first: 60s, step: 30s }\n"))

    assert told(lines([call(1, 42), call(2, 61.5), call(3, 119)], by)) == [(Charge.MINUTES, 270, EUR("2.93"))]


def test_by_the_second() -> None:
    """61 + 7 s at 0.60 a minute = 0.68."""
    by = part(tariff("minutes: { price: 0.60, first: 1s, step: 1s }\n"))

    assert told(lines([call(1, 61.99), call(2, 7.2)], by)) == [(Charge.MINUTES, 68, EUR("0.68"))]


@pytest.mark.parametrize(
    ("counts", "put_through", "billed"),
    [
        ("[talk]", "yes", 100),
        ("[talk]", "no", 70),
        ("[talk, hold]", "yes", 120),
        ("[talk, hold, wrap_up]", "yes", 145),
        ("[wrap_up]", "yes", 25),
    ],
)
def test_what_time_is_counted(counts: str, put_through: str, billed: int) -> None:
    says = f"minutes: {{ price: 1, first: 1s, step: 1s, counts: {counts}, put_through: {put_through} }}\n"
    minutes = tariff(says).minutes
    assert minutes is not None
    item = call(1, 100.0, put_through_seconds=30.0, hold_seconds=20.0, wrap_up_seconds=25.0)

    assert billed_seconds(item, minutes) == billed


def test_a_call_that_nobody_saw_put_through_was_with_the_clients_people() -> None:
    minutes = tariff("minutes: { price: 1, first: 1s, step: 1s, put_through: no }\n").minutes
    assert minutes is not None

    assert billed_seconds(call(1, 100.0, outcome="redirected"), minutes) == 0
    assert billed_seconds(call(1, 100.0, outcome="answered"), minutes) == 100


def test_a_flat_rate_with_what_it_includes_and_tiers_beyond() -> None:
    """49.00 + 3 included + 2 x 0.90 + 1 x 0.75 = 51.55."""
    says = "monthly: { fee: 49.00, calls: 3 }\ncalls: { tiers: [ { up_to: 2, price: 0.90 }, { price: 0.75 } ] }\n"
    found = lines([call(number) for number in range(6)], part(tariff(says)))

    assert told(found) == [
        (Charge.MONTHLY, 31, EUR("49.00")),
        (Charge.CALLS_INCLUDED, 3, EUR("0.00")),
        (Charge.CALLS, 2, EUR("1.80")),
        (Charge.CALLS, 1, EUR("0.75")),
    ]
    assert [one.place for one in found] == [0, 0, 1, 2]


def test_a_conversation_may_be_included_in_part() -> None:
    """2 minutes are included: of 90 + 90 s, 120 s; the other 60 s at 0.60."""
    by = part(tariff("monthly: { fee: 10, minutes: 2 }\nminutes: { price: 0.60, first: 1s, step: 1s }\n"))
    rated = rate([call(1, 90), call(2, 90)], [by], PARIS)
    made = lines_of(rated, [by], OCTOBER)

    assert told(made.lines)[1:] == [(Charge.MINUTES_INCLUDED, 120, EUR("0.00")), (Charge.MINUTES, 60, EUR("0.60"))]
    assert made.of_items == {("call", "call-00001"): [1], ("call", "call-00002"): [1, 2]}


def test_a_minimum_is_made_up_for() -> None:
    """2 x 0.90 = 1.80, of 30.00 are missing 28.20; more than that, nothing is."""
    by = part(tariff("minimum: 30\ncalls: { price: 0.90 }\n"))

    assert told(lines([call(1), call(2)], by))[-1] == (Charge.MINIMUM, 1, EUR("28.20"))
    assert [one.charge for one in lines([call(number) for number in range(40)], by)] == [Charge.CALLS]


def test_a_tariff_that_changes_in_the_middle() -> None:
    """10 of 31 days of 31.00 are 10.00, 21 of 62.00 are 42.00; each call goes by the day on which it rang."""
    first = part(tariff("monthly: { fee: 31, calls: 10 }\ncalls: { price: 1 }\n"), until=date(2026, 10, 11))
    then = part(tariff("monthly: { fee: 62 }\ncalls: { price: 2 }\n"), since=date(2026, 10, 11))
    last_of_first = datetime(2026, 10, 10, 21, 59, tzinfo=UTC)  # 23:59 in Paris
    items = [call(1, at=last_of_first), call(2, at=last_of_first + timedelta(minutes=1))]

    assert told(lines(items, first, then)) == [
        (Charge.MONTHLY, 10, EUR("10.00")),
        (Charge.CALLS_INCLUDED, 1, EUR("0.00")),
        (Charge.MONTHLY, 21, EUR("42.00")),
        (Charge.CALLS, 1, EUR("2.00")),
    ]


def test_days_without_a_tariff_cost_nothing() -> None:
    """A client that begins on the 11th; what it includes is rounded up: 21 of 31 of 10 are 7."""
    by = part(tariff("monthly: { fee: 31, calls: 10 }\ncalls: { price: 1 }\n"), since=date(2026, 10, 11))
    rated = rate([call(1)], [by], PARIS)

    assert [one.why for one in rated] == [Why.NO_TARIFF]
    assert by.of_month(10) == 7


def test_what_is_not_billed() -> None:
    not_billed = """not_billed:
  outcomes: [rejected, failed, left_early]
  abandoned_within: 10s
  shorter_than: 5s
  nodes: wrong_number
"""
    by = part(tariff("calls: { price: 1 }\n", not_billed=not_billed))
    items = [
        call(1, outcome="rejected"),
        call(2, outcome="abandoned", talk=0, waiting_seconds=9.9),
        call(3, outcome="abandoned", talk=0, waiting_seconds=10.0),
        call(4, talk=4.9),
        call(5, talk=5),
        call(6, marked=True),
        call(7, outcome="message_left", talk=0),
        call(8, elsewhere=True),
    ]

    assert [one.why for one in rate(items, [by], PARIS)] == [
        *("rejected", Why.SHORT_ABANDON, "", Why.SHORT, "", Why.MARKED, "", Why.ELSEWHERE)
    ]


def test_messages_sms_and_callbacks() -> None:
    """A callback that reached nobody, and an SMS that nobody took, cost nothing; a callback's minutes count."""
    says = "callbacks: { price: 1.5 }\nmessages: { price: 0.4 }\nsms: { price: 0.12 }\n"
    says += "minutes: { price: 0.60, first: 60s, step: 60s }\n"
    items = [
        Item(kind=Kind.CALLBACK, item_id="o1", at=MIDDAY, outcome=Outcome.REACHED, talk_seconds=61),
        Item(kind=Kind.CALLBACK, item_id="o2", at=MIDDAY, outcome=Outcome.NOT_REACHED),
        Item(kind=Kind.MESSAGE, item_id="m1", at=MIDDAY, outcome=Outcome.TAKEN),
        Item(kind=Kind.SMS, item_id="s1", at=MIDDAY, outcome=Outcome.SENT),
        Item(kind=Kind.SMS, item_id="s2", at=MIDDAY, outcome=Outcome.NOT_SENT),
    ]

    assert told(lines(items, part(tariff(says)))) == [
        (Charge.MINUTES, 120, EUR("1.20")),
        (Charge.CALLBACKS, 1, EUR("1.50")),
        (Charge.MESSAGES, 1, EUR("0.40")),
        (Charge.SMS, 1, EUR("0.12")),
    ]


def test_surcharges_by_the_clients_clock() -> None:
    """Nights, also those that begin on Sunday and end on Monday, and the holidays of France: 1 November is one."""
    says = """minutes: { price: 1, first: 60s, step: 60s }
surcharges:
  - { name: nuit, hours: ["daily 20:00-08:00"], minute: 0.5 }
  - { name: férié, holidays: FR, call: 3 }
"""
    times = [
        (datetime(2026, 10, 4, 18, 0, tzinfo=UTC), "nuit"),  # Sunday 20:00 in Paris
        (datetime(2026, 10, 5, 5, 59, tzinfo=UTC), "nuit"),  # Monday 07:59
        (datetime(2026, 10, 5, 6, 0, tzinfo=UTC), ""),
        (datetime(2026, 10, 25, 19, 0, tzinfo=UTC), "nuit"),  # the day on which clocks change: 20:00
        (datetime(2026, 11, 11, 11, 0, tzinfo=UTC), "férié"),
    ]
    by = part(tariff(says), until=date(2026, 12, 1))
    rated = rate([call(n, at=at) for n, (at, _) in enumerate(times)], [by], PARIS)

    assert [one.surcharge for one in rated] == [name for _, name in times]
    assert told(lines_of(rated, [by], OCTOBER).lines)[1:] == [
        (Charge.MINUTES_SURCHARGE, 180, EUR("1.50")),
        (Charge.CALLS_SURCHARGE, 1, EUR("3.00")),
    ]


def test_what_cannot_be_measured_any_more_is_as_it_was() -> None:
    """A message, or an agent's wrap-up, may be gone sooner than the call."""
    before = call(1, 60, wrap_up_seconds=20.0, hold_seconds=3.0, marked=True)

    assert with_known(call(1, 60), before) == before
    assert with_known(call(1, 61, hold_seconds=4.0, marked=False), before) == replace(
        before, talk_seconds=61.0, hold_seconds=4.0, marked=False
    )


def test_only_what_a_tariff_asks_for_is_measured() -> None:
    plain, fine = tariff("calls: { price: 1 }\n"), tariff("minutes: { price: 1, first: 1s, step: 1s, counts: hold }\n")

    assert Needs.of([plain]) == Needs()
    assert Needs.of([plain, fine]) == Needs(legs=True, callbacks=True)


def test_vat_is_of_the_sum() -> None:
    """3 x 0.33 = 0.99, of which 20 % are 0.198; of each line they would be 0.07, 0.21 in all."""
    by = part(tariff("calls: { price: 0.33 }\n"))
    made = Statement(
        client="acme",
        name="Acme",
        month=OCTOBER,
        zone="Europe/Paris",
        from_at=MIDDAY,
        to_at=MIDDAY,
        currency="EUR",
        terms=[],
        lines=lines([call(1), call(2), call(3)], by),
        counted={},
        not_billed={},
    )

    assert (made.net, made.vat[0].vat, made.gross) == (EUR("0.99"), EUR("0.20"), EUR("1.19"))


def test_money_has_the_digits_of_its_currency() -> None:
    assert str(rounded(EUR("2.345"), "EUR")) == "2.35"
    assert str(rounded(EUR("-2.345"), "EUR")) == "-2.35"
    assert str(rounded(EUR("119.5"), "XPF")) == "120"


SAYS = """monthly: { fee: 20, calls: 2, minutes: 3 }
minimum: 24
calls: { tiers: [ { up_to: 2, price: 0.333 }, { price: 0.111 } ] }
minutes: { tiers: [ { up_to: 2, price: 0.177 }, { price: 0.099 } ], first: 60s, step: 7s }
surcharges: [ { name: midi, hours: "daily 12:00-12:01", call: 0.07, minute: 0.013 } ]
"""


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 300)), unique_by=lambda one: one[0]), st.data())
def test_corrections_make_the_sum_what_it_would_have_been(known: list[tuple[int, int]], data: st.DataObject) -> None:
    """However items come in, and in however many portions."""
    by = part(tariff(SAYS))
    items = [call(number, talk) for number, talk in data.draw(st.permutations(known))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(items)), max_size=3)))
    issued = lines(items[: cuts[0]] if cuts else items, by)
    for cut in [*cuts[1:], len(items)]:
        issued += difference(lines(items[:cut], by), issued)

    whole = lines(items, by)
    assert sum(one.amount for one in issued) == sum(one.amount for one in whole)
    assert difference(whole, issued) == []
