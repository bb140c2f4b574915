"""The worker's clock is set while messages wait: nobody is told an hour late, and nobody an hour early."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callrouter.dispatch.due_clock import DueClock
from callrouter.store.dispatch.clock_set import move_waits
from callrouter.store.dispatch.lease import Lease
from tests.dispatch.rooms import MINUTE, Office, a_plan, hook, reach, rule
from tests.runtime.web_service import WebService

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_wait_is_as_long_as_before(office: Office, crm: WebService, by: timedelta) -> None:
    """Ten minutes are ten minutes, whatever the clock says at their end."""
    people = [reach("doctor", crm.url("good")), reach("partner", crm.url("good/2"))]
    office.plan = a_plan(*people, policy=rule(hook("doctor", wait=600), hook("partner", wait=600)))
    await office.message()
    async with office.works() as due:
        await office.has(accepted=1)
        office.clock.passes(4 * MINUTE)
        office.clock.is_set(by)
        office.clock.passes(5 * MINUTE)
        due.set()
        await office.looks(due)
        assert len(crm.asked) == 1
        office.clock.passes(2 * MINUTE)
        due.set()
        await office.has(accepted=2)

    assert [one.contact for one in office.written] == ["doctor", "partner"]


async def test_a_clock_that_was_set_back_while_nobody_worked(office: Office, crm: WebService) -> None:
    """What began in what is the future now waits anew, and not for an hour more."""
    people = [reach("doctor", crm.url("good")), reach("partner", crm.url("good/2"))]
    office.plan = a_plan(*people, policy=rule(hook("doctor", wait=600), hook("partner", wait=600)))
    await office.message()
    async with office.works():
        await office.has(accepted=1)
    office.clock.passes(-HOUR)
    async with office.works("two") as due:
        await office.looks(due)
        assert len(crm.asked) == 1
        office.clock.passes(10 * MINUTE)
        due.set()
        await office.has(accepted=2)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_pause_after_a_failure_is_as_long_as_before(office: Office, crm: WebService, by: timedelta) -> None:
    office.plan = a_plan(reach("doctor", crm.url("good")), policy=rule(hook("doctor", wait=3600)))
    crm.away = True
    await office.message()
    async with office.works() as due:
        await office.rows_are("SELECT state, attempts FROM deliveries", ("queued", 1))
        crm.away = False
        office.clock.is_set(by)
        await office.looks(due)
        assert len(crm.asked) == 1
        office.clock.passes(MINUTE)
        due.set()
        await office.has(accepted=1)


async def test_what_is_of_no_message_is_as_old_as_before(office: Office) -> None:
    """One of a sequence that is older than nine hours is tried once: half a day that a clock was set by is no age."""
    lease, now = Lease(office.database, "dispatch", "one"), office.clock.now()
    await lease.take()
    await office.telling("a0", "http://127.0.0.1:9/", sequence="a")
    await move_waits(office.database, lease, now + 12 * HOUR, 12 * HOUR)

    query = "SELECT queued_at - :now, next_attempt_at - :now, changed_at - :now FROM deliveries"
    (moved,) = await office.rows(query.replace(":now", "CAST(:now AS timestamptz)"), now=now)
    assert {round(by / HOUR, 1) for by in moved} == {12.0}


async def test_a_clock_that_is_set_in_the_midst_of_a_round(office: Office, crm: WebService) -> None:
    """What waits is looked for by the clock of before, until it has been moved."""
    clock = DueClock(office.clock)
    office.clock.tells(clock.was_set)
    before = clock.now()
    office.clock.is_set(HOUR)

    assert clock.now() - before < MINUTE
    assert clock.shown() - before >= HOUR
    clock.moved(HOUR)
    assert clock.now() - before >= HOUR
