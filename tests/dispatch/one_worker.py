"""A worker as a program of its own, to be killed: `python -m tests.dispatch.one_worker URL HOLDER NAME=ADDRESS …`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from callrouter.dispatch.listening import listen
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from tests.dispatch.rooms import Office, a_plan, hook, reach, rule


async def work(url: str, holder: str, contacts: dict[str, str]) -> None:
    """Until it is killed."""
    http = GuardedHttp([urlsplit(address).netloc for address in contacts.values()], {})
    office = Office(database=Database(make_url(url)), http=http, folder=Path("nowhere"))
    people = [reach(name, address) for name, address in contacts.items()]
    office.plan = a_plan(*people, policy=rule(hook(*contacts, wait=600)))
    due = asyncio.Event()
    tasks = Tasks()
    tasks.start(listen(office.database, due.set), "listening")
    await office.worker(holder, due).run()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], dict(one.split("=", 1) for one in sys.argv[3:])))
