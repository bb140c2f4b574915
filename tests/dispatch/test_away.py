"""PostgreSQL is away for a while: nothing is sent, nothing is lost, and what is urgent goes when it is back."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url

from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from tests.dispatch.rooms import MINUTE, Office, a_plan, hook, reach, rule
from tests.patience import START_SECONDS
from tests.postgres import started
from tests.runtime.web_service import WebService


async def test_what_is_due_while_it_is_away_goes_when_it_is_back(crm: WebService, another: WebService) -> None:
    """One telling is on its way when it goes; it ends meanwhile, and is known to have been taken once it can be written
    down, however late. The next step's time passes meanwhile: it begins once PostgreSQL is back.
    """
    with tempfile.TemporaryDirectory(prefix="callrouter-pg-") as folder, started(Path(folder)) as server:
        database = Database(make_url(await server.new_database()))
        await database.upgrade()
        http = GuardedHttp([crm.host, another.host], {})
        office = Office(database=database, http=http, folder=Path(folder))
        steps = hook("anne", wait=600), hook("bruno", wait=600)
        office.plan = a_plan(reach("anne", crm.url("good")), reach("bruno", another.url("good")), policy=rule(*steps))
        await office.message()
        held = crm.hold()
        async with office.works() as due:
            await office.rows_are("SELECT state FROM deliveries", ("sending",))
            async with asyncio.timeout(START_SECONDS):
                while not crm.asked:
                    await asyncio.sleep(0.02)
            server.crash()
            held.set()
            office.clock.passes(11 * MINUTE)
            due.set()
            await asyncio.sleep(1.0)
            assert another.asked == []
            server.start()
            await office.has(accepted=2)
        await http.close()
        await database.close()

    assert [len(service.asked) for service in (crm, another)] == [1, 1]
    assert office.died == []
