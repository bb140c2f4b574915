"""The eyes of a standby: a second AMI user, who sees who is logged in and may end a session that is stale.

That user needs the write class `command` and nothing else (`manager.conf`, callrouter-admin). A refused log-in takes
Asterisk a second (`manager.c`, process_message), a look 0.3 ms: so the place is looked at until it is free, and taken
then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from callrouter.asterisk.leading.heartbeat import BEAT, BEAT_SECONDS, STANDBY
from callrouter.asterisk.leading.watching import Verdict, Watching, global_in, sessions_in
from callrouter.asterisk.log_in import AmiAddress, ask, log_in, open_session
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from callrouter.errors import AmiError, AmiRefused, AmiUnreachable
from callrouter.logs import Outage
from callrouter.runtime.fence import boot_seconds

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 2.0
"""After so long without an answer the PBX is taken for frozen."""
AWAY_SECONDS: Final = 0.5
"""The pause before it is looked for again."""


class PlaceWatcher:
    """Waits until the place of `user` is free."""

    def __init__(self, address: AmiAddress, user: str, now: Callable[[], float] = boot_seconds) -> None:
        """`address` has the second user and its secret."""
        self._address = address
        self._user = user
        self._now = now
        self._watching = Watching()
        self._said_at = float("-inf")
        self._away = Outage(log, "the standby does not see the PBX", "the standby sees the PBX", level="warning")

    async def until_free(self, on_taken: Callable[[], None]) -> None:
        """Look, and end a session that is stale, until nobody has the place; `on_taken` is told when somebody has.

        An Asterisk that is away is looked for until it is there.

        Raises:
            AmiRefused: it does not let the second user in.
        """
        while True:
            session: AmiSession | None = None
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    session = await open_session(self._address, _new_session)
                    await log_in(session, self._address)
                if await self._look(session, on_taken):
                    return
            except AmiRefused:
                raise
            except (AmiError, TimeoutError) as error:
                self._away.failed(str(error) or f"no answer within {ANSWER_SECONDS:g} s")
                await asyncio.sleep(AWAY_SECONDS)
            finally:
                if session is not None:
                    session.abort("the standby has seen enough")

    async def _look(self, session: AmiSession, on_taken: Callable[[], None]) -> bool:
        while not session.lost.done():
            async with asyncio.timeout(ANSWER_SECONDS):
                connected, variables = await asyncio.gather(
                    _printed(session, "manager show connected"), _printed(session, "dialplan show globals")
                )
            self._away.ended()
            sessions = sessions_in(connected, self._user)
            match self._watching.look(sessions, global_in(variables, BEAT), self._now()):
                case Verdict.FREE:
                    return True
                case Verdict.STALE:
                    log.warning("the engine that leads is stopped: its session is ended", sessions=len(sessions))
                    for one in sessions:
                        await _printed(session, f"manager kick session {one.descriptor}")
                case Verdict.TAKEN:
                    on_taken()
                    await self._say(session)
            await asyncio.sleep(LOOK_SECONDS)
        raise AmiUnreachable(session.reason)

    async def _say(self, session: AmiSession) -> None:
        """That somebody waits."""
        now = self._now()
        if now - self._said_at >= BEAT_SECONDS:
            self._said_at = now
            await _printed(session, f"dialplan set global {STANDBY} {now:.3f}")


def _new_session() -> AmiSession:
    return AmiSession(Handlers(events={}, on_post_error=lambda _, __: None), LinkCounters())


async def _printed(session: AmiSession, command: str) -> list[str]:
    """What a command of Asterisk's console prints, by line."""
    return (await ask(session, "Command", {"Command": command})).all("Output")
