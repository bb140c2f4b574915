"""An invoice is issued once and stays as it is; what is learnt later is in the next one, each call once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from callrouter.consumption.document import read_tariff
from callrouter.consumption.rating import lines_of, rate
from callrouter.core.call import Call, Disposition, Revision, replace
from callrouter.errors import ConsumptionRefused
from callrouter.store.access.audit import list_audit
from callrouter.store.consumption.comparing import what_if
from callrouter.store.consumption.frozen import items_billed
from callrouter.store.consumption.invoices import find_invoice, invoices_with, list_invoices, list_items
from callrouter.store.consumption.issuing import issue, preview
from callrouter.store.consumption.tariffs import clients_with_tariff, parts_of, set_tariff, tariffs_since
from callrouter.store.database import Database
from tests.consumption.made import HEAD, NOT_BILLED, PARIS
from tests.store.consumption.made import (
    ANNE,
    DECEMBER,
    NOVEMBER,
    NOW,
    OCTOBER,
    PER_CALL,
    a_call,
    goes_live,
    has_tariff,
    issued,
    on,
    sum_of,
    told,
    write,
)


@pytest.fixture
async def acme(database: Database) -> Database:
    """A client that pays 1.00 a call from October on."""
    await goes_live(database)
    await has_tariff(database)
    return database


async def test_a_month_is_the_clients_and_is_issued_once(acme: Database) -> None:
    """From midnight in Paris: 22:00 UTC in September, 23:00 UTC in October."""
    await write(
        acme,
        a_call(1, on(9, 30, 21, 59)),
        a_call(2, on(9, 30, 22, 0)),
        a_call(3, on(10, 31, 22, 59)),
        a_call(4, on(10, 31, 23, 0)),
        a_call(5, on(10, 5), disposition=Disposition.REJECTED),
    )
    first, was_issued = await issue(acme, "acme", OCTOBER, name="Acme SARL", by=ANNE, now=NOW)
    again, was_issued_again = await issue(acme, "acme", OCTOBER, name="Other", by=ANNE, now=NOW + timedelta(days=1))

    assert (was_issued, was_issued_again) == (True, False)
    assert first == again == await find_invoice(acme, "2027-00001")
    assert told(first) == [("10", "calls", 2, "2.00")]
    assert (first.net, first.gross, first.counted, first.not_billed) == (
        Decimal("2.00"),
        Decimal("2.40"),
        {"call": 2},
        {"rejected": 1},
    )
    (deed,) = (await list_audit(acme, action="consumption.issue")).rows
    assert (deed.deed.principal, deed.deed.object, deed.deed.client) == (
        "command:anne",
        "2027-00001 of 2026-10",
        "acme",
    )


async def test_two_processes_issue_one(acme: Database, database_url: str) -> None:
    await write(acme, *(a_call(number, on(10, 5, 8, number)) for number in range(20)))
    others = [Database(make_url(database_url)) for _ in range(4)]
    found = await asyncio.gather(*(issue(one, "acme", OCTOBER, name="Acme", by=ANNE, now=NOW) for one in others))
    for one in others:
        await one.close()

    assert sorted(new for _, new in found) == [False, False, False, True]
    assert {made.number for made, _ in found} == {"2027-00001"}
    assert len((await list_invoices(acme)).invoices) == 1


async def test_it_is_never_changed(acme: Database) -> None:
    """Whoever tries, and whatever they may do."""
    await write(acme, a_call(1, on(10, 5)))
    await issued(acme, OCTOBER)
    another = (
        "INSERT INTO {} SELECT (made).* FROM (SELECT jsonb_populate_record(one, '{}') AS made FROM {} AS one) AS all_"
    )
    for statement in (
        "UPDATE consumption_invoices SET net = 0",
        "DELETE FROM consumption_items",
        "UPDATE consumption_lines SET amount = 0 WHERE correction",
        "DELETE FROM consumption_tariffs",
        "TRUNCATE consumption_items",
        another.format("consumption_items", '{"item_id": "x"}', "consumption_items"),
        another.format("consumption_lines", '{"position": 9}', "consumption_lines"),
    ):
        with pytest.raises(DBAPIError, match=r"never changed|nothing is added"):
            async with acme.connection() as connection:
                await connection.execute(text(statement))


async def test_what_comes_late_is_in_the_next_one(acme: Database) -> None:
    """Named with its month; and in no third one."""
    await write(acme, a_call(1, on(10, 5)), a_call(2, on(11, 5)))
    october = await issued(acme, OCTOBER)
    await write(acme, a_call(3, on(10, 6)), a_call(4, on(10, 7), disposition=Disposition.FAILED))
    november = await issued(acme, NOVEMBER)
    december = await issued(acme, DECEMBER)

    assert told(november) == [("11", "calls", 1, "1.00"), ("10", "calls", 1, "1.00")]
    assert [line.correction for line in november.lines] == [False, True]
    assert told(december) == []
    assert await find_invoice(acme, october.number or "") == october
    (invoice, item), *rest = await invoices_with(acme, "call-000003")
    assert (invoice.number, invoice.month, item.month, item.lines, rest) == (
        november.number,
        NOVEMBER,
        OCTOBER,
        [2],
        [],
    )


async def test_a_client_that_has_left_is_given_back_what_it_must_be(acme: Database) -> None:
    """By an invoice of corrections alone; where there are none, there is no invoice."""
    first = a_call(1, on(10, 5))
    await write(acme, first, a_call(2, on(11, 5)))
    await issued(acme, OCTOBER)
    await set_tariff(acme, "acme", NOVEMBER, None, by=ANNE, now=NOW)
    with pytest.raises(ConsumptionRefused, match="acme has no tariff in 2026-11"):
        await issued(acme, NOVEMBER)
    await write(acme, replace(first, disposition=Disposition.FAILED, revision=Revision(1795427775000, 10)))

    assert told(await issued(acme, NOVEMBER)) == [("10", "calls", -1, "-1.00")]


async def test_what_was_corrected_is_given_back(acme: Database) -> None:
    """The higher revision says that the line failed: its 1.00 goes back, once."""
    first = a_call(1, on(10, 5))
    await write(acme, first, a_call(2, on(10, 6)))
    await issued(acme, OCTOBER)
    await write(acme, replace(first, disposition=Disposition.FAILED, revision=Revision(1795427775000, 10)))

    assert told(await issued(acme, NOVEMBER)) == [("10", "calls", -1, "-1.00")]
    assert told(await issued(acme, DECEMBER)) == []


async def test_what_changes_and_costs_the_same_corrects_nothing(acme: Database) -> None:
    first = a_call(1, on(10, 5))
    await write(acme, first)
    await issued(acme, OCTOBER)
    await write(acme, replace(a_call(1, on(10, 5), talk=300), revision=Revision(1795427775000, 10)))

    assert told(await issued(acme, NOVEMBER)) == []


async def test_a_call_that_is_deleted_stays_billed(acme: Database) -> None:
    """Its invoice says all of it still."""
    await write(acme, a_call(1, on(10, 5)), a_call(2, on(10, 6)))
    october = await issued(acme, OCTOBER)
    async with acme.connection() as connection:
        await connection.execute(text("DELETE FROM calls WHERE call_id = 'call-000001'"))
        await connection.execute(text("UPDATE calls SET caller_number = NULL, caller_name = '', node_path = ''"))

    assert told(await issued(acme, NOVEMBER)) == []
    assert await find_invoice(acme, october.number or "") == october
    items = (await list_items(acme, october.number or "", line=1)).items
    assert [one.rated.item.item_id for one in items] == ["call-000002", "call-000001"]


async def test_a_call_stays_in_the_month_in_which_it_was_billed(acme: Database) -> None:
    """It is known later that it rang after midnight."""
    await write(acme, a_call(1, on(10, 31, 22, 59)))
    await issued(acme, OCTOBER)
    moved = replace(a_call(1, on(10, 31, 23, 0)), revision=Revision(1795427775000, 10))
    await write(acme, moved)

    assert told(await issued(acme, NOVEMBER)) == []
    assert told(await issued(acme, DECEMBER)) == []


async def test_a_call_that_is_anothers_is_given_back(acme: Database) -> None:
    await goes_live(acme, "beta")
    await has_tariff(acme, client="beta")
    await write(acme, a_call(1, on(10, 5)))
    await issued(acme, OCTOBER)
    await write(acme, replace(a_call(1, on(10, 5)), client="beta", revision=Revision(1795427775000, 10)))
    async with acme.connection() as connection:  # whoever is told twice keeps its client; an operator mends it
        await connection.execute(text("UPDATE calls SET client = 'beta'"))

    assert told(await issued(acme, OCTOBER, "beta")) == [("10", "calls", 1, "1.00")]
    assert told(await issued(acme, NOVEMBER)) == [("10", "calls", -1, "-1.00")]


async def test_a_client_that_is_renamed_stays_one(acme: Database) -> None:
    """Its invoices, its tariff and its calls are those of its new name."""
    await write(acme, a_call(1, on(10, 5)), a_call(2, on(11, 5)))
    october = await issued(acme, OCTOBER)
    await goes_live(acme, "acme-sarl", "acme")
    await write(acme, a_call(3, on(11, 20), client="acme-sarl"), a_call(4, on(10, 20)))

    assert (await issue(acme, "acme-sarl", OCTOBER, name="x", by=ANNE, now=NOW)) == (october, False)
    november = await issued(acme, NOVEMBER, "acme-sarl")
    assert told(november) == [("11", "calls", 2, "2.00"), ("10", "calls", 1, "1.00")]
    assert await clients_with_tariff(acme, NOVEMBER) == ["acme-sarl"]
    assert len((await list_invoices(acme, client="acme-sarl")).invoices) == 2
    with pytest.raises(ConsumptionRefused, match="acme is called acme-sarl now"):
        await issued(acme, DECEMBER)


async def test_no_instant_is_in_two_months_or_in_none(acme: Database) -> None:
    """October ended at midnight in Paris; the client is in Tokyo since, where November had begun eight hours before."""
    await write(acme, a_call(1, on(10, 31, 16)), a_call(2, on(10, 31, 23)))
    october = await issued(acme, OCTOBER)
    await goes_live(acme, zone="Asia/Tokyo")
    november = await issued(acme, NOVEMBER)

    assert (told(october), told(november)) == ([("10", "calls", 1, "1.00")], [("11", "calls", 1, "1.00")])
    assert october.to_at == november.from_at


async def test_what_cannot_be_issued(acme: Database) -> None:
    with pytest.raises(ConsumptionRefused, match=r"acme has no tariff in 2026-09: `callrouter consumption set FILE"):
        await issued(acme, date(2026, 9, 1))
    with pytest.raises(ConsumptionRefused, match=r"2027-01 goes on until 2027-02-01 00:00 \(Europe/Paris\)"):
        await issued(acme, date(2027, 1, 1))
    assert told(await preview(acme, "acme", date(2027, 1, 1), name="Acme", now=NOW)) == []


async def test_numbers_have_no_gaps(acme: Database) -> None:
    """Also where somebody was cut off in between."""
    await issued(acme, OCTOBER)
    with pytest.raises(ConsumptionRefused):
        await issued(acme, date(2027, 1, 1))
    assert (await issued(acme, NOVEMBER)).number == "2027-00002"


async def test_a_tariff_changes_from_a_day_on_and_never_what_was_issued(acme: Database) -> None:
    await write(acme, *(a_call(number, on(11, number)) for number in range(1, 21)))
    await issued(acme, OCTOBER)
    with pytest.raises(ConsumptionRefused, match=r"2026-10 is issued for acme.* Set it from 2026-11-01 on"):
        await has_tariff(acme, since=date(2026, 10, 31))
    read = read_tariff((HEAD.replace("EUR", "CHF") + "minimum: 1\n" + NOT_BILLED).encode(), "t.yaml")
    with pytest.raises(ConsumptionRefused, match="is in EUR, and this one in CHF"):
        await set_tariff(acme, "acme", NOVEMBER, read, by=ANNE, now=NOW)
    await has_tariff(acme, "calls: { price: 9 }\n", since=date(2026, 11, 11))
    await has_tariff(acme, "calls: { price: 3 }\n", since=date(2026, 11, 11))  # thought better of
    await set_tariff(acme, "acme", date(2026, 11, 16), None, by=ANNE, now=NOW)

    november = await issued(acme, NOVEMBER)
    assert told(november) == [("11", "calls", 10, "10.00"), ("11", "calls", 5, "15.00")]
    assert november.not_billed == {"no_tariff": 5}
    assert [(one.since, one.tariff) for one in await tariffs_since(acme, "acme")] == [
        (OCTOBER, "essai"),
        (date(2026, 11, 11), "essai"),
        (date(2026, 11, 16), ""),
    ]
    assert await clients_with_tariff(acme, DECEMBER) == []
    assert len((await list_audit(acme, action="consumption.tariff")).rows) >= 3


async def test_what_if_changes_nothing(acme: Database) -> None:
    """By minutes: 60 + 90 s at 2.00 are 5.00, and not 2.00; also once the calls are deleted."""
    await write(acme, a_call(1, on(10, 5), 60), a_call(2, on(10, 6), 90))
    other = read_tariff((HEAD + "minutes: { price: 2, first: 1s, step: 1s }\n" + NOT_BILLED).encode(), "t.yaml")
    for _ in range(2):
        found = await what_if(acme, "acme", OCTOBER, other, name="Acme", now=NOW)
        assert found.now is not None
        assert (found.now.net, found.by_other.net) == (Decimal("2.00"), Decimal("5.00"))
        await issued(acme, OCTOBER)
        async with acme.connection() as connection:
            await connection.execute(text("DELETE FROM calls"))


async def test_items_come_in_pages(acme: Database) -> None:
    await write(acme, *(a_call(number, on(10, 5, 8, number)) for number in range(25)))
    number = (await issued(acme, OCTOBER)).number or ""
    seen: list[str] = []
    cursor = None
    while True:
        found = await list_items(acme, number, limit=10, cursor=cursor)
        seen += [one.rated.item.item_id for one in found.items]
        if (cursor := found.next_cursor) is None:
            break

    assert seen == [f"call-{one:06}" for one in reversed(range(25))]


SAYS = """monthly: { fee: 20, calls: 3, minutes: 4 }
minimum: 24
calls: { tiers: [ { up_to: 2, price: 0.333 }, { price: 0.111 } ] }
minutes: { tiers: [ { up_to: 2, price: 0.177 }, { price: 0.099 } ], first: 60s, step: 7s, counts: [talk, hold] }
surcharges: [ { name: soir, hours: "daily 18:00-08:00", call: 0.07, minute: 0.013 } ]
"""
MONTHS = [OCTOBER, NOVEMBER, DECEMBER, date(2027, 1, 1)]


@dataclass
class _World:
    """What was told of each call, the last of which stands, and which are deleted."""

    random: Random
    told: dict[int, Call] = field(default_factory=dict)

    def tells(self, latest: date) -> list[Call]:
        """Some new calls, some that came late, some corrections."""
        found = []
        for _ in range(self.random.randrange(1, 7)):
            number = self.random.randrange(60)
            day = self.random.choice([one for one in MONTHS if one <= latest]) + timedelta(self.random.randrange(30))
            at = datetime(day.year, day.month, day.day, self.random.randrange(24), tzinfo=UTC)
            known = self.told.get(number)
            outcome = self.random.choice([Disposition.ANSWERED, Disposition.REDIRECTED, Disposition.FAILED])
            call = a_call(
                number,
                at if known is None else known.clocks.ringing_at,
                self.random.randrange(400),
                disposition=outcome,
                revision=Revision(1795427775000, 1 if known is None else known.revision.count + 1),
            )
            self.told[number] = call
            found.append(call)
        return list({call.call_id: call for call in found}.values())


@pytest.mark.parametrize("seed", range(3))
async def test_all_invoices_together_are_all_calls(database: Database, database_url: str, seed: int) -> None:
    """While calls are written, come late and are corrected, invoices are issued, by two at once, and calls deleted."""
    random = Random(seed)
    await goes_live(database)
    await has_tariff(database, SAYS)
    other = Database(make_url(database_url))
    world = _World(random)
    invoices = {}

    async def tells(latest: date) -> None:
        for _ in range(random.randrange(1, 4)):
            await write(database, *world.tells(latest))

    async def bills(month: date) -> None:
        both = await asyncio.gather(
            *(
                issue(one, "acme", month, name="Acme", by=ANNE, now=NOW + timedelta(days=120))
                for one in (database, other)
            )
        )
        assert both[0][0] == both[1][0]
        invoices[month] = both[0][0]

    for month in MONTHS:
        await tells(month)
        await asyncio.gather(bills(month), tells(month))
    await write(database, *world.tells(MONTHS[-1]))
    last = date(2027, 2, 1)
    await asyncio.gather(bills(last))  # nothing is written meanwhile: all is in the record
    async with database.connection() as connection:
        await connection.execute(text("DELETE FROM calls WHERE call_id > 'call-000030'"))
    await bills(date(2027, 3, 1))

    assert not [line for line in invoices[date(2027, 3, 1)].lines if line.correction]
    whole = Decimal(0)
    async with database.connection() as connection:
        for month in [*MONTHS, last, date(2027, 3, 1)]:
            parts = await parts_of(connection, ["acme"], month)
            items = [one.item for one in (await items_billed(connection, ["acme"], month)).values()]
            rated = rate(items, parts, PARIS)
            whole += sum(line.amount for line in lines_of(rated, parts, month).lines)
            assert {one.item_id for one in items} == {
                call.call_id for call in world.told.values() if _month_of(call) == month
            }
            for item in items:
                call = world.told[int(item.item_id[-6:])]
                assert (item.outcome, item.talk_seconds) == (call.disposition, call.talk_seconds())
    await other.close()
    assert sum_of(list(invoices.values())) == str(whole)


def _month_of(call: Call) -> date:
    return call.clocks.ringing_at.astimezone(PARIS).date().replace(day=1)


async def test_a_slip_in_the_currency_can_be_mended(database: Database) -> None:
    """By a tariff from the same day on; beside what was set from another day it is refused."""
    await goes_live(database)
    says = HEAD + PER_CALL + NOT_BILLED
    in_francs = read_tariff(says.replace("EUR", "CHF").encode(), "t.yaml")
    await set_tariff(database, "acme", OCTOBER, in_francs, by=ANNE, now=NOW)
    await set_tariff(database, "acme", OCTOBER, read_tariff(says.encode(), "t.yaml"), by=ANNE, now=NOW)
    with pytest.raises(ConsumptionRefused, match="is in EUR, and this one in CHF"):
        await set_tariff(database, "acme", NOVEMBER, in_francs, by=ANNE, now=NOW)
