"""The first load of the clients' folder: what was live stays live, but for what the folder says otherwise, and passes.

It begins when the calls that live are taken over, and calls that ring meanwhile have what was live (`disk_plans`). It
takes some seconds with 800 clients, in a thread that gives way to calls (`runtime.giving_way`). A process of its own
would have to hand over 20 MB of plans and documents: to read those holds the interpreter for 0.4 s in one piece, and a
thread that gives way holds it for half a millisecond at a time.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog

from callrouter import hurry
from callrouter.app.live.expected_routes import ExpectedRoutes
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.live.last_live import LastLive, admitted_as_before, last_live, nothing_loaded, revive
from callrouter.app.live.taken_over import LiveInstead, is_what_was_live, live_instead
from callrouter.core.call import replace
from callrouter.dialplan import Catalogue, Loader, SoundSource
from callrouter.errors import DialplanError
from callrouter.runtime.giving_way import giving_way
from callrouter.runtime.reload import KeptPlans, ServedPlans
from callrouter.store.database import Database

log = structlog.get_logger(__name__)


class FirstLoad:
    """See the module."""

    def __init__(
        self,
        loader: Loader,
        routes: ExpectedRoutes,
        database: Database,
        keeper: LiveKeeper,
        *,
        speech: SoundSource,
        whatever: SoundSource,
        hurries: bool = False,
        took_over: bool = False,
    ) -> None:
        """`whatever` has a sound for every name: without the folder nobody knows which of its own it holds. `hurries`:
        whether it is done before other programs of the machine have their turn; calls wait where the thread that has
        the interpreter has no processor. `took_over`: whether another engine led here until a moment ago.
        """
        self._loader = loader
        self._routes = routes
        self._database = database
        self._keeper = keeper
        self._speech = speech
        self._whatever = whatever
        self._hurries = hurries
        self._took_over = took_over

    async def into(self, served: ServedPlans) -> None:
        """Load; a client whose file is wrong has the plan that was live last, and so have all without a folder.

        Raises:
            DialplanError: there is no folder with clients' files, and none was ever live here.
        """
        began = perf_counter()
        with giving_way():
            last = await last_live(self._database, self._keeper.disk)
            instead = await self._live_instead(last, served) if self._took_over else None
            catalogue, failure = (instead.catalogue, "") if instead else await self._loaded(last, served)
            started = await revive(last, catalogue, self._whatever if failure else self._speech)
        if failure:
            log.error("the engine starts with the plans it kept", reason=failure, clients=len(started.plans))
            started = replace(started, refused=frozenset())
        revived = await last.fetch([client for client in started.plans if client not in started.uses])
        self._keeper.revived(revived)
        since = {one.client: last.versions[one.client].live_at for one in revived}
        kept = KeptPlans(since=since, changed_at=last.changed_at, failure=failure)
        served.begin(started, kept, seconds=perf_counter() - began)
        if instead is not None:
            served.saw(None if instead.is_fresh else instead.seen)

    async def _live_instead(self, last: LastLive, served: ServedPlans) -> LiveInstead | None:
        if not last.versions or await asyncio.to_thread(is_what_was_live, last, self._loader):
            return None
        live = await last.fetch(last.versions)
        return await asyncio.to_thread(hurry.hurriedly, self._hurries, live_instead, live, self._loader, served.now())

    async def _loaded(self, last: LastLive, served: ServedPlans) -> tuple[Catalogue, str]:
        """The folder's catalogue; without a folder an empty one, and why.

        Raises:
            DialplanError: there is no folder with clients' files, and none was ever live here.
        """
        now = served.now()
        try:
            loaded = await asyncio.to_thread(hurry.hurriedly, self._hurries, self._loader.load, now)
        except DialplanError as error:
            if not last.versions:
                raise
            return nothing_loaded(last, self._speech, self._loader.region, now), str(error)
        loaded = await admitted_as_before(self._loader, loaded, last, now)
        live = {client: one.version for client, one in last.versions.items()}
        return await asyncio.to_thread(hurry.hurriedly, self._hurries, self._routes.judge, loaded, live), ""
