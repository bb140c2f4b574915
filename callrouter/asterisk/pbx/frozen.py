"""Whether calls advance on a PBX that still answers: Asterisk's manager may say Pong for hours beside a dead-lock.

So a call of our own goes through what every call needs, again and again: `Originate` makes two channels (a `Local`
pair), one of which runs a step of the Asterisk dialplan in a thread of its own, reads AstDB and raises a UserEvent
(extensions.conf, callrouter-probe). It comes after 0.9 ms and costs Asterisk as much CPU (22.10, two cores): 0.06 % of
a core. One is under way at a time, so that a frozen PBX gathers none.

The PBX is frozen when the probe does not come and nothing else is heard either, no event of any call, for
`QUIET_SECONDS`; or, since a lock may hold some threads and not others, when it does not come for `LOST_SECONDS`,
whatever is heard: a PBX that has too much to do is late, and not frozen. It thaws with the first probe that comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.rounds import in_rounds
from callrouter.asterisk.session import LinkCounters, OnEvent
from callrouter.errors import ActionFailed, AmiError

log = structlog.get_logger(__name__)

PROBE_SECONDS: Final = 1.5
"""From one probe that came to the next one."""
FROZEN_PROBE_SECONDS: Final = 15.0
"""The same while the PBX is frozen: each may leave a thread there."""
QUIET_SECONDS: Final = 2.5
LOST_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.25
EXTENSION: Final = "probe"
CONTEXT: Final = "callrouter-probe"
EVENT: Final = "CallrouterProbe"
REASON: Final = "Asterisk answers, and no call advances on it"


OnChange = Callable[[bool, float], None]
"""Whether it is frozen, and for how many seconds it has been."""


class Probed(Protocol):
    """What the link can do for us (`AmiLink`)."""

    counters: LinkCounters

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...

    def tells(self, *, events: dict[str, OnEvent]) -> None: ...


class FrozenWatch:
    """One for each link; `run` probes whenever the link is up."""

    def __init__(self, link: Probed, *, link_up: Callable[[], bool]) -> None:
        self._link = link
        self._link_up = link_up
        self._on_change: OnChange = _nobody
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._asked_at: float | None = None
        """When the probe under way was sent (the loop's time); None: none is."""
        self._came_at = 0.0
        """When the last one came."""
        self._heard = 0
        """Events that had been heard when anything was heard last."""
        self._quiet_since = 0.0
        self._able: bool | None = None
        """Whether the PBX has the extension; None: not known since the log-in."""
        self._frozen_since: float | None = None
        self._looked_at = 0.0
        self.round_trip_seconds = 0.0
        """Of the last probe that came."""
        link.tells(events={"UserEvent": self._on_user_event})

    def tells(self, on_change: OnChange) -> None:
        """Subscribe, before `run`: one may be told that the PBX is frozen, or not any more."""
        self._on_change = on_change

    @property
    def frozen(self) -> bool:
        """Whether no call advances."""
        return self._frozen_since is not None

    @property
    def trouble(self) -> str | None:
        """What is wrong, as a sentence; None when nothing is."""
        if self._frozen_since is not None:
            seconds = self._loop.time() - self._frozen_since
            return f"{REASON}, for {seconds:.0f} s: restart it if it stays so"
        return None

    async def run(self) -> None:
        """Probe and judge until cancelled."""
        self._looked_at = self._loop.time()
        await in_rounds(
            self._look,
            every_seconds=LOOK_SECONDS,
            link_up=self._link_up,
            when_blind=self._is_blind,
            at_once=False,
        )

    def _is_blind(self) -> None:
        self._able = self._asked_at = None
        self._looked_at = self._loop.time()

    async def _look(self) -> None:
        now = self._loop.time()
        self._excuse(now - self._looked_at - LOOK_SECONDS)
        self._looked_at = now
        if self._able is None:
            self._able = await self._has_extension()
        if not self._able:
            self._thaw(now)  # nobody can say any more
            return
        if self._heard != self._link.counters.events_received:
            self._heard, self._quiet_since = self._link.counters.events_received, now
        if self._asked_at is None:
            if now - self._came_at >= PROBE_SECONDS:
                self._send(now)
        elif self._frozen_since is None:
            self._judge(now, now - self._asked_at)
        elif now - self._asked_at >= FROZEN_PROBE_SECONDS:
            self._send(now)

    def _excuse(self, late_seconds: float) -> None:
        """This very process was held up: what came meanwhile is read in an instant."""
        if late_seconds > LOOK_SECONDS:
            self._quiet_since += late_seconds
            if self._asked_at is not None:
                self._asked_at += late_seconds

    def _judge(self, now: float, waited_seconds: float) -> None:
        quiet = now - max(self._quiet_since, self._asked_at or 0.0)
        if quiet >= QUIET_SECONDS or waited_seconds >= LOST_SECONDS:
            self._frozen_since = self._asked_at
            log.critical(REASON, waited_seconds=round(waited_seconds, 1), quiet_seconds=round(quiet, 1))
            self._on_change(True, waited_seconds)

    async def _has_extension(self) -> bool | None:
        """Whether the PBX's files are of a release that knows the probe; None: the link went away."""
        asked = f"DIALPLAN_EXISTS({CONTEXT},{EXTENSION},1)"
        try:
            answer = await self._link.send("Getvar", {"Variable": asked})
        except ActionFailed as error:
            log.warning("whether Asterisk is frozen cannot be seen", reason=str(error))
            return False
        except AmiError:
            return None
        if answer["Value"] == "1":
            return True
        log.warning("whether Asterisk is frozen cannot be seen: its extensions.conf is of an older release")
        return False

    def _send(self, now: float) -> None:
        self._number += 1
        self._asked_at = now
        headers = {
            "Channel": f"Local/{EXTENSION}@{CONTEXT}/n",
            "Application": "NoOp",
            "Timeout": "5000",
            "Async": "true",
            "Variable": f"__CR_PROBE={self._number}",
        }
        self._link.send("Originate", headers).add_done_callback(_forget)

    def _on_user_event(self, message: AmiMessage) -> None:
        if message["UserEvent"] != EVENT or self._asked_at is None:
            return
        now = self._loop.time()
        if message["Probe"] == str(self._number):
            self.round_trip_seconds = now - self._asked_at
        self._asked_at, self._came_at = None, now
        self._thaw(now)

    def _thaw(self, now: float) -> None:
        if self._frozen_since is not None:
            seconds, self._frozen_since = now - self._frozen_since, None
            log.warning("calls advance on Asterisk again", frozen_seconds=round(seconds, 1))
            self._on_change(False, seconds)


def _nobody(_frozen: bool, _seconds: float) -> None:
    """Nobody is told."""


def _forget(answer: asyncio.Future[AmiMessage]) -> None:
    """A probe that could not be asked for does not come: that is what is judged."""
    if not answer.cancelled():
        answer.exception()
