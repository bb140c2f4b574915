"""What reaches beyond the calls: web services that are asked, and systems that are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callrouter import __version__
from callrouter.delivery.queue import DeliveryQueue
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.ports import Clock, OutgoingMeter
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.notification_spool import NotificationShelf
from callrouter.store.notifications import NotificationRows


@dataclass(kw_only=True)
class Outside:
    """Made once; `start` before the first call, `stop` after the last."""

    outgoing: GuardedHttp
    lookups: Lookups
    notifier: DeliveryQueue
    asking: Tasks
    """A lookup that dies is the end of that lookup, not of the engine."""

    @classmethod
    def of(
        cls, settings: Settings, secrets: Mapping[str, str], database: Database, clock: Clock, meter: OutgoingMeter
    ) -> Outside:
        """By the operator's settings; `secrets` by name."""
        outgoing = GuardedHttp(settings.outgoing_hosts, secrets, user_agent=f"callrouter/{__version__}")
        asking = Tasks()
        return cls(
            outgoing=outgoing,
            lookups=Lookups(outgoing=outgoing, clock=clock, tasks=asking, meter=meter),
            notifier=DeliveryQueue(
                book=NotificationRows(database),
                outgoing=outgoing,
                clock=clock,
                shelf=NotificationShelf(settings.data_dir / "spool" / "notifications.jsonl"),
                meter=meter,
            ),
            asking=asking,
        )

    def start(self, tasks: Tasks) -> None:
        """Begin to deliver."""
        tasks.keep(self.notifier.run, "notifications")

    async def stop(self) -> None:
        """Ask and tell nobody any more; what was not told yet is kept for the next engine."""
        await self.asking.stop()
        await self.notifier.flush()
        await self.outgoing.close()
