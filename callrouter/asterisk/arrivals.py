"""Who calls, and whom: an AsyncAGI environment as the core's offer of a call. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callrouter.asterisk.asyncagi import AgiEnv
from callrouter.asterisk.causes import presentation
from callrouter.core.call import CallerId, Presentation
from callrouter.core.inputs import CallOffered
from callrouter.core.numbers import ANONYMOUS, normalise
from callrouter.pbx_names import trunk_of

CODES: Final = "callrouter-agent"
"""First argument of AsyncAGI where no caller is, but an agent's telephone with a feature code (extensions.conf)."""
CONSULTATION: Final = "callrouter-consult"
"""The same of an agent's telephone that calls somebody, on behalf of a caller or not (`transfers.consultations`)."""
NO_CALLERS: Final = (CODES, CONSULTATION)


def offered(env: AgiEnv, region: str, at: datetime) -> CallOffered:
    """The call, under the id that the dialplan gave it; numbers in E.164 where they are numbers of this world."""
    did = normalise(env.extension, region) or env.extension
    forwarder = env.rdnis and (normalise(env.rdnis, region) or env.rdnis)
    return CallOffered(
        call_id=env.arguments[0],
        did=did,
        caller=caller_id(env, region),
        # A History-Info (RFC 7044) whose first entry is the number dialled itself says that nobody forwarded the call.
        diverted_from=None if forwarder == did else forwarder,
        trunk=trunk_of(env.channel),
        at=at,
    )


def caller_id(env: AgiEnv, region: str) -> CallerId:
    """Who calls, as far as Asterisk knows: names are a stranger's words.

    What stands on the wire in place of a number, and who may not be shown, Asterisk's dialplan has judged already
    (callrouter-identity of extensions.conf).
    """
    shown, number = presentation(env.presentation), env.caller_number
    if shown is Presentation.UNAUTHENTICATED:
        return CallerId(presentation=shown)
    if shown is Presentation.WITHHELD or (number is not None and number.lower() == ANONYMOUS):
        return CallerId(presentation=Presentation.WITHHELD)
    if number is None:
        return CallerId(name=env.caller_name or "", presentation=Presentation.UNAVAILABLE)
    if shown is not Presentation.ALLOWED:
        return CallerId(presentation=shown)
    return CallerId(number=normalise(number, region) or number, name=env.caller_name or "", presentation=shown)
