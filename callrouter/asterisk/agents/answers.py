"""What agents hear when they key in a feature code: a sentence in their language, or a sound of Asterisk's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from callrouter.core.effects import Sound
from callrouter.dialplan.language import agent_texts
from callrouter.dialplan.language.own_texts import OwnText
from callrouter.errors import SpeechError

log = structlog.get_logger(__name__)

Say = Callable[[str, str], Sound]
"""Speaks a text in a language (`speech.Speech.say`); it may take a second, and raises SpeechError."""
_LAST_RESORT: Final = "en"
_ASTERISKS_OWN: Final[Mapping[str, str]] = {
    agent_texts.ASK_PIN.name: "agent-pass",
    agent_texts.LOGGED_IN.name: "agent-loginok",
    agent_texts.LOGGED_OUT.name: "agent-loggedoff",
    agent_texts.PAUSED.name: "de-activated",
    agent_texts.READY.name: "activated",
}
"""Where nothing can be spoken, in the telephone's language."""
_OTHERWISE: Final = "please-try-call-later"


class Answers:
    """Speaks each sentence once; the cache is the speech's."""

    def __init__(self, say: Say) -> None:
        self._say = say

    async def sounds(self, text: OwnText, language: str, name: str = "") -> tuple[str, ...]:
        """The sound files of a sentence."""
        spoken = language if language in text.words else _LAST_RESORT
        words = (text.said(spoken, name=name) or "").strip()
        try:
            return ((await asyncio.to_thread(self._say, words, spoken)).file,)
        except SpeechError as error:
            log.warning("an agent hears a sound of Asterisk's own", text=text.name, reason=str(error))
            return (_ASTERISKS_OWN.get(text.name, _OTHERWISE),)
