"""Each month's report is mailed on the first, once, from the time on that the client's file says."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.call import replace
from callrouter.core.dispatch.monthly import MonthlyReport
from callrouter.core.plan import Plan
from callrouter.dispatch.reporting import Reporter, Sender, due_reports, mail_of
from callrouter.errors import LeaseLost
from callrouter.store.dispatch.lease import Lease
from callrouter.store.plans import ReportReader, StoredPlan, WentLive, remember_live
from callrouter.store.subscribed.monthly import MonthlySubscriber, queue_monthly
from tests.delivery.channels.mail_server import mail_server
from tests.dispatch.rooms import Office, a_plan, reach
from tests.dispatch.subscribers import a_call, recorded

PARIS: Final = ZoneInfo("Europe/Paris")
SENDER: Final = Sender(address="reports@answering.example", domain="answering.example")


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@dataclass
class Set:
    """A clock that is set by hand."""

    at: datetime

    def now(self) -> datetime:
        """As a Clock."""
        return self.at.astimezone(UTC)


def reported(*names: str, **more: Any) -> Plan:
    """A client that has these contacts sent its report."""
    people = [reach(name, email=f"{name}@acme.example", **more) for name in names]
    reports = tuple(MonthlyReport(to=name, minute=7 * 60, language="fr") for name in names)
    return replace(a_plan(*people), name="Cabinet Acmé", timezone="Europe/Paris", reports=reports)


@dataclass
class Months:
    """A worker that looks when it is asked to."""

    office: Office
    clock: Set
    seconds: float = 0.0
    lease: Lease = field(init=False)
    reporter: Reporter = field(init=False)

    async def begin(self, plan: Plan) -> None:
        """The plan goes live now."""
        self.office.plan = plan
        readers = tuple(ReportReader(to=one.to, minute=one.minute, timezone=plan.timezone) for one in plan.reports)
        stored = StoredPlan(
            client=plan.client,
            version=plan.version,
            document="",
            first_live_at=self.clock.now(),
            promise=plan.promise,
            reports=readers,
        )
        went = WentLive(client=plan.client, version=plan.version, live_at=self.clock.now(), why="saved")
        await remember_live(self.office.database, [stored], [went])
        self.lease = Lease(self.office.database, "dispatch", "one")
        assert await self.lease.take()
        database, live = self.office.database, self.office.live
        self.reporter = Reporter(database, self.lease, live, self.clock, SENDER, lambda: self.seconds)

    async def at(self, text: str) -> list[tuple[str, str]]:
        """Contact and month of all that was queued when the worker has looked then."""
        self.clock.at = paris(text)
        self.seconds += 61.0
        while await self.reporter.tell():
            pass
        rows = await self.office.rows("SELECT contact, month::text FROM monthly_reports ORDER BY month, contact")
        queued = await self.office.rows("SELECT count(*) FROM deliveries WHERE means = 'email'")
        assert queued[0][0] == len(rows)
        return [(contact, month) for contact, month in rows]


@pytest.fixture
async def months(office: Office) -> Months:
    """From the middle of September on."""
    return Months(office, Set(paris("2026-09-15T12:00")))


async def test_it_is_queued_once_on_the_first(months: Months) -> None:
    await months.begin(reported("anne"))
    assert await months.at("2026-10-01T06:59") == []
    assert await months.at("2026-10-01T07:00") == [("anne", "2026-09-01")]
    assert await months.at("2026-10-01T09:00") == [("anne", "2026-09-01")]
    assert await months.at("2026-11-01T07:00") == [("anne", "2026-09-01"), ("anne", "2026-10-01")]


async def test_a_worker_that_was_away_sends_it_when_it_comes(months: Months) -> None:
    """Until the 11th; later nobody expects it."""
    await months.begin(reported("anne", "bruno"))
    assert await months.at("2026-10-09T23:00") == [("anne", "2026-09-01"), ("bruno", "2026-09-01")]
    assert len(await months.at("2026-11-12T07:00")) == 2


async def test_what_was_not_asked_for_on_the_first_is_not_sent(months: Months) -> None:
    months.clock.at = paris("2026-10-01T08:00")
    await months.begin(reported("anne"))
    assert await months.at("2026-10-01T09:00") == []
    assert await months.at("2026-11-01T07:00") == [("anne", "2026-10-01")]


async def test_who_lost_the_lease_queues_nothing(months: Months) -> None:
    await months.begin(reported("anne"))
    await months.office.rows("UPDATE leases SET holder = 'another', epoch = epoch + 1 RETURNING 1")
    with pytest.raises(LeaseLost):
        await months.at("2026-10-01T07:00")
    assert await months.office.rows("SELECT * FROM monthly_reports") == []


def test_when_it_is_due_is_said_by_the_clients_clock() -> None:
    """On Réunion the month is over three hours before it is in Paris."""

    def one(zone: str) -> MonthlySubscriber:
        since = datetime(2026, 1, 1, tzinfo=UTC)
        return MonthlySubscriber(client=zone, contact="anne", minute=0, timezone=zone, since=since)

    subscribers = [one("Europe/Paris"), one("Indian/Reunion"), one("Asia/Kolkata")]
    now = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
    assert [(due.client, f"{month:%Y-%m}") for due, month in due_reports(subscribers, now)] == [
        ("Indian/Reunion", "2026-10"),
        ("Asia/Kolkata", "2026-10"),
    ]


async def test_the_mail_that_arrives(months: Months) -> None:
    """By the worker's own sender, to a real server: from the client's name, with the PDF enclosed."""
    office = months.office
    await months.begin(reported("anne"))
    await recorded(office.database, a_call("call-1", rang_at=paris("2026-09-20T10:00")))
    await months.at("2026-10-01T07:00")
    await months.lease.release()
    async with mail_server() as box:
        office.mail = box.server
        office.clock.passes(max(months.clock.now() - office.clock.now(), timedelta(0)))
        async with office.works("two"):
            await office.has(accepted=1)

    (received,) = box.received
    mail = email.message_from_bytes(received, policy=email.policy.default)
    text, pdf = mail.iter_parts()
    assert mail["Subject"] == "Bilan de l'accueil téléphonique – septembre 2026 – Cabinet Acmé"
    assert mail["From"] == "Cabinet Acmé <reports@answering.example>"
    assert mail["To"] == "anne@acme.example"
    assert "le bilan des appels de Cabinet Acmé en septembre 2026" in text.get_content()
    assert pdf.get_filename() == "acme-2026-09.pdf"
    assert pdf.get_content().startswith(b"%PDF-")


async def test_again_by_command_is_another_delivery(months: Months) -> None:
    """And the mail of earlier months, which arrived, is not kept."""
    office = months.office
    plan = reported("anne")
    await months.begin(plan)
    await months.at("2026-10-01T07:00")
    await office.rows(
        "UPDATE deliveries SET state = 'accepted', next_attempt_at = NULL WHERE means = 'email' RETURNING 1"
    )
    now = paris("2026-11-02T07:00")
    for _ in range(2):
        mail = await mail_of(office.database, plan, plan.reports[0], now.date().replace(month=10, day=1), SENDER, now)
        assert await queue_monthly(office.database, mail, now, None)

    rows = await office.rows("SELECT state, body = '' FROM deliveries WHERE means = 'email' ORDER BY number")
    assert [tuple(row) for row in rows] == [("accepted", True), ("queued", False), ("queued", False)]


def test_a_month_is_not_told_before_its_last_callers_are_in_the_record() -> None:
    """Who rang at midnight: not before a quarter past, whatever the file says."""
    one = MonthlySubscriber(
        client="a", contact="anne", minute=0, timezone="Europe/Paris", since=paris("2026-10-01T00:00")
    )

    assert list(due_reports([one], paris("2026-11-01T00:14"))) == []
    assert len(list(due_reports([one], paris("2026-11-01T00:15")))) == 1
