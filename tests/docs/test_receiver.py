"""The receiver of the integrator's guide, run as it stands there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from callrouter.core.dispatch import Means
from callrouter.delivery.channel import Delivered, FailedForNow, Outcome, Tools
from callrouter.delivery.channels.webhook import Webhook
from callrouter.runtime.guarded_http import GuardedHttp

from ..delivery.channels.walking import delivery_to  # noqa: TID252  # tests are no installed package
from ..delivery.rendering.parcels import LINK, parcel, written  # noqa: TID252  # tests are no installed package
from ..patience import START_SECONDS  # noqa: TID252  # tests are no installed package

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "integrator.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "A" * 32


@contextmanager
def receiver(folder: Path, which: int = 0) -> Iterator[tuple[str, Path]]:
    """The guide's first one, or another: its address, and the file that holds what it printed."""
    source = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[which]
    (folder / "receiver.py").write_text(source)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    printed = folder / "printed"
    with printed.open("w") as output, (folder / "log").open("w") as log:
        running = subprocess.Popen([sys.executable, folder / "receiver.py"], env=environment, stdout=output, stderr=log)
        try:
            until = time.monotonic() + START_SECONDS
            while not _listens(port):
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.05)
            yield f"127.0.0.1:{port}", printed
        finally:
            running.terminate()
            running.wait()


async def test_it_takes_what_is_ours_once_and_nothing_else(tmp_path: Path) -> None:
    """A repetition is taken and not done again; one without a signature, or with another secret's, is refused."""
    with receiver(tmp_path) as (host, printed):
        outcomes = [await _post(host, secret) for secret in ("RIGHT", "RIGHT", "OTHER", "")]
        said = printed.read_text()

    assert [type(one) for one in outcomes] == [Delivered, Delivered, FailedForNow, FailedForNow]
    assert {one.reason for one in outcomes if isinstance(one, FailedForNow)} == {f"{host} answered 401"}
    assert said == f"message.taken.v1 m1 {LINK}\n"


async def _post(host: str, secret: str) -> Outcome:
    secrets = {"RIGHT": SECRET, "OTHER": OTHER}
    http = GuardedHttp([host], secrets)
    one = parcel()
    delivery = replace(
        delivery_to(f"http://{host}/messages", one.delivery_id), body=written(Means.WEBHOOK, one), secret=secret
    )
    outcome = await Webhook(Tools(http=http, secrets=secrets)).send(delivery)
    await http.close()
    return outcome


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
