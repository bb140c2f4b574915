"""The engine's place at its PBX: waited for before anything else is made, and left for good when it is lost.

An engine that finds another one in its place is that one's standby: it answers /health, and does nothing else, until
the place is free; then it is made and started as any engine is. So a standby cannot do anything by mistake: what could
do it does not exist yet. And an engine that has lost its place to another ends as if it were killed, which loses
nothing: it is started anew (by systemd, or by `callrouter up`), and waits.

Two engines of one PBX have the settings of the second AMI user (`asterisk.leading.watcher`). A single engine has not:
it is refused while another session is logged in, and tries again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

import structlog

from callrouter.asterisk.leading.heartbeat import Heartbeat
from callrouter.asterisk.leading.watcher import PlaceWatcher
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.errors import AmiError, AmiRefused, SettingsError
from callrouter.runtime.fence import Fence
from callrouter.settings import Settings

log = structlog.get_logger(__name__)

AGAIN_SECONDS: Final = 0.1
"""Between attempts to log in without a second user; each that is refused takes Asterisk a second."""
REFUSALS: Final = 2
"""After so many in a row the place is another engine's: a session of our own that was cut off is over by then."""
LOST_STATUS: Final = os.EX_TEMPFAIL
"""The exit status of an engine that has lost its place."""


@dataclass(kw_only=True)
class Place:
    """Of one engine's life."""

    link: AmiLink
    fence: Fence
    heartbeat: Heartbeat
    watcher: PlaceWatcher | None
    """None for a single engine."""
    leave: Callable[[str], None]
    """Ends the process, as if it were killed, for the reason given."""
    has_waited: bool = False
    """Whether another engine had the place, of two."""
    _refused: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Place:
        """By the operator's settings; inside a running loop.

        Raises:
            SettingsError: a secret is missing, or would be sent where others read it.
        """
        address = AmiAddress(
            host=settings.ami_host,
            port=settings.ami_port,
            username=settings.ami_user,
            secret=settings.required_ami_secret(),
        )
        watcher = _watcher(settings)
        fence = Fence(needs_proof=watcher is not None)
        place = cls(
            link=AmiLink(address),
            fence=fence,
            heartbeat=Heartbeat(address, fence),
            watcher=watcher,
            leave=end_as_if_killed,
        )
        if watcher is not None:
            place.link.tells(on_claim=place.heartbeat.claimed, on_state=place.look)
        return place

    @property
    def has_successor(self) -> bool:
        """Whether another engine waits for the place, and would have it at once."""
        return self.watcher is not None and self.link.state is LinkState.UP and self.heartbeat.has_standby

    async def take(self, on_taken: Callable[[], None]) -> None:
        """Wait for the place, and hold it; `on_taken` is told, perhaps often, that another engine has it.

        Of a single engine an Asterisk that is away, or refuses it otherwise, is its own start's matter.

        Raises:
            AmiRefused: Asterisk does not let the second user in.
        """

        def told() -> None:
            self.has_waited = self.watcher is not None
            on_taken()

        while True:
            if self.watcher is not None:
                await self.watcher.until_free(told)
            try:
                return await self.link.hold()
            except AmiRefused as error:
                if not error.in_use:
                    return None
                told()
            except AmiError:
                if self.watcher is None:
                    return None
            await asyncio.sleep(AGAIN_SECONDS)

    def look(self, state: LinkState, _reason: str) -> None:
        """Of two engines: ask nobody without a session, and leave when another has the place, or may have it."""
        if state is LinkState.DOWN:
            self.fence.lost()
        if state is LinkState.DOWN and self.heartbeat.was_held_up:
            self.leave("this engine was stopped for seconds, and another may have its place")
        elif state is LinkState.UP:
            self._refused = 0
        elif state is LinkState.CONNECTING and self.link.counters.connections:
            failure = self.link.failure
            self._refused = self._refused + 1 if isinstance(failure, AmiRefused) and failure.in_use else 0
            if self._refused >= REFUSALS:
                self.leave("another engine has this one's place")


def _watcher(settings: Settings) -> PlaceWatcher | None:
    if settings.ami_admin_secret is None:
        return None
    address = AmiAddress(
        host=settings.ami_host,
        port=settings.ami_port,
        username=settings.ami_admin_user,
        secret=settings.ami_admin_secret.get_secret_value(),
        settings="CALLROUTER_AMI_ADMIN_USER and CALLROUTER_AMI_ADMIN_SECRET",
    )
    if address.exposes_secrets:
        raise SettingsError(
            "CALLROUTER_AMI_ADMIN_SECRET is set, and CALLROUTER_AMI_HOST is not this machine: that user may type "
            "anything at Asterisk's console. Run both engines on the PBX's machine, or lead AMI there through a tunnel"
        )
    return PlaceWatcher(address, settings.ami_user)


def end_as_if_killed(reason: str) -> NoReturn:
    """End at once: what is not written yet, Asterisk's journal and our own on disk hold for the engine that leads."""
    log.error("this engine ends, and is started anew to wait for its place", reason=reason)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(LOST_STATUS)
