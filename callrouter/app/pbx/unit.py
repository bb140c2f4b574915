"""The unit on the PBX's own host: fetches from the engine what queues and telephones are to be, and applies it.

AMI, by which the engine controls calls, may neither write configuration nor give commands; this unit may, at Asterisk's
local socket. It holds nothing that calls need: while it is away, or the engine is, the PBX goes on with what it has.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import Final, Protocol

import structlog

from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.pbx.teams import HandedOverOut, UnitReport
from callrouter.app.leading.started import say_started
from callrouter.app.lifetime import Lifetime
from callrouter.asterisk.teams.applier import DRAIN_SECONDS, Applier
from callrouter.asterisk.teams.console import Console
from callrouter.asterisk.teams.document import teams_from
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.asterisk.teams.handover import LONGEST_WAIT_SECONDS, sign
from callrouter.errors import ConsoleAway, PbxUnitError
from callrouter.logs import Outage, configure_logs
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings

log = structlog.get_logger(__name__)

STOP_SECONDS: Final = 10.0
"""What a stop may take."""
ENGINE_SECONDS: Final = 1.0
"""Pause before an engine that is away is asked again."""
ASTERISK_SECONDS: Final = 2.0
"""Pause before an Asterisk that is away is asked again."""
REFUSED_SECONDS: Final = 30.0
"""Pause before what Asterisk did not take is tried again: each try is a reload."""
_MOST_WORDS: Final = 1000


class Engine(Protocol):
    """Whom the unit asks (`EngineClient`)."""

    async def teams(self, report: UnitReport) -> HandedOverOut: ...


class NotSignedError(PbxUnitError):
    """What came is not signed for this question with our key."""


class PbxUnit:
    """Applies what the engine hands over.

    Args:
        key: by which its answers are signed.
    """

    def __init__(self, engine: Engine, applier: Applier, key: str) -> None:
        self._engine = engine
        self._applier = applier
        self._key = key
        self._away = Outage(log, "the engine is away: the PBX keeps its queues and telephones", "the engine answers")
        self._applied = ""
        self._trouble = ""

    async def run(self) -> None:
        """Fetch and apply, until cancelled."""
        while True:
            try:
                await self.once(wait_seconds=await self._patience())
                self._away.ended()
            except EngineAway as error:
                self._away.failed(str(error))
                await asyncio.sleep(ENGINE_SECONDS)
                await self._drain()
            except PbxUnitError as error:
                await self._refused(error)

    async def once(self, *, wait_seconds: float = 0.0) -> None:
        """One question, and its answer applied.

        Raises:
            EngineAway: it does not answer.
            PbxUnitError: what it says cannot be trusted, or not be applied.
        """
        nonce = secrets.token_hex(16)
        report = UnitReport(nonce=nonce, applied=self._applied, trouble=self._trouble, wait_seconds=wait_seconds)
        answer = await self._engine.teams(report)
        signature = sign(self._key, nonce, answer.version, answer.document)
        if not hmac.compare_digest(signature, answer.signature):
            raise NotSignedError(
                "what came from the engine is not signed with our key: give the engine and `callrouter pbx apply` the "
                "same CALLROUTER_PBX_KEY"
            )
        if answer.document:
            teams = teams_from(answer.document, "the engine")
            # The first one, and one that it hands over again: whatever Asterisk has, it reads all of it.
            afresh = teams.revision == self._applied.partition(".")[0] or not self._applied
            await asyncio.to_thread(self._applier.apply, teams, afresh=afresh)
            self._applied, self._trouble = answer.version, ""
        else:
            await self._drain()

    async def _patience(self) -> float:
        """How long an answer may take: what is on its way out wants to be looked at."""
        try:
            settled = await asyncio.to_thread(lambda: self._applier.is_settled)
        except PbxUnitError:  # said when it is applied
            return 0.0
        return LONGEST_WAIT_SECONDS if settled else DRAIN_SECONDS

    async def _drain(self) -> None:
        try:
            if not self._applier.is_settled:
                await asyncio.to_thread(self._applier.drain)
        except PbxUnitError as error:
            log.warning("what is on its way out could not be looked at", reason=str(error))

    async def _refused(self, error: PbxUnitError) -> None:
        """Say so, here and to the engine, and try the whole again after a pause."""
        trouble = str(error)[:_MOST_WORDS]
        if trouble != self._trouble:
            log.error("queues and telephones were not applied", reason=str(error))
        self._applied, self._trouble = "", trouble
        await asyncio.sleep(ASTERISK_SECONDS if isinstance(error, ConsoleAway) else REFUSED_SECONDS)


def make_unit(settings: Settings, token: str) -> PbxUnit:
    """The unit of the PBX on this machine. Raises SettingsError when there is no key."""
    engine = EngineClient(settings.engine_base_url, token)
    applier = Applier(PbxFolder(settings.pbx_dir), Console(settings.pbx_dir))
    return PbxUnit(engine, applier, settings.required_pbx_key())


async def run_pbx(settings: Settings, token: str) -> None:
    """Apply whatever changes until a signal. Ended at any instant, it leaves whole files.

    Raises:
        SettingsError: there is no key.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level, numbers=settings.log_numbers)
    unit = make_unit(settings, token)
    lifetime = Lifetime(stop_seconds=STOP_SECONDS)
    lifetime.catch_signals()
    tasks = Tasks(lifetime.died)
    tasks.keep(unit.run, "queues and telephones of the PBX")
    say_started()
    await lifetime.stopping.wait()
    await tasks.stop()
    if lifetime.fatal is not None:
        raise lifetime.fatal
