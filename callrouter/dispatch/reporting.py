"""Sends each month's report to whom clients have it sent: on the first, from the time on that their file says.

Each is one delivery of the queue, a mail with a PDF, and is queued once: the note that it was is written in the same
transaction. A worker that was not there on the first does it when it comes, for `LATE_DAYS`; after that, and once
more, it is sent by command (`callrouter report --send`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from callrouter.core.dispatch import Means
from callrouter.core.dispatch.monthly import MonthlyReport
from callrouter.core.plan import Plan
from callrouter.dispatch.days import TOLD_AT
from callrouter.dispatch.parcels import LivePlan
from callrouter.errors import LeaseLost, StoreError
from callrouter.periods import Moment
from callrouter.runtime.ports import Clock
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.subscribed.monthly import MonthlyMail, MonthlySubscriber, queue_monthly, read_monthly

log = structlog.get_logger(__name__)

LATE_DAYS: Final = 10
"""For so long after the first a report is sent by itself that was not."""
LOOK_SECONDS: Final = 60.0
"""How often it is looked whether one is due."""
AT_ONCE_SECONDS: Final = 0.25
"""After so long what was queued is sent meanwhile: on the first all clients' are due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Where mail comes from."""

    address: str
    domain: str
    """That Message-IDs end with."""


class Reporter:
    """Of one worker."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        plans: LivePlan,
        clock: Clock,
        sender: Sender,
        seconds: Callable[[], float],
    ) -> None:
        """`seconds` is a clock that nobody sets."""
        self._database = database
        self._lease = lease
        self._plans = plans
        self._clock = clock
        self._sender = sender
        self._seconds = seconds
        self._looked_seconds = float("-inf")
        self._failed: set[tuple[str, str]] = set()
        """Client and contact of reports that could not be made in this look: the others come first."""

    async def tell(self) -> int:
        """Queue what is due, if it is time to look; how many reports were. Who calls it again after a StoreError has
        the others' made before the one that PostgreSQL did not give.

        Raises:
            LeaseLost: another worker does it.
            StoreError: PostgreSQL does not answer.
        """
        if self._seconds() - self._looked_seconds < LOOK_SECONDS:
            return 0
        now = self._clock.now()
        subscribers, sent = await read_monthly(self._database, (now - timedelta(days=70)).date())
        until_seconds, queued = self._seconds() + AT_ONCE_SECONDS, 0
        for one, month in due_reports(subscribers, now):
            key = (one.client, one.contact)
            if (*key, month) in sent or key in self._failed:
                continue
            if self._seconds() > until_seconds:
                return queued  # the next time goes on with those who are left
            try:
                queued += await self._queue(one, month, now)
            except LeaseLost:
                raise
            except StoreError:
                self._failed.add(key)
                raise
            except Exception:
                # A fault of ours must not hold up the others.
                self._failed.add(key)
                log.exception("a month's report could not be made", client=one.client, contact=one.contact)
        self._looked_seconds = self._seconds()
        self._failed.clear()
        return queued

    async def _queue(self, one: MonthlySubscriber, month: date, now: datetime) -> bool:
        plan = await self._plans(one.client)
        wanted = None if plan is None else next((own for own in plan.reports if own.to == one.contact), None)
        if plan is None or wanted is None:  # it went out of service in this instant
            return False
        mail = await mail_of(self._database, plan, wanted, month, self._sender, now)
        is_new = await queue_monthly(self._database, mail, now, self._lease)
        if is_new:
            log.info("a month's report is sent", client=one.client, contact=one.contact, month=f"{month:%Y-%m}")
        return is_new


def due_reports(subscribers: list[MonthlySubscriber], now: datetime) -> Iterator[tuple[MonthlySubscriber, date]]:
    """Those whose time has come, and not too long ago: each with the month that is over."""
    for one in subscribers:
        zone = ZoneInfo(one.timezone)
        first = now.astimezone(zone).date().replace(day=1)
        at = datetime.combine(first, max(time(one.minute // 60, one.minute % 60), TOLD_AT))
        due_at = Moment(at).within(zone, now)
        if one.since <= due_at <= now < due_at + timedelta(days=LATE_DAYS):
            yield one, (first - timedelta(days=1)).replace(day=1)


async def mail_of(
    database: Database, plan: Plan, report: MonthlyReport, month: date, sender: Sender, now: datetime
) -> MonthlyMail:
    """The report of a client's month, as the contact is sent it.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    # With the first report: a worker that makes none need not know how.
    from callrouter.delivery.rendering import report as rendering
    from callrouter.periods import Comparison, Period
    from callrouter.reports.reading import Asked, read_report
    from callrouter.reports.rendering import Format, needed, written
    from callrouter.reports.words import Language, said
    from callrouter.reports.words import month as month_in_words

    language = Language(report.language)
    period = Period.month(f"{month:%Y-%m}")
    asked = Asked(period=period, clients=[plan.client], names=[plan.name], comparison=Comparison.BEFORE)
    reports = [await read_report(database, one, now) for one in needed(asked, Format.PDF)]
    content = await asyncio.to_thread(written, reports, Format.PDF, language)
    called = month_in_words(month, language)
    delivery_id = str(uuid.uuid4())
    mail = rendering.ReportMail(
        delivery_id=delivery_id,
        client_name=plan.name,
        subject=said("mail_subject", language, client=plan.name, month=called),
        paragraphs=[
            said("mail_greeting", language),
            said("mail_text", language, client=plan.name, month=called),
            said("mail_end", language),
        ],
        file_name=f"{plan.client}-{month:%Y-%m}.pdf",
        content=content,
        at=now.astimezone(ZoneInfo(plan.timezone)),
    )
    return MonthlyMail(
        client=plan.client,
        contact=report.to,
        month=month,
        delivery_id=delivery_id,
        address=plan.people[report.to].address(Means.EMAIL),
        body=rendering.of(mail, sender=sender.address, domain=sender.domain),
    )
