"""What Asterisk's own database holds of a family."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, Protocol

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.errors import ActionFailed

_NOTHING_THERE: Final = "Database entry not found"
"""What Asterisk says of an entry that is not there. A family without entries is an empty list to Asterisk 22."""


class Collects(Protocol):
    """What the link does for us (`AmiLink`)."""

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]: ...


async def entries(link: Collects, family: str) -> Iterator[tuple[str, str]]:
    """Key, below the family, and value of each, read one by one: there may be many.

    Raises:
        ActionFailed: Asterisk does not say: that is not the same as that there is nothing.
        AmiError: the link went away meanwhile.
    """
    try:
        answer = await link.collect("DBGetTree", {"Family": family})
    except ActionFailed as error:
        if not is_nothing_there(error):
            raise
        return iter(())
    found = (message for message in answer if message["Event"] == "DBGetTreeResponse")
    return ((message["Key"].removeprefix(f"/{family}/"), message["Val"]) for message in found)


def is_nothing_there(error: ActionFailed) -> bool:
    """Whether Asterisk says that there is no such entry: what is to be deleted has gone."""
    return str(error) == _NOTHING_THERE
