"""Who calls, and whom: an AsyncAGI environment as the core's offer of a call. Pure."""

from __future__ import annotations

from datetime import datetime

from callrouter.asterisk.asyncagi import AgiEnv
from callrouter.asterisk.causes import presentation
from callrouter.core.call import CallerId, Presentation
from callrouter.core.inputs import CallOffered
from callrouter.core.numbers import normalise


def offered(env: AgiEnv, region: str, at: datetime) -> CallOffered:
    """The call, under the id that the dialplan gave it; numbers in E.164 where they are numbers of this world."""
    return CallOffered(
        call_id=env.arguments[0],
        did=normalise(env.extension, region) or env.extension,
        caller=caller_id(env, region),
        diverted_from=env.rdnis and (normalise(env.rdnis, region) or env.rdnis),
        at=at,
    )


def caller_id(env: AgiEnv, region: str) -> CallerId:
    """Who calls, as far as Asterisk knows: names are a stranger's words."""
    shown = presentation(env.presentation)
    number = env.caller_number
    if number is None or number.lower() == "anonymous":
        withheld = shown is Presentation.WITHHELD or (number or "").lower() == "anonymous"
        kept = Presentation.WITHHELD if withheld else Presentation.UNAVAILABLE
        return CallerId(name=env.caller_name or "", presentation=kept)
    if shown is not Presentation.ALLOWED:
        return CallerId(presentation=shown)
    return CallerId(number=normalise(number, region) or number, name=env.caller_name or "", presentation=shown)
