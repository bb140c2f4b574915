"""A channel of the tests' own, in one file: appends to a file, `file:/FOLDER/NAME`. Cases: `file_cases/file.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit

from callrouter.delivery.channel import Channel, Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.ports import Delivery


class FileChannel(Channel):
    """One line a delivery."""

    name = "file"
    schemes = frozenset({"file"})
    deadline_seconds = 0.5

    def check(self, address: str) -> str | None:
        """A path from the root on."""
        path = unquote(urlsplit(address).path)
        return None if path.startswith("/") and "\0" not in path else "a file is named from the root on: file:/srv/told"

    def destination(self, address: str) -> str:
        """The folder."""
        return str(_path(address).parent)

    async def send(self, delivery: Delivery) -> Outcome:
        """Append; a file named `never` takes for ever, and one named `fault` shows a fault of ours."""
        path = _path(delivery.address)
        if path.name == "never":
            await asyncio.sleep(3600)
        if path.name == "fault":
            raise ZeroDivisionError
        try:
            with path.open("a") as file:
                file.write(f"{delivery.delivery_id} {delivery.body}\n")
        except IsADirectoryError:
            return FailedForGood(reason=f"{path} is a folder")
        except OSError as error:
            return FailedForNow(reason=f"{path}: {error.strerror}", destination_answers=False, retry_after_seconds=60)
        return Delivered()


def _path(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))
