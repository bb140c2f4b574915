"""Steps on a real PostgreSQL: who is told when, by the rule as it was, and the plan as it is."""

from __future__ import annotations

from sqlalchemy import text

from callrouter.core.call import replace
from callrouter.store.dispatch.again import restart_within
from tests.dispatch.rooms import MINUTE, Office, a_plan, hook, on_duty, reach, rule
from tests.runtime.web_service import WebService


async def test_a_message_is_told_from_its_own_transaction_on(office: Office, crm: WebService) -> None:
    """Nobody but PostgreSQL made the row by which it is owed; the contact alone is the rule."""
    office.plan = a_plan(reach("doctor", crm.url("good")))
    await office.message(deliver="doctor")
    assert await office.state() == ("new", "")

    async with office.works():
        await office.comes("told")

    (asked,) = crm.asked
    assert b'"messages": ["m1"]' in asked
    assert await office.trail() == ["rule", "step", "sent doctor", "told"]


async def test_an_escalation_of_thirty_minutes(office: Office, crm: WebService) -> None:
    """Two steps, twice; then it stands on the list. Nothing is sent before its time."""
    office.plan = a_plan(
        reach("doctor", crm.url("good")),
        reach("partner", crm.url("good/2")),
        policy=rule(hook("doctor", wait=600), hook("partner", wait=300), repeat=1),
    )
    await office.message()
    told = []
    async with office.works() as due:
        for passed, many in ((0, 1), (9, 1), (1, 2), (4, 2), (1, 3), (10, 4), (5, 4)):
            office.clock.passes(passed * MINUTE)
            due.set()
            await office.has(accepted=many)
            told.append(len(crm.asked))
        reason = await office.comes("attention", due=due)

    assert told == [1, 1, 2, 2, 3, 4, 4]
    assert reason == "nobody has acknowledged it"
    assert [one.contact for one in office.written] == ["doctor", "partner", "doctor", "partner"]


async def test_the_rule_is_the_one_of_its_beginning_and_the_person_the_one_of_now(
    office: Office, crm: WebService
) -> None:
    """A rule that is edited meanwhile changes nothing for it; a rota that is, and an address, do (dispatch)."""
    people = [reach("anne", crm.url("good/anne")), reach("bruno", crm.url("good/bruno"))]
    steps = [hook("anne", wait=600), hook("duty", wait=600)]
    office.plan = a_plan(*people, policy=rule(*steps), rotas={"duty": on_duty("anne")})
    await office.message()
    async with office.works() as due:
        await office.has(accepted=1)
        office.plan = a_plan(*people, policy=rule(hook("anne", wait=60)), rotas={"duty": on_duty("bruno")})
        office.clock.passes(10 * MINUTE)
        due.set()
        await office.has(accepted=2)

    assert [one.contact for one in office.written] == ["anne", "bruno"]


async def test_the_rule_is_the_one_of_the_plan_by_which_it_was_taken(office: Office, crm: WebService) -> None:
    """Whatever has gone live before the worker saw the message; one that was given to somebody else goes by what is."""
    people = [reach("anne", crm.url("good/anne")), reach("bruno", crm.url("good/bruno"))]
    office.kept["v1"] = a_plan(*people, policy=rule(hook("anne", wait=600)))
    office.plan = replace(a_plan(*people, policy=rule(hook("bruno", wait=600))), version="v2")
    await office.message("m1", plan_version="v1")
    await office.message("m2", plan_version="v2")
    await office.message("m3", plan_version="lost")
    await office.message("m4")
    async with office.works():
        await office.has(accepted=4)

    told = {one.messages[0].message_id: one.contact for one in office.written}
    assert told == {"m1": "anne", "m2": "bruno", "m3": "bruno", "m4": "bruno"}


async def test_a_message_that_is_told_anew_goes_by_the_rule_of_now(office: Office, crm: WebService) -> None:
    """Whoever has it told anew does so for what stands in the file."""
    people = [reach("anne", crm.url("good/anne")), reach("bruno", crm.url("good/bruno"))]
    office.kept["v1"] = a_plan(*people, policy=rule(hook("anne", wait=600)))
    office.plan = a_plan(*people, policy=rule(hook("bruno", wait=600)))
    await office.message(plan_version="v1")
    async with office.works() as due:
        await office.has(accepted=1)
        async with office.database.connection() as connection:
            await restart_within(connection, "m1", by="token:desk", at=office.clock.now(), urgent=True)
        due.set()
        await office.has(accepted=2)

    assert [one.contact for one in office.written] == ["anne", "bruno"]


async def test_nobody_on_call_is_on_the_list_at_once(office: Office, crm: WebService) -> None:
    office.plan = a_plan(policy=rule(hook("duty", wait=600), repeat=3), rotas={"duty": on_duty()})
    await office.message()
    async with office.works():
        reason = await office.comes("attention")

    assert reason == "nobody could be told: nobody is on call by duty"
    assert await office.trail() == ["rule", *["nobody_on_call"] * 4, "attention"]


async def test_a_channel_that_fails_for_good_brings_the_next_step_at_once(office: Office, crm: WebService) -> None:
    """A host that the operator does not allow: nobody waits ten minutes for it."""
    office.plan = a_plan(
        reach("far", "https://elsewhere.example/"),
        reach("doctor", crm.url("good")),
        policy=rule(hook("far", wait=600), hook("doctor", wait=600)),
    )
    await office.message()
    async with office.works():
        await office.has(accepted=1, failed=1)

    assert await office.trail() == ["rule", "step", "failed far", "step", "sent doctor"]


async def test_the_reason_says_why_the_last_one_failed(office: Office) -> None:
    office.plan = a_plan(reach("far", "https://elsewhere.example/"), policy=rule(hook("far", wait=600)))
    await office.message()
    async with office.works():
        reason = await office.comes("attention")

    assert reason.startswith("nobody could be told (far: ")
    assert "elsewhere.example" in reason


async def test_what_nobody_is_named_for_is_on_the_list(office: Office) -> None:
    office.plan = a_plan()
    await office.message("m1", deliver="")
    await office.message("m2", deliver="gone")
    async with office.works():
        first, second = await office.comes("attention", "m1"), await office.comes("attention", "m2")
        office.plan = None
        await office.message("m3")
        third = await office.comes("attention", "m3")

    assert first == "nobody is named to be told of it"
    assert second == "gone, for whom it is, is no contact or rule of the client's any more"
    assert third == "the client has no plan that is live"


async def test_an_ordinary_message_ages(office: Office, crm: WebService) -> None:
    """It was told, and nobody took it on: after four hours it goes the urgent course."""
    policy = rule(hook("doctor", wait=600), ordinary=[hook("desk")], ages_seconds=4 * 3600)
    office.plan = a_plan(reach("desk", crm.url("good/desk")), reach("doctor", crm.url("good")), policy=policy)
    await office.message(urgent=False)
    async with office.works() as due:
        await office.has(accepted=1)
        assert await office.state() == ("running", "")
        office.clock.passes(240 * MINUTE)
        due.set()
        await office.has(accepted=2)

    assert await office.trail() == ["rule", "step", "sent desk", "aged", "step", "sent doctor"]


async def test_messages_of_before_the_schema_are_owed_to_nobody(office: Office) -> None:
    """Only what is inserted is dispatched; the same message told twice is dispatched once."""
    await office.message("m1")
    assert await office.rows("SELECT message_id, state FROM dispatches") == [("m1", "new")]


def test_the_plan_is_asked_by_its_policies_first() -> None:
    plan = a_plan(reach("rule"), policy=rule())

    assert plan.policy_for("rule") == rule()
    assert replace(plan, policies={}).policy_for("rule") is not None
    assert plan.policy_for("nobody") is None


async def test_a_rule_that_this_release_cannot_read_holds_up_nobody(office: Office, crm: WebService) -> None:
    """One of the release that comes after: the message stands on the list, the worker goes on, and the rule stays as
    it is written, since it may say that the message is confidential."""
    office.plan = a_plan(reach("anne", crm.url("good")), policy=rule(hook("anne", wait=600)))
    await office.message("m1")
    async with office.works() as due:
        await office.has(accepted=1, due=due)
        unread = """UPDATE dispatches SET policy = '{"name": 7, "confidential": true}', due_at = now()"""
        async with office.database.connection() as connection:
            await connection.execute(text(unread))
        reason = await office.comes("attention", due=due)
        await office.message("m2")
        await office.has(accepted=2, due=due)

    assert reason == "the rule that it goes by cannot be read by this release"
    assert await office.rows("SELECT policy->'confidential', step FROM dispatches WHERE message_id = 'm1'") == [
        (True, 1)
    ]
