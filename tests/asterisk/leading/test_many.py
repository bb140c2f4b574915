"""Eight engines log in at one PBX at the same instant: never two act, and one always does.

`LEADING_ROUNDS=100` (`make leading`) is the long form.
"""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.leading import claim
from callrouter.asterisk.leading.claim import sessions_of, take_place
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress, log_in, open_session
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from callrouter.errors import AmiError, AmiRefused
from tests.asterisk.callers import Pbx

ROUNDS = int(os.environ.get("LEADING_ROUNDS", "5"))
ENGINES = 8
SETTLED_SECONDS = 0.3


class Town:
    """Engines that want the same place, and who has it."""

    def __init__(self, address: AmiAddress) -> None:
        self.leading: set[int] = set()
        self.most = 0
        """How many led at once, at most."""
        self.acted: list[tuple[str, str]] = []
        """By whom, and by whom it was heard: each leader says that it leads to all who are logged in."""
        self.links = [self._engine(address, number) for number in range(ENGINES)]

    def _engine(self, address: AmiAddress, number: int) -> AmiLink:
        link = AmiLink(address)

        def told(state: LinkState, _: str) -> None:
            if state is LinkState.UP:
                self.leading.add(number)
                self.most = max(self.most, len(self.leading))
                link.send("UserEvent", {"UserEvent": "Leads", "Number": str(number)})
            else:
                self.leading.discard(number)

        def heard(message: AmiMessage) -> None:
            self.acted.append((message["Number"], str(number)))

        link.tells(on_state=told, events={"UserEvent": heard})
        return link


@pytest.fixture
def got_in(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sessions Asterisk counted each time that an engine asked."""
    counts: list[int] = []
    original = claim._sessions_of

    async def counting(session: AmiSession, address: AmiAddress) -> int:
        counts.append(await original(session, address))
        return counts[-1]

    monkeypatch.setattr(claim, "_sessions_of", counting)
    return counts


async def test_never_two_act(pbx: Pbx, got_in: list[int]) -> None:
    """Each round, all are cut off at the same instant, and all come back at once: Asterisk lets several in."""
    address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
    for _ in range(ROUNDS):
        town = Town(address)
        together = [asyncio.ensure_future(one.run()) for one in town.links]  # noqa: TID251 - ended below
        try:
            async with asyncio.timeout(20):
                while not town.leading:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(SETTLED_SECONDS)
            (leader,) = town.leading
            answer = await town.links[leader].send("Getvar", sessions_of(address))

            assert town.most == 1
            assert {by for by, _ in town.acted} == {str(leader)}, "somebody acted who has not the place"
            assert int(answer["Value"]) == 1
        finally:
            await asyncio.gather(*(one.close() for one in town.links))
            await asyncio.wait(together, timeout=10)

    assert len(got_in) >= ROUNDS


async def test_several_get_in_and_one_leads(pbx: Pbx, got_in: list[int]) -> None:
    """Their log-ins wait in a stopped Asterisk's sockets, and begin at the same instant."""
    address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
    several = 0
    for number in range(max(ROUNDS, 30)):
        sessions = [await open_session(address, a_session) for _ in range(ENGINES)]
        os.kill(pbx.pid, signal.SIGSTOP)
        try:
            coming = asyncio.gather(*(come_in(one, address) for one in sessions), return_exceptions=True)
            await asyncio.sleep(0.05)
        finally:
            os.kill(pbx.pid, signal.SIGCONT)
        outcomes = await coming
        for one in sessions:
            one.abort("the round is over")
        await asyncio.wait([one.lost for one in sessions])
        led = [one for one in outcomes if one is None]
        refused = [one for one in outcomes if isinstance(one, AmiRefused) and one.in_use]
        several += max(got_in) > 1
        got_in.clear()
        assert len(led) <= 1
        assert len(led) + len(refused) == ENGINES, outcomes
        if several and number + 1 >= ROUNDS:
            break

    assert several, "Asterisk never let two in: nothing was shown"


def a_session() -> AmiSession:
    return AmiSession(Handlers(events={}, on_post_error=print), LinkCounters())


async def come_in(session: AmiSession, address: AmiAddress) -> None:
    await log_in(session, address)
    await take_place(session, address)


async def test_without_a_count_nobody_leads(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Asterisk that does not say how many there are is no proof."""
    monkeypatch.setattr(claim, "sessions_of", lambda _: {"Variable": "NO_SUCH_FUNCTION(callrouter,sessions)"})
    link = AmiLink(AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret))

    with pytest.raises(AmiError, match="does not say how often AMI user 'callrouter' is logged in"):
        await link.connect()

    assert LinkState.REFUSED is link.state
