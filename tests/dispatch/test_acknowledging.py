"""Somebody takes a message on: what stops, and who hears of it."""

from __future__ import annotations

from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.tables import MessageChangeKind
from tests.dispatch.rooms import MINUTE, Office, a_plan, hook, reach, rule
from tests.runtime.web_service import WebService


async def test_it_stops_everything_in_its_transaction(office: Office, crm: WebService) -> None:
    """oncall#4654: nobody is told after it, however long the worker goes on."""
    people = [reach(name, crm.url(f"good/{name}")) for name in ("anne", "bruno")]
    office.plan = a_plan(*people, policy=rule(hook("anne", wait=600), hook("bruno", wait=600), repeat=3))
    await office.message()
    async with office.works() as due:
        await office.has(accepted=1)
        ((delivery_id,),) = await office.rows("SELECT delivery_id FROM deliveries")
        at = office.clock.now()
        taken = await acknowledge(office.database, "m1", by="anne", how="link", at=at, delivery_id=delivery_id)
        again = await acknowledge(office.database, "m1", by="bruno", how="link", at=at)
        for _ in range(10):
            office.clock.passes(60 * MINUTE)
            due.set()
            await office.has(acknowledged=1)

    assert (taken, again) == (True, False)
    assert [one.contact for one in office.written] == ["anne"]
    assert await office.state() == ("acknowledged", "")
    sql = "SELECT acknowledged_by, acknowledged_how, ended_at, due_at FROM dispatches"
    assert await office.rows(sql) == [("anne", "link", at, None)]


async def test_the_others_who_know_of_it_hear_who_took_it_on(office: Office, crm: WebService) -> None:
    people = [reach(name, crm.url(f"good/{name}")) for name in ("anne", "bruno")]
    office.plan = a_plan(*people, policy=rule(hook("anne", wait=600), hook("bruno", wait=600)))
    await office.message()
    async with office.works() as due:
        await office.has(accepted=1)
        office.clock.passes(10 * MINUTE)
        due.set()
        await office.has(accepted=2)
        await acknowledge(office.database, "m1", by="bruno", how="link", at=office.clock.now())
        due.set()
        await office.has(accepted=3)

    notice = office.written[-1]
    assert (notice.kind, notice.contact, notice.acknowledged_by) == ("notice", "anne", "Bruno")
    assert [(notice.acknowledged_at,)] == await office.rows("SELECT ended_at FROM dispatches")
    assert len(office.written) == 3
    assert await office.trail() == [
        "rule",
        "step",
        "sent anne",
        "step",
        "sent bruno",
        "acknowledged bruno",
        "sent anne",
    ]


async def test_of_an_ordinary_one_nobody_else_hears(office: Office, crm: WebService) -> None:
    people = [reach(name, crm.url(f"good/{name}")) for name in ("anne", "bruno")]
    office.plan = a_plan(*people, policy=rule(ordinary=[hook("anne", "bruno")]))
    await office.message(urgent=False)
    async with office.works():
        await office.comes("told")
        assert await acknowledge(office.database, "m1", by="anne", how="done", at=office.clock.now())
        await office.has(accepted=2)

    assert await office.state() == ("acknowledged", "")


async def test_where_every_message_is_waited_for_the_others_hear_of_an_ordinary_one(
    office: Office, crm: WebService
) -> None:
    """A rule without a course of its own for ordinary messages: a voice message from the night is one."""
    people = [reach(name, crm.url(f"good/{name}")) for name in ("anne", "bruno")]
    office.plan = a_plan(*people, policy=rule(hook("anne", "bruno", wait=600)))
    await office.message(urgent=False)
    async with office.works() as due:
        await office.has(accepted=2)
        await acknowledge(office.database, "m1", by="anne", how="link", at=office.clock.now())
        due.set()
        await office.has(accepted=3)

    assert [(one.kind, one.contact) for one in office.written][2:] == [("notice", "bruno")]


async def test_what_stands_on_the_list_is_taken_from_it(office: Office) -> None:
    office.plan = a_plan()
    await office.message(deliver="")
    async with office.works():
        await office.comes("attention")
    assert await acknowledge(office.database, "m1", by="token:anne", how="cli", at=office.clock.now())

    assert await office.state() == ("acknowledged", "")


async def test_of_an_unknown_message_nothing_is_acknowledged(office: Office) -> None:
    assert not await acknowledge(office.database, "nothing", by="anne", how="api", at=office.clock.now())


async def test_what_turns_out_to_be_urgent_goes_the_urgent_course(office: Office, crm: WebService) -> None:
    """Somebody corrects it: whoever is woken for urgent ones is told now."""
    people = [reach(name, crm.url(f"good/{name}")) for name in ("anne", "bruno")]
    office.plan = a_plan(*people, policy=rule(hook("bruno", wait=600), ordinary=[hook("anne")]))
    await office.message(urgent=False)
    async with office.works() as due:
        await office.comes("told")
        change = Change(
            kind=MessageChangeKind.CORRECTED, principal="desk", at=office.clock.now(), values={"urgent": True}
        )
        assert await change_message(office.database, "m1", change) is ChangeResult.KEPT
        due.set()
        await office.has(accepted=2)

    assert [one.contact for one in office.written] == ["anne", "bruno"]
    assert (await office.state())[0] == "running"
