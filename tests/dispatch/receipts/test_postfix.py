"""Mail by a real Postfix, which hands what comes back to us: what became of each is in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callrouter.app.wiring.listening import listen
from callrouter.core.dispatch import Means, Step
from callrouter.dispatch.receipts.entrance import listen_for_reports
from callrouter.dispatch.receipts.noting import Reports
from callrouter.runtime.tasks import Tasks
from tests.delivery.channels.mail_server import mail_server
from tests.delivery.channels.postfix import Postfix, free_port, postfix, reports_map
from tests.dispatch.rooms import Office, a_plan, reach, rule

from .bounces import DOMAIN

PORT = free_port()
"""Where the worker listens, of all tests of this module."""


@pytest.fixture(scope="module")
def mails() -> Iterator[Postfix]:
    with postfix(reports=PORT) as running:
        yield running


@asynccontextmanager
async def heard(office: Office) -> AsyncIterator[None]:
    """As the worker listens."""
    reports = Reports(office.database, office.clock, DOMAIN)
    tasks = Tasks(lambda _, error: office.died.append(error))
    tasks.start(listen_for_reports(listen("127.0.0.1", PORT, "CALLROUTER_LMTP_PORT"), reports.take), "reports")
    yield
    await tasks.stop()


def by_mail(*to: str, wait: float = 0.0) -> Step:
    return Step(to=to, by=(Means.EMAIL,), wait_seconds=wait)


async def test_what_became_of_mail_comes_to_stand_in_the_record(office: Office, mails: Postfix) -> None:
    """One has it, one has no mailbox, and of the third nobody says more."""
    office.mail = mails.server
    people = {
        "doctor": "doctor@clinic.example",
        "lost": "unknown@elsewhere.example",
        "nurse": "nurse@elsewhere.example",
    }
    office.plan = a_plan(
        *(reach(name, email=address) for name, address in people.items()),
        policy=rule(by_mail(*people, wait=3_600)),
    )
    await office.message()
    async with mail_server(port=mails.elsewhere), heard(office), office.works() as due:
        await office.has(due=due, delivered=1, failed=1, accepted=1)
        await office.rows_are(
            "SELECT contact, what FROM dispatch_events WHERE what NOT IN ('rule', 'step', 'sent') ORDER BY contact",
            ("doctor", "delivered"),
            ("lost", "failed"),
            ("nurse", "relayed"),
        )

    ((answer,),) = await office.rows("SELECT answer FROM deliveries WHERE contact = 'lost'")
    assert "5.1.1" in answer
    assert "no such user here" in answer


async def test_what_fails_later_has_the_next_one_told(office: Office, mails: Postfix) -> None:
    """Our server had taken it, and the worker waited for nobody's acknowledgement any more."""
    office.mail = mails.server
    office.plan = a_plan(
        reach("lost", email="unknown@elsewhere.example"),
        reach("doctor", email="doctor@clinic.example"),
        policy=rule(by_mail("lost"), by_mail("doctor")),
    )
    await office.message()
    async with mail_server(port=mails.elsewhere), heard(office), office.works() as due:
        await office.has(due=due, delivered=1, failed=1)
        await office.comes("told", due=due)

    assert (await office.trail())[-1].startswith(("delivered", "told"))


async def test_whoever_was_told_and_was_not_is_on_the_list_at_last(office: Office, mails: Postfix) -> None:
    office.mail = mails.server
    office.plan = a_plan(reach("lost", email="unknown@elsewhere.example"), policy=rule(by_mail("lost")))
    await office.message()
    async with mail_server(port=mails.elsewhere), heard(office), office.works() as due:
        reason = await office.comes("attention", due=due)

    assert "no such user here" in reason


async def test_the_mail_server_comes_again_when_nobody_listens(office: Office, mails: Postfix) -> None:
    """It keeps what it has until the worker is back."""
    office.mail = mails.server
    office.plan = a_plan(reach("doctor", email="doctor@clinic.example"), policy=rule(by_mail("doctor", wait=3_600)))
    await office.message()
    async with office.works() as due:
        await office.has(due=due, accepted=1)
        await asyncio.to_thread(mails.keeps_a_report)
        async with heard(office):
            await office.has(due=due, delivered=1)


def test_the_guide_has_what_is_tried_here() -> None:
    guide = Path(__file__).parents[3] / "docs" / "operator.md"

    assert f"transport_maps = inline:{{ {reports_map(2424)} }}" in guide.read_text(encoding="utf-8")
