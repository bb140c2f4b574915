"""What an agent's telephone shows of a call, as Asterisk's dialplan takes it. Pure.

`CR_OFFER` = `<client>|<wrap-up>|<wrap-up after a transfer>|<name>|<phrase>|<whisper>`, times in whole seconds. It is
inherited by the agent's channel, where callrouter-offered of extensions.conf makes headers and the display name of it,
and callrouter-wrap-up the pause after the conversation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from callrouter.core.effects import Briefing, Part

VARIABLE: Final = "__CR_OFFER"
_NAME_LENGTH: Final = 60
_TEXT_LENGTH: Final = 160
"""Characters of a phrase: all of it fits into a line of AMI (1,024 bytes), whatever the script."""


def offer(briefing: Briefing, brief: Iterable[Part] = ()) -> str:
    """The value of `CR_OFFER`; `brief` is what is whispered."""
    whisper = " ".join(part.text for part in brief if part.text)
    wrap_up = briefing.wrap_up
    return "|".join(
        (
            briefing.client,
            str(math.ceil(wrap_up.answered_seconds)),
            str(math.ceil(wrap_up.transferred_seconds)),
            _plain(briefing.name, _NAME_LENGTH),
            _plain(briefing.phrase, _TEXT_LENGTH),
            _plain(whisper, _TEXT_LENGTH),
        )
    )


def _plain(text: str, length: int) -> str:
    """One line without the separator."""
    kept = "".join(char if char.isprintable() and char != "|" else " " for char in text)
    return " ".join(kept.split())[:length]
