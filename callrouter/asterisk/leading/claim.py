"""Takes the place with a session that has just logged in, by the table of `place`."""

from __future__ import annotations

import asyncio

from callrouter.asterisk.leading.place import AFTER, PlaceState, Seen, counted, yield_seconds
from callrouter.asterisk.log_in import AmiAddress, ask
from callrouter.asterisk.session import AmiSession
from callrouter.errors import ActionFailed, AmiRefused


async def take_place(session: AmiSession, address: AmiAddress) -> None:
    """Be counted alone, or leave the place to another: before this has returned nothing is done.

    Raises:
        AmiRefused: another session holds the place, or Asterisk does not say.
        AmiUnreachable: the session ended.
    """
    state = AFTER[PlaceState.OUTSIDE][Seen.LOGGED_IN]
    while state is not PlaceState.LEADING:
        if state is PlaceState.YIELDING:
            await asyncio.sleep(yield_seconds())
        state = AFTER[state][counted(await _sessions_of(session, address))]
        if state is PlaceState.OUTSIDE:
            raise AmiRefused(
                f"another engine logged in at Asterisk at {address} at the same instant as this one, and has the place",
                in_use=True,
            )


async def _sessions_of(session: AmiSession, address: AmiAddress) -> int:
    """How many sessions the user has (`manager.c`, function_amiclient; needs the write class `call`)."""
    try:
        answer = await ask(session, "Getvar", sessions_of(address))
    except ActionFailed as error:
        raise _uncounted(address, str(error)) from error
    try:
        return int(answer["Value"])
    except ValueError:
        raise _uncounted(address, f"it answers {answer['Value']!r}") from None


def sessions_of(address: AmiAddress) -> dict[str, str]:
    """Headers of a Getvar that asks how many sessions the user has."""
    return {"Variable": f"AMI_CLIENT({address.username},sessions)"}


def _uncounted(address: AmiAddress, reason: str) -> AmiRefused:
    return AmiRefused(
        f"Asterisk at {address} does not say how often AMI user {address.username!r} is logged in ({reason}), so that "
        "this engine cannot know that it is the only one: give the user the write class 'call'"
    )
