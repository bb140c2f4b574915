"""What is sent to whom, and what becomes of it: on a real PostgreSQL, to a web service that answers as it likes."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.dispatch import Means, Step
from callrouter.delivery.servers import SmsGateway
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.board import Why, list_board
from callrouter.store.dispatch.links import find_link, note_viewed
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.tables import MessageChangeKind
from tests.delivery.channels.mail_server import mail_server
from tests.delivery.channels.sms_gateway import sms_gateway
from tests.dispatch.rooms import MINUTE, Office, a_plan, hook, reach, rule
from tests.patience import START_SECONDS
from tests.runtime.web_service import WebService


async def test_all_of_a_step_are_told_each_with_a_link_of_their_own(office: Office, crm: WebService) -> None:
    """The record holds nobody's link, only what it is known by."""
    people = [reach("anne", crm.url("good/1")), reach("bruno", crm.url("good/2"))]
    office.plan = a_plan(*people, policy=rule(hook("anne", "bruno", wait=600)))
    await office.message(caller_number="+33612340001", caller_name="Jeanne")
    async with office.works():
        await office.has(accepted=2)

    parcels = sorted(office.written, key=lambda one: one.contact)
    links = [parcel.messages[0].link for parcel in parcels]
    assert [one.contact for one in parcels] == ["anne", "bruno"]
    assert {one.messages[0].caller_name for one in parcels} == {"Jeanne"}
    assert all(link.startswith("https://desk.example/m/") for link in links)
    kept = await office.rows(
        "SELECT token_hash FROM delivery_links l JOIN deliveries USING (delivery_id) ORDER BY contact"
    )
    assert [row[0] for row in kept] == [hashlib.sha256(link.rpartition("/")[2].encode()).hexdigest() for link in links]


async def test_without_a_public_address_there_is_no_link(office: Office, crm: WebService) -> None:
    office.plan, office.public_url = a_plan(reach("anne", crm.url("good"))), ""
    await office.message(deliver="anne")
    async with office.works():
        await office.comes("told")

    assert office.written[0].messages[0].link == ""
    assert await office.rows("SELECT count(*) FROM delivery_links") == [(0,)]


async def test_what_fails_for_now_is_tried_again_and_then_something_else_is(office: Office, crm: WebService) -> None:
    """Four times in six minutes, where something follows: and then that begins, before its time."""
    office.plan = a_plan(
        reach("anne", crm.url("fail")),
        reach("bruno", crm.url("good")),
        policy=rule(hook("anne", wait=3600), hook("bruno", wait=600)),
    )
    await office.message()
    async with office.works() as due:
        for attempt in range(1, 5):
            await office.rows_are(
                "SELECT attempts, state <> 'sending' FROM deliveries WHERE contact = 'anne'", (attempt, True)
            )
            office.clock.passes(6 * MINUTE)
            due.set()
        await office.has(accepted=1, failed=1)

    assert len(crm.asked) == 5
    assert await office.trail() == ["rule", "step", *["again anne"] * 3, "failed anne", "step", "sent bruno"]


async def test_where_nothing_follows_it_is_tried_for_hours(office: Office, crm: WebService) -> None:
    """Eight times, nine hours: and then it stands on the list, with the reason."""
    crm.away = True
    office.plan = a_plan(reach("anne", crm.url("good")))
    await office.message(deliver="anne")
    async with office.works() as due:
        for attempt in range(1, 9):
            await office.rows_are("SELECT attempts, state <> 'sending' FROM deliveries", (attempt, True))
            office.clock.passes(timedelta(hours=7))
            due.set()
        reason = await office.comes("attention", due=due)

    assert len(crm.asked) in (5, 6, 7, 8)  # while it rests nobody is asked, and it counts as an attempt
    assert reason.startswith("nobody could be told (anne: ")


async def test_a_digest_is_one_telling(office: Office, crm: WebService) -> None:
    """Three messages until noon, one mail; a fourth after it waits for the evening."""
    zone = ZoneInfo("Europe/Paris")
    local = office.clock.now().astimezone(zone)
    soon, later = ((local + timedelta(hours=hours)).replace(second=0, microsecond=0) for hours in (1, 9))
    step = hook("anne", at=(soon.time(), later.time()))
    office.plan = a_plan(reach("anne", crm.url("good")), policy=rule(ordinary=[step]))
    for number in range(3):
        await office.message(f"m{number}", urgent=False)
    async with office.works() as due:
        await office.has()
        office.clock.passes(60 * MINUTE)
        due.set()
        await office.has(due=due, accepted=3)
        await office.message("m9", urgent=False)
        due.set()
        await office.has(accepted=3)

    assert [len(parcel.messages) for parcel in office.written] == [3]
    assert await office.rows("SELECT count(*) FROM dispatches WHERE held_until IS NOT NULL") == [(1,)]
    assert await office.trail("m0") == ["rule", "held", "step", "sent anne", "told"]


async def test_a_dead_receiver_does_not_hold_up_the_others(
    office: Office, crm: WebService, another: WebService
) -> None:
    """Twenty messages for one that never answers, and then one for another: it is there at once."""
    office.plan = a_plan(reach("dead", crm.url("slow")), reach("alive", another.url("good")))
    async with office.works():
        for number in range(20):
            await office.message(f"dead{number}", deliver="dead")
        await office.message("alive", deliver="alive")
        await office.comes("told", "alive")
        ((state,),) = await office.rows("SELECT DISTINCT state FROM dispatches WHERE message_id LIKE 'dead%'")

    assert state == "running"


async def test_a_webhook_whose_fate_is_unknown_repeats_with_its_id(office: Office, crm: WebService) -> None:
    """The worker is killed between sending and writing it down; the next one says so, and sends it again."""
    held = crm.hold()
    office.plan = a_plan(reach("anne", crm.url("good")))
    await office.message(deliver="anne")
    async with office.works("first"):
        await office.rows_are("SELECT state FROM deliveries", ("sending",))
        async with asyncio.timeout(START_SECONDS):
            while not crm.asked:
                await asyncio.sleep(0.02)
    held.set()
    crm.held = None
    async with office.works("second") as due:
        await office.rows_are("SELECT state FROM deliveries", ("queued",))
        office.clock.passes(MINUTE)
        due.set()
        await office.comes("told")

    first, second = ([line for line in one.split(b"\r\n") if b"Idempotency-Key" in line] for one in crm.asked)
    assert first == second != []
    assert await office.trail() == ["rule", "step", "again anne", "sent anne", "told"]


async def test_a_telling_that_was_withdrawn_is_not_sent(office: Office, crm: WebService) -> None:
    """Somebody acknowledged while it waited for its next attempt."""
    office.plan = a_plan(reach("anne", crm.url("fail")), policy=rule(hook("anne", wait=3600)))
    await office.message()
    async with office.works() as due:
        await office.rows_are("SELECT attempts, state FROM deliveries", (1, "queued"))
        assert await acknowledge(office.database, "m1", by="bruno", how="api", at=office.clock.now())
        office.clock.passes(60 * MINUTE)
        due.set()
        await office.has(withdrawn=1)

    assert len(crm.asked) == 1


@pytest.mark.parametrize("reassigned", [False, True])
async def test_what_is_in_an_attempt_is_not_tried_again_once_it_is_needless(
    office: Office, crm: WebService, *, reassigned: bool
) -> None:
    """Somebody takes the message on, or it is given to somebody else, before the attempt fails."""
    held = crm.hold()
    people = [reach("anne", crm.url("fail")), reach("bruno", crm.url("good"))]
    office.plan = a_plan(*people, policy=rule(hook("anne", wait=36_000)))
    await office.message()
    async with office.works() as due:
        await office.rows_are("SELECT state FROM deliveries", ("sending",))
        async with asyncio.timeout(START_SECONDS):
            while not crm.asked:
                await asyncio.sleep(0.02)
        now = office.clock.now()
        if reassigned:
            change = Change(kind=MessageChangeKind.REASSIGNED, principal="desk", at=now, deliver="bruno")
            assert await change_message(office.database, "m1", change) is ChangeResult.KEPT
        else:
            assert await acknowledge(office.database, "m1", by="bruno", how="api", at=now)
        held.set()
        crm.held = None
        accepted = {"accepted": 1} if reassigned else {}
        await office.has(withdrawn=1, due=due, **accepted)

    assert "withdrawn anne" in await office.trail()
    assert len(crm.asked) == (2 if reassigned else 1)


async def test_what_was_in_an_attempt_when_the_worker_died_is_not_sent_again_once_it_is_needless(
    office: Office, crm: WebService
) -> None:
    """Its fate is not known, but nobody wants it any more."""
    held = crm.hold()
    office.plan = a_plan(reach("anne", crm.url("good")), policy=rule(hook("anne", wait=3600)))
    await office.message()
    async with office.works("first"):
        await office.rows_are("SELECT state FROM deliveries", ("sending",))
    assert await acknowledge(office.database, "m1", by="bruno", how="api", at=office.clock.now())
    held.set()
    crm.held = None
    async with office.works("second") as due:
        await office.has(withdrawn=1, due=due)

    assert (await office.trail())[-1] == "withdrawn anne"


@pytest.mark.parametrize("text", ["a\x00b".replace("\x00", ""), "\u202e evil", "x" * 4000])
async def test_whatever_a_message_holds_it_is_told(office: Office, crm: WebService, text: str) -> None:
    office.plan = a_plan(reach("anne", crm.url("good")))
    await office.message(deliver="anne", text=text)
    async with office.works():
        await office.comes("told")

    assert office.written[0].messages[0].text == text


async def test_what_cannot_be_written_is_said(office: Office, crm: WebService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours fails that telling, and is on the list; it holds up nothing else."""

    def faulty(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(Office, "_write", faulty)
    office.plan = a_plan(reach("anne", crm.url("good")))
    await office.message(deliver="anne")
    async with office.works():
        reason = await office.comes("attention")

    assert reason == "nobody could be told (anne: it failed in an unforeseen way: the worker's log says how)"


async def test_no_number_is_sent_more_sms_than_carriers_take(office: Office) -> None:
    """goalert#4188: what a limit holds back stands on the board and in the trail, and goes when there is room."""
    async with sms_gateway() as gateway:
        office.http = GuardedHttp([gateway.host], {})
        office.sms = SmsGateway(url=gateway.url)
        by_sms = Step(to=("anne",), by=(Means.SMS,), wait_seconds=3600)
        office.plan = a_plan(reach("anne", number="+33639980001"), policy=rule(by_sms))
        for number in range(8):
            await office.message(f"m{number}")
        async with office.works() as due:
            await office.has(accepted=5, queued=3)
            board = await list_board(office.database, now=office.clock.now())
            (trail,) = {tuple(await office.trail(entry.dispatch.message_id)) for entry in board.entries}
            office.clock.passes(16 * MINUTE)
            due.set()
            await office.has(accepted=8)
        await office.http.close()

    assert len(gateway.asked) == 8
    assert trail == ("rule", "step", "held anne")
    assert [entry.why for entry in board.entries] == [(Why.FAILED,)] * 3
    assert (
        "telling anne by sms is held back (no more than 5 SMS in 15 minutes go to one number)"
        in board.entries[0].because
    )


async def test_an_sms_that_is_opened_later_is_not_one_that_is_sent_then(office: Office) -> None:
    """A doctor who opens this morning's five links can be told of the next message at once."""
    async with sms_gateway() as gateway:
        office.http = GuardedHttp([gateway.host], {})
        office.sms = SmsGateway(url=gateway.url)
        by_sms = Step(to=("anne",), by=(Means.SMS,), wait_seconds=36_000)
        office.plan = a_plan(reach("anne", number="+33639980001"), policy=rule(by_sms))
        for number in range(5):
            await office.message(f"m{number}")
        async with office.works() as due:
            await office.has(accepted=5)
            office.clock.passes(120 * MINUTE)
            for parcel in office.written[:5]:
                link = await find_link(office.database, parcel.messages[0].link.rpartition("/")[2])
                assert link is not None
                assert await note_viewed(office.database, link, office.clock.now())
            await office.message("next")
            await office.has(due=due, viewed=5, accepted=1)
        await office.http.close()


async def test_a_digest_by_two_means_is_one_by_each(office: Office) -> None:
    """Twelve messages until noon: one mail and one SMS, and there is room for four more SMS."""
    local = office.clock.now().astimezone(ZoneInfo("Europe/Paris"))
    soon = (local + timedelta(hours=1)).replace(second=0, microsecond=0).time()
    digest = Step(to=("anne",), by=(Means.EMAIL, Means.SMS), at=(soon,))
    by_sms = Step(to=("anne",), by=(Means.SMS,), wait_seconds=36_000)
    anne = reach("anne", email="anne@clinic.example", number="+33639980001")
    office.plan = a_plan(anne, policy=rule(by_sms, ordinary=[digest]))
    for number in range(12):
        await office.message(f"m{number}", urgent=False)
    async with mail_server() as box, sms_gateway() as gateway:
        office.http = GuardedHttp([gateway.host], {})
        office.mail, office.sms = box.server, SmsGateway(url=gateway.url)
        async with office.works() as due:
            await office.has()
            office.clock.passes(60 * MINUTE)
            await office.has(due=due, accepted=24)
            for number in range(5):
                await office.message(f"urgent{number}")
            await office.has(due=due, accepted=28, queued=1)
        await office.http.close()

    assert (len(box.received), len(gateway.asked)) == (1, 5)


async def test_a_digest_that_is_held_back_stays_one(office: Office) -> None:
    """Five SMS have gone: all twelve messages wait, and go in one."""
    local = office.clock.now().astimezone(ZoneInfo("Europe/Paris"))
    soon = (local + timedelta(hours=1)).replace(second=0, microsecond=0).time()
    by_sms = Step(to=("anne",), by=(Means.SMS,), wait_seconds=36_000)
    digest = Step(to=("anne",), by=(Means.SMS,), at=(soon,))
    office.plan = a_plan(reach("anne", number="+33639980001"), policy=rule(by_sms, ordinary=[digest]))
    for number in range(12):
        await office.message(f"m{number}", urgent=False)
    async with sms_gateway() as gateway:
        office.http = GuardedHttp([gateway.host], {})
        office.sms = SmsGateway(url=gateway.url)
        async with office.works() as due:
            await office.has()
            office.clock.passes(50 * MINUTE)
            for number in range(5):
                await office.message(f"urgent{number}")
            await office.has(due=due, accepted=5)
            office.clock.passes(10 * MINUTE)
            await office.has(due=due, accepted=5, queued=12)
            office.clock.passes(16 * MINUTE)
            await office.has(due=due, accepted=17)
        await office.http.close()

    assert len(gateway.asked) == 6


def test_times_of_day_are_the_clients() -> None:
    """Not the server's: 12:00 in Paris."""
    step: Step = hook("anne", at=(time(12),))
    at = datetime(2026, 7, 1, 9, 30, tzinfo=ZoneInfo("UTC"))

    assert a_plan().house.strikes(step, at).isoformat() == "2026-07-01T10:00:00+00:00"
