"""On the PBX the fence is the session: what the engine before had sent is carried out or dropped before another one is
let in, and nothing of it comes later; whether it waits in Asterisk's buffers, in its own, or is sent when it wakes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time

from callrouter.asterisk.leading.claim import take_place
from callrouter.asterisk.leading.watching import sessions_in
from callrouter.asterisk.log_in import AmiAddress, ask, log_in, open_session
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from callrouter.errors import AmiError
from tests.asterisk.callers import Pbx

ACTS = 60_000
ROUNDS = int(os.environ.get("FENCE_ROUNDS", "3"))


class Before:
    """The engine before, which is stopped once it has sent what fits into the buffers between it and Asterisk."""

    def __init__(self, pbx: Pbx) -> None:
        self._socket = socket.create_connection((pbx.ami_host, pbx.ami_port), timeout=5)
        self._socket.sendall(
            f"Action: Login\r\nUsername: {pbx.ami_user}\r\nSecret: {pbx.ami_secret}\r\nEvents: off\r\n\r\n".encode()
        )
        read = b""
        while b"Authentication accepted" not in read:
            read += self._socket.recv(4096)
        self._socket.setblocking(False)
        self._left = memoryview(b"".join(self._act(number) for number in range(1, ACTS + 1)))

    @staticmethod
    def _act(number: int) -> bytes:
        return b"Action: Setvar\r\nVariable: CR_FENCE\r\nValue: %d\r\n\r\n" % number

    def sends(self) -> None:
        """As much as goes; afterwards it is somebody else's connection, or none."""
        try:
            while self._left:
                self._left = self._left[self._socket.send(self._left) :]
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()


async def led(address: AmiAddress) -> AmiSession:
    """A session that has the place, as soon as Asterisk lets it in."""
    while True:
        session = await open_session(
            address, lambda: AmiSession(Handlers(events={}, on_post_error=print), LinkCounters())
        )
        try:
            await log_in(session, address)
            await take_place(session, address)
        except AmiError:
            session.abort("it is tried again")
            await asyncio.sleep(0)
        else:
            return session


async def done(session: AmiSession) -> int:
    """The number of the last act that was carried out."""
    return int((await ask(session, "Getvar", {"Variable": "CR_FENCE"}))["Value"] or 0)


async def test_nothing_is_carried_out_once_another_leads(pbx: Pbx) -> None:
    """However many of the acts that were sent had been carried out when the session was ended."""
    address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
    found = [await one_round(pbx, address, 0.005 * number) for number in range(ROUNDS)]

    assert [later for _, later in found] == [when_it_led for when_it_led, _ in found]
    assert any(when_it_led < ACTS for when_it_led, _ in found), "nothing was left to be dropped: nothing was shown"


async def one_round(pbx: Pbx, address: AmiAddress, after_seconds: float) -> tuple[int, int]:
    """How many acts of the one before had been carried out when the next one led, and a second later. Its session is
    ended so long after Asterisk began to read them.
    """
    pbx.cli("dialplan set global CR_FENCE 0")
    before = await asyncio.to_thread(Before, pbx)
    [its] = sessions_in(pbx.cli("manager show connected").splitlines(), pbx.ami_user)
    os.kill(pbx.pid, signal.SIGSTOP)
    before.sends()
    os.kill(pbx.pid, signal.SIGCONT)
    await asyncio.sleep(after_seconds)
    ending = asyncio.to_thread(pbx.cli, f"manager kick session {its.descriptor}")
    after, _ = await asyncio.gather(led(address), ending)
    try:
        when_it_led = await done(after)
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            before.sends()  # it wakes
            await asyncio.sleep(0.05)
        return when_it_led, await done(after)
    finally:
        after.abort("the round is over")
        await asyncio.wait([after.lost])
        before.close()
