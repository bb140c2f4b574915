"""What a telling holds: codes that open and codes to answer with, as real servers are handed them, and nowhere else."""

from __future__ import annotations

import email
import json
import re
from email.policy import default
from pathlib import Path

import pytest

from callrouter.core.dispatch import Means, Step
from callrouter.delivery.servers import SmsGateway
from callrouter.dispatch.receipts.noting import Reports, Taken
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from callrouter.store.dispatch.links import find_link
from callrouter.store.dispatch.opening import Asked, Refused, ask_code, try_open
from callrouter.store.dispatch.replies import Outcome, Reply, take_reply
from callrouter.store.messages import Change, ChangeResult, change_message
from callrouter.store.tables import MessageChangeKind
from tests.delivery.channels.mail_server import mail_server
from tests.delivery.channels.sms_gateway import Gateway, sms_gateway
from tests.dispatch.receipts.answers import plain
from tests.dispatch.rooms import Office, a_plan, reach, rule
from tests.runtime.web_service import WebService

NUMBER, OTHER_NUMBER = "+33639980001", "+33639980002"


def texts(gateway: Gateway) -> list[str]:
    """Of the SMS that it was asked for, in order."""
    return [json.loads(one.partition(b"\r\n\r\n")[2])["text"] for one in gateway.asked]


def mail_text(raw: bytes) -> str:
    """What a person reads of a mail."""
    part = email.message_from_bytes(raw, policy=default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def confidential(office: Office) -> Office:
    """Whose messages leave the house as links alone; one contact, who has mail and a telephone."""
    anne = reach("anne", language="en", email="anne@clinic.example", number=NUMBER)
    step = Step(to=("anne",), by=(Means.EMAIL,), wait_seconds=600)
    office.plan = a_plan(anne, policy=rule(step, confidential=True))
    return office


async def test_a_code_goes_out_at_once_and_opens_its_link(confidential: Office, tmp_path: Path) -> None:
    """By SMS, while the message went by mail; what is told of it is the code, and when the message was taken. Nothing
    in the record is it, or leads to it."""
    office = confidential
    async with mail_server() as box, sms_gateway() as gateway:
        office.http = GuardedHttp([gateway.host], {})
        office.mail, office.sms = box.server, SmsGateway(url=gateway.url)
        await office.message(text="Veut le résultat", caller_name="Jeanne", caller_number="+33612340001")
        async with office.works() as due:
            await office.has(accepted=1)
            link = re.search(r"/m/([\w-]{43})", mail_text(box.received[0]))
            assert link is not None
            found = await find_link(office.database, link[1])
            assert found is not None
            asked = await ask_code(office.database, found, Means.SMS, f"sms:{NUMBER}", office.clock.now())
            due.set()
            await office.has(accepted=2)
        await office.http.close()
    (text,) = texts(gateway)
    code = re.search(r"\b([0-9]{6})\b", text)
    assert code is not None
    wrong = await try_open(office.database, found, "000000" if code[1] != "000000" else "1", office.clock.now(), pin="")
    right = await try_open(office.database, found, code[1], office.clock.now(), pin="")

    assert asked is Asked.QUEUED
    assert (wrong.refused, bool(right.token)) == (Refused.WRONG, True)
    for secret in ("Veut", "Jeanne", "612340001", "/m/"):
        assert secret not in text
        assert secret == "/m/" or secret not in mail_text(box.received[0])
    for table in ("deliveries", "delivery_codes", "delivery_links", "dispatch_events"):
        kept = str(await office.rows(f"SELECT t::text FROM {table} t"))
        assert code[1] not in kept
        assert link[1] not in kept
    assert await office.trail() == [
        "rule",
        "step",
        "sent anne",
        "code_asked anne",
        "code_sent anne",
        "code_refused anne",
        "code_accepted anne",
    ]


async def test_what_was_confidential_stays_so_whoever_it_is_for_now(confidential: Office) -> None:
    """Of a plain contact nothing is, and neither of the rule as it is now; twice, since each begins anew."""
    office = confidential
    assert office.plan is not None
    bruno = reach("bruno", language="en", email="bruno@clinic.example")
    office.plan = a_plan(*office.plan.people.values(), bruno, policy=office.plan.policies["rule"])
    async with mail_server() as box:
        office.mail = box.server
        await office.message(text="Veut le résultat", caller_name="Jeanne")
        async with office.works() as due:
            await office.has(accepted=1)
            for many, name in ((2, "bruno"), (3, "anne")):
                now = office.clock.now()
                change = Change(kind=MessageChangeKind.REASSIGNED, principal="desk", at=now, deliver=name)
                assert await change_message(office.database, "m1", change) is ChangeResult.KEPT
                due.set()
                await office.has(accepted=many)

    assert ["Veut" in mail_text(one) for one in box.received] == [False] * 3
    assert [one.confidential for one in office.written] == [True] * 3


async def test_whose_rule_is_not_known_stays_in_the_house(office: Office, crm: WebService) -> None:
    """It was asked for by a rule of before, say."""
    await office.message()
    await office.rows("UPDATE dispatches SET due_at = NULL RETURNING 1")
    of_message = {"message_id": "m1", "call_id": None, "kind": "notice", "body": None}
    await office.telling("d1", crm.url("good"), **of_message)
    async with office.works():
        await office.has(accepted=1)

    assert [one.confidential for one in office.written] == [True]


async def test_a_code_that_nobody_takes_says_so(confidential: Office) -> None:
    """And the message's own telling goes on as before: it has not failed."""
    office = confidential
    async with mail_server() as box:
        office.mail = box.server
        await office.message()
        async with office.works() as due:
            await office.has(accepted=1)
            link = re.search(r"/m/([\w-]{43})", mail_text(box.received[0]))
            assert link is not None
            found = await find_link(office.database, link[1])
            assert found is not None
            await ask_code(office.database, found, Means.SMS, f"sms:{NUMBER}", office.clock.now())
            due.set()
            await office.has(accepted=1, failed=1)

    assert (await office.trail())[-2:] == ["code_asked anne", "code_failed anne"]
    assert (await office.state())[0] == "running"


async def test_an_sms_says_how_to_answer_and_the_answer_acknowledges(office: Office) -> None:
    """Each with a code of its own; whoever was told too is told of it."""
    people = [reach("anne", language="en", number=NUMBER), reach("bruno", language="en", number=OTHER_NUMBER)]
    step = Step(to=("anne", "bruno"), by=(Means.SMS,), wait_seconds=600)
    office.plan, office.really = a_plan(*people, policy=rule(step)), True
    office.answerable = frozenset({Means.SMS})
    async with sms_gateway() as gateway:
        office.http, office.sms = GuardedHttp([gateway.host], {}), SmsGateway(url=gateway.url)
        await office.message()
        async with office.works() as due:
            await office.has(accepted=2)
            codes = [re.search(r"answer ([A-Z0-9]{5}) to take it on", one) for one in texts(gateway)]
            assert all(codes)
            mine = next(one for one in gateway.asked if NUMBER.encode() in one)
            code = re.search(rb"answer ([A-Z0-9]{5}) ", mine)
            assert code is not None
            said = code[1].decode()
            reply = Reply(means=Means.SMS, id="1", senders=(f"sms:{NUMBER}",), first_line=said, said=said)
            outcome = await take_reply(office.database, reply, office.clock.now())
            due.set()
            await office.has(acknowledged=1, accepted=2)
        await office.http.close()

    assert outcome is Outcome.ACKNOWLEDGED
    assert len({one[1] for one in codes if one}) == 2
    assert said not in str(await office.rows("SELECT t::text FROM deliveries t"))
    assert "anne" in texts(gateway)[-1].lower()
    assert "answer" not in texts(gateway)[-1]


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_mail_says_how_to_answer_and_the_answer_acknowledges(office: Office, hidden: bool) -> None:
    """The worker hears it; of a confidential message as of any other, since it shows nothing."""
    anne = reach("anne", language="en", email="anne@clinic.example", pin="ANNE")
    step = Step(to=("anne",), by=(Means.EMAIL,), wait_seconds=600)
    office.plan = a_plan(anne, policy=rule(step, confidential=hidden))
    office.answerable = frozenset({Means.EMAIL})
    async with mail_server() as box:
        office.mail = box.server
        await office.message()
        async with office.works():
            await office.has(accepted=1)
    written = mail_text(box.received[0])
    code = re.search(r"with ([A-Z0-9]{5}) alone in the first line", written)
    assert code is not None
    reports = Reports(office.database, office.clock, "answering.example")
    quoted = "\n".join(f"> {line}" for line in written.splitlines())
    content = plain(f"{code[1]}\n\nOn Monday X wrote:\n{quoted}\n", sender="Anne <Anne@clinic.example>")

    assert await reports.take(content, "bounces@clinic.example") is Taken.DONE
    assert (await office.state())[0] == "acknowledged"
    assert (await office.trail())[-1] == "acknowledged anne"


async def test_where_answers_do_not_come_back_nothing_is_said_of_them(office: Office, database: Database) -> None:
    anne = reach("anne", language="en", email="anne@clinic.example", number=NUMBER)
    step = Step(to=("anne",), by=(Means.EMAIL, Means.SMS), wait_seconds=600)
    office.plan = a_plan(anne, policy=rule(step))
    async with mail_server() as box, sms_gateway() as gateway:
        office.http = GuardedHttp([gateway.host], {})
        office.mail, office.sms = box.server, SmsGateway(url=gateway.url)
        await office.message()
        async with office.works():
            await office.has(accepted=2)
        await office.http.close()

    assert all("nswer" not in text for text in (*texts(gateway), mail_text(box.received[0])))
    assert await office.rows("SELECT count(*) FROM deliveries WHERE reply_hash IS NOT NULL") == [(0,)]
