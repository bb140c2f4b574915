"""What had failed for good is sent once more: by a worker, to its end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from callrouter.store.dispatch.again import AgainResult, put_again
from tests.dispatch.rooms import MINUTE, Office, a_plan, hook, reach, rule
from tests.runtime.web_service import WebService


async def brought_to_the_list(office: Office, crm: WebService, wait: float) -> None:
    """Both steps failed for good: the service was away for hours."""
    crm.away = True
    people = [reach(name, crm.url(f"good/{name}")) for name in ("anne", "bruno")]
    office.plan = a_plan(*people, policy=rule(hook("anne", wait=wait), hook("bruno", wait=wait)))
    await office.message()
    async with office.works() as due:
        await stands_on_the_list(office, due)


async def stands_on_the_list(office: Office, due: asyncio.Event) -> None:
    """In the end: time passes whenever everybody was tried who is to be told by now, and nobody is just being told."""
    untried = """
        SELECT count(*) FROM deliveries
        WHERE state = 'sending' OR (state = 'queued' AND (attempts = 0 OR next_attempt_at <= :now))
    """
    async with asyncio.timeout(60):
        while True:
            tried = await office.rows(untried, now=office.clock.now()) == [(0,)]
            if tried and (await office.state())[0] == "attention":
                return
            if tried:
                office.clock.passes(timedelta(hours=1))
            due.set()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("wait", [0.0, 600.0])
async def test_a_message_on_the_list_goes_on(office: Office, crm: WebService, wait: float) -> None:
    """Those who were not reached are told, nobody else; without an acknowledgement it comes back, in its time."""
    await brought_to_the_list(office, crm, wait)
    crm.away = False
    asked = len(crm.asked)
    again = await put_again(office.database, "m1", by="operator", at=office.clock.now())
    async with office.works() as due:
        await office.has(accepted=2, due=due)
        assert (await office.state())[0] == ("running" if wait else "told")
        if wait:
            office.clock.passes(11 * MINUTE)
            reason = await office.comes("attention", due=due)
            assert reason.startswith("nobody has acknowledged it")

    assert (again.result, again.repeated) == (AgainResult.QUEUED, 2)
    assert len(crm.asked) - asked == 2


async def test_what_fails_again_comes_back_to_the_list(office: Office, crm: WebService) -> None:
    await brought_to_the_list(office, crm, 600.0)
    office.clock.passes(MINUTE)
    await put_again(office.database, "m1", by="operator", at=office.clock.now())
    async with office.works() as due:
        await stands_on_the_list(office, due)

    assert await office.rows("SELECT count(*) FROM dispatch_events WHERE what = 'attention'") == [(2,)]
