"""What an agent's telephone shows of a call, as Asterisk's dialplan takes it. Pure.

`CR_OFFER` = `<client>|<wrap-up>|<wrap-up after a transfer>|<name>|<phrase>|<whisper>`, times in whole seconds. It is
inherited by the agent's channel, where callrouter-offered of extensions.conf makes headers and the display name of it,
and callrouter-wrap-up the pause after the conversation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from callrouter.asterisk.commands import as_text
from callrouter.core.effects import Briefing, Part

VARIABLE: Final = "__CR_OFFER"
_NAME_BYTES: Final = 120
_TEXT_BYTES: Final = 240
"""Of a phrase, in UTF-8, with quotes and backslashes escaped: all of it is one AGI argument (`MAX_VALUE_BYTES`), and
fits into a line of AMI beside its command, whatever the script.
"""


def offer(briefing: Briefing, brief: Iterable[Part] = ()) -> str:
    """The value of `CR_OFFER`; `brief` is what is whispered."""
    whisper = " ".join(part.text for part in brief if part.text)
    wrap_up = briefing.wrap_up
    return "|".join(
        (
            briefing.client,
            str(math.ceil(wrap_up.answered_seconds)),
            str(math.ceil(wrap_up.transferred_seconds)),
            _plain(briefing.name, _NAME_BYTES),
            _plain(briefing.phrase, _TEXT_BYTES),
            _plain(whisper, _TEXT_BYTES),
        )
    )


def _plain(text: str, max_bytes: int) -> str:
    """One line without the separator, cut where it is too long."""
    kept = "".join(char if char.isprintable() and char != "|" else " " for char in text)
    return as_text(" ".join(kept.split()), max_bytes=max_bytes).rstrip()
