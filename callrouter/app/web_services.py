"""What reaches beyond the calls: web services that are asked, notifications to their systems, and ways to tell people.

`guard_of`, `channels_of` and `sender_of` serve a process of any kind; `WebServices` is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from callrouter import __version__
from callrouter.app.folders import SPOOL
from callrouter.delivery.asking import Asking
from callrouter.delivery.channel import Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.delivery.event_webhook import EventWebhook
from callrouter.errors import SettingsError
from callrouter.metrics import EngineMetrics
from callrouter.runtime.fence import Fence
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.ports import Clock
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.dispatch.asked import AskedRows
from callrouter.store.notification_spool import NotificationSpool
from callrouter.stream.events import CallEvent


def guard_of(settings: Settings, secrets: Mapping[str, str], fence: Fence | None = None) -> GuardedHttp:
    """The one guard of a process's HTTP requests; `secrets` by name. Nobody is asked unless the fence holds."""
    return GuardedHttp(settings.outgoing_hosts, secrets, user_agent=f"callrouter/{__version__}", fence=fence)


def tools_of(settings: Settings, secrets: Mapping[str, str], http: GuardedHttp) -> Tools:
    """What channels are made with; mail server and SMS gateway only where they are set."""
    return Tools(http=http, secrets=secrets, mail=settings.mail_server, sms=settings.sms_gateway)


def channels_of(settings: Settings, secrets: Mapping[str, str], http: GuardedHttp) -> Channels:
    """All ways to deliver; have them closed before `http`."""
    return Channels(CHANNELS, tools_of(settings, secrets, http))


def sender_of(settings: Settings) -> tuple[str, str]:
    """Where mail comes from, and the domain that its Message-IDs end with."""
    sender = settings.mail_from
    return sender, sender.rpartition("@")[2] or "localhost"


@dataclass(kw_only=True)
class WebServices:
    """Made once; `start` before the first call, `stop` after the last."""

    http: GuardedHttp
    lookups: Lookups
    asked: Asking
    """Deliveries that calls asked for, and that are not in the worker's queue yet."""
    asking: Tasks
    """A lookup that dies is the end of that lookup, not of the engine."""
    fence: Fence

    @classmethod
    def of(
        cls,
        settings: Settings,
        secrets: Mapping[str, str],
        database: Database,
        clock: Clock,
        meter: EngineMetrics,
        fence: Fence,
    ) -> WebServices:
        """By the operator's settings; `secrets` by name; nobody is asked unless the fence holds."""
        http = guard_of(settings, secrets, fence)
        asking = Tasks()
        return cls(
            http=http,
            lookups=Lookups(http=http, clock=clock, tasks=asking, meter=meter),
            asked=Asking(
                book=AskedRows(database),
                spool=NotificationSpool(settings.data_dir / SPOOL / "notifications.jsonl"),
            ),
            asking=asking,
            fence=fence,
        )

    def event_webhook(self, settings: Settings, epoch: int) -> Callable[[CallEvent], None] | None:
        """Who is told what happens to calls, if the settings name somebody.

        Raises:
            SettingsError: nothing may be delivered there.
        """
        if settings.events_url is None:
            return None
        address = settings.events_url.get_secret_value()
        wrong = self.http.why_forbidden(address)
        if wrong is not None:
            raise SettingsError(f"CALLROUTER_EVENTS_URL: {wrong}")
        return EventWebhook(address, settings.events, epoch=epoch, take=self.asked.take).tell

    def start(self, tasks: Tasks) -> None:
        """Begin to queue what is asked for."""
        tasks.keep(self.asked.run, "notifications")

    def rest(self) -> None:
        """Ask nobody any more: another engine is about to ask them."""
        self.fence.fall()

    async def stop(self) -> None:
        """Ask nobody any more; what is not in the queue yet is kept for the next engine."""
        await self.asking.stop()
        await self.asked.flush()
        await self.http.close()
