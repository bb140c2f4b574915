"""The plans in service, replaced as a whole; calls in progress keep the plan they started with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue
from callrouter.errors import CallrouterError
from callrouter.runtime.calls import LiveCalls

log = structlog.get_logger(__name__)


class ServedPlans:
    """What `for_did` answers from; `reload` swaps it."""

    def __init__(
        self,
        catalogue: Catalogue,
        load: Callable[[], Catalogue],
        calls: LiveCalls,
        on_load: Callable[[Catalogue], None],
    ) -> None:
        self.catalogue = catalogue
        self._load = load
        self._calls = calls
        self._on_load = on_load
        self._reloading = asyncio.Lock()
        self._announce(catalogue)

    def for_did(self, did: str) -> Plan:
        """The plan of a dialled number; the plan for unknown numbers when no client has it."""
        return self.catalogue.for_did(did)

    @property
    def plans(self) -> Mapping[str, Plan]:
        """Those in service, by client."""
        return self.catalogue.plans

    def plan(self, client: str, version: str) -> Plan | None:
        """The plan a call started with, while it is known."""
        return self.catalogue.plan(client, version)

    async def reload(self) -> None:
        """Load the files again, off the loop; what is wrong keeps its last good plan, and is logged."""
        async with self._reloading:
            try:
                fresh = await asyncio.to_thread(self._load)
            except CallrouterError as error:
                log.error("the dialplans could not be loaded; the present ones stay in service", reason=str(error))  # noqa: TRY400
                return
            in_use = {(live.plan.client, live.plan.version) for live in self._calls}
            self.catalogue = fresh.replace_from(self.catalogue, in_use)
            self._announce(self.catalogue)

    def _announce(self, catalogue: Catalogue) -> None:
        for issue in catalogue.issues:
            log.warning("dialplan", issue=str(issue))
        log.info("dialplans in service", clients=len(catalogue.plans), issues=len(catalogue.issues))
        self._on_load(catalogue)
