"""Feature codes of agents' telephones: `*10` log in, `*11` log out, `*12<n>` pause, `*13` take calls again.

Asterisk's dialplan sends such a call into AsyncAGI with the telephone, which PJSIP has authenticated, and the code. A
log-in asks for the PIN of whose telephone it is, or of the agent whose number follows the code; the other codes are for
whoever is logged in at the telephone, and need none. Every answer is spoken in the agent's language, and every deed and
refusal is in the audit trail. Without an engine the dialplan decides what it can (callrouter-agent-alone).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, Protocol

import structlog

from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.agents.answers import Answers
from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.arrivals import CODES
from callrouter.asterisk.asyncagi import AgiEnv, AgiResult, parse_env
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.commands import AgiCommand
from callrouter.asterisk.link import AmiLink
from callrouter.core.agents.standing import Agent, PinCheck, Refused
from callrouter.dialplan.language import agent_texts
from callrouter.dialplan.language.own_texts import OwnText
from callrouter.errors import AgentRefused, AmiError, ChannelGone, ProtocolError
from callrouter.permissions import Permission
from callrouter.store.access.audit import Deed
from callrouter.store.tables import AuditOutcome

log = structlog.get_logger(__name__)


LOCKED: Final = "agent.locked"
"""In the audit trail: too many wrong PINs."""
LOG_IN, LOG_OUT, PAUSE, READY = "*10", "*11", "*12", "*13"
PIN_TRIES: Final = 3
"""In one call."""
_KEYS: Final = "CR_KEYS_0"
PIN_DIGITS: Final = 12
PIN_SECONDS: Final = 6.0
ANSWER_SECONDS: Final = 30.0
"""What a sentence and the keys after it take at most; then Asterisk has the call back."""
_REFUSALS: Final = {
    Refused.NOT_LOGGED_IN: agent_texts.NOT_LOGGED_IN,
    Refused.ALWAYS_IN: agent_texts.ALWAYS_IN,
    Refused.OTHERS: agent_texts.WRONG,
    Refused.NO_REASON: agent_texts.NO_REASON,
    Refused.UNKNOWN: agent_texts.WRONG,
    Refused.AWAY: agent_texts.LATER,
}
_WRONG_PIN: Final = {
    PinCheck.WRONG: agent_texts.WRONG,
    PinCheck.UNSET: agent_texts.WRONG,
    PinCheck.LOCKED: agent_texts.LOCKED,
    PinCheck.AWAY: agent_texts.LATER,
}


class Pins(Protocol):
    """Where PINs are checked (`store.agents.pins.PinBook`)."""

    async def check(self, agent: str, pin: str) -> PinCheck:
        """Whether it is theirs; a wrong one counts."""
        ...


class FeatureCodes:
    """Subscribes to the link, before it runs."""

    def __init__(
        self,
        link: AmiLink,
        roster: Roster,
        pins: Pins,
        answers: Answers,
        *,
        note: Callable[[Deed], None],
        start: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        """`note` takes deeds for the audit trail, `start` starts what lasts, under a name."""
        self._link = link
        self._roster = roster
        self._pins = pins
        self._answers = answers
        self._note = note
        self._start = start
        link.tells(events={"AsyncAGIStart": self._on_start})

    def _on_start(self, message: AmiMessage) -> None:
        if CODES not in message["Env"]:
            return  # a call: nearly all are
        try:
            env = parse_env(message["Env"])
        except ProtocolError:
            return  # the switch says so
        if env.arguments[:1] == (CODES,) and len(env.arguments) == 3:  # with telephone and code
            self._start(self._serve(env), "feature code")

    async def _serve(self, env: AgiEnv) -> None:
        _, phone, code = env.arguments
        keyed = _Keyed(self._link, env)
        try:
            agent, reply = await self._decide(phone, code, keyed)
            language = (agent.language if agent else None) or env.language
            await keyed.play(await self._answers.sounds(reply.text, language, reply.name))
            await keyed.hang_up()
        except (AmiError, TimeoutError) as error:
            log.info("a feature code was not answered to its end", phone=phone, reason=str(error) or "no answer")

    async def _decide(self, phone: str, code: str, keyed: _Keyed) -> tuple[Agent | None, _Reply]:
        """To whom, and what."""
        action, rest = code[:3], code[3:]
        crew = self._roster.crew
        if action == LOG_IN:
            agent = crew.numbered(rest) if rest else crew.owner(phone)
        else:
            agent = self._roster.keys_at(phone)
        try:
            if action == LOG_IN:
                return agent, await self._log_in(agent, phone, keyed)
            reply = self._carry_out(agent, action, rest) if agent else _Reply(agent_texts.NOT_LOGGED_IN)
        except AgentRefused as error:
            self._noted(agent, action, AuditOutcome.REFUSED, phone)
            return agent, _Reply(_REFUSALS[Refused(error.why)])
        self._noted(agent, action, AuditOutcome.DONE if agent else AuditOutcome.REFUSED, phone)
        return agent, reply

    def _carry_out(self, agent: Agent, action: str, rest: str) -> _Reply:
        if action == LOG_OUT:
            self._roster.log_out(agent.name)
            return _Reply(agent_texts.LOGGED_OUT)
        if action == PAUSE:
            reason = self._roster.reason(rest)
            self._roster.pause(agent.name, reason)
            return _Reply(agent_texts.PAUSED, reason)
        self._roster.ready(agent.name)
        return _Reply(agent_texts.READY)

    async def _log_in(self, agent: Agent | None, phone: str, keyed: _Keyed) -> _Reply:
        """Who is not known is asked for a PIN all the same: whether a number exists is not for strangers."""
        language = (agent.language if agent else None) or keyed.language
        check = PinCheck.WRONG
        for _ in range(PIN_TRIES):
            pin = await keyed.ask(await self._answers.sounds(agent_texts.ASK_PIN, language))
            check = await self._pins.check(agent.name, pin) if agent else PinCheck.WRONG
            if agent is not None and check is PinCheck.RIGHT:
                self._roster.log_in(agent.name, phone)
                self._noted(agent, LOG_IN, AuditOutcome.DONE, phone)
                return _Reply(agent_texts.LOGGED_IN)
            self._noted(agent, LOG_IN, AuditOutcome.REFUSED, phone, locked=check is PinCheck.LOCKED)
            if check is not PinCheck.WRONG or not pin:
                break
        return _Reply(_WRONG_PIN[check])

    def _noted(
        self, agent: Agent | None, action: str, outcome: AuditOutcome, phone: str, *, locked: bool = False
    ) -> None:
        permission = Permission.AGENT_LOGIN if action in (LOG_IN, LOG_OUT) else Permission.AGENT_PAUSE
        self._note(
            Deed(
                principal=f"agent:{agent.name}" if agent else f"telephone:{phone}",
                action=LOCKED if locked else permission,
                object=agent.name if agent else "",
                outcome=outcome,
                address=phone,
            )
        )


class _Reply(NamedTuple):
    """A sentence, and what it names."""

    text: OwnText
    name: str = ""


class _Keyed:
    """The telephone's channel, as long as it is in AsyncAGI."""

    def __init__(self, link: AmiLink, env: AgiEnv) -> None:
        self._link = link
        self._channel = ChannelActions(env.channel)
        self.language = env.language

    async def ask(self, sounds: tuple[str, ...]) -> str:
        """What is keyed after the sounds, up to the hash."""
        read = commands.read(_KEYS, sounds, max_digits=PIN_DIGITS, timeout_seconds=PIN_SECONDS)
        await self._run(read, ANSWER_SECONDS + PIN_DIGITS * PIN_SECONDS)
        return (await self._run(commands.get_variable(_KEYS), ANSWER_SECONDS)).value or ""

    async def play(self, sounds: tuple[str, ...]) -> None:
        """To their end."""
        await self._run(commands.playback(sounds), ANSWER_SECONDS)

    async def hang_up(self) -> None:
        """The code has been served."""
        await self._run(commands.hangup(), ANSWER_SECONDS)

    async def _run(self, command: AgiCommand, seconds: float) -> AgiResult:
        """Raises AmiError, or TimeoutError: of a channel that has hung up Asterisk says nothing."""
        done: asyncio.Future[AgiResult] = asyncio.get_running_loop().create_future()

        def on_result(outcome: AgiResult | AmiError) -> None:
            if done.done():
                return
            if isinstance(outcome, AmiError):
                done.set_exception(outcome)
            elif not outcome.ok:
                done.set_exception(ChannelGone(f"Asterisk says {outcome.text!r}"))
            else:
                done.set_result(outcome)

        command_id = self._link.agi(self._channel, command, on_result, lease_seconds=seconds)
        try:
            async with asyncio.timeout(seconds):
                return await done
        finally:
            self._link.abandon(command_id)
