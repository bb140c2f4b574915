"""A carrier that is away is said, counted and shown, on a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.pbx.trunk_check import FORGOTTEN_SECONDS, TrunkCheck
from callrouter.asterisk.session import OnEvent
from callrouter.core.nodes import HangupNode
from callrouter.runtime.tasks import Tasks
from deploy.asterisk.pbx_carriers import Carrier, Carriers
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import engine_room, plan_of
from tests.deploy.trunk import RefusingCarrier

BYE = HangupNode(name="bye")
FIRST, SECOND = "trunk-first-out", "trunk-second-out"
FOUND_OUT_SECONDS = 8.0
"""An address is asked every second here, and has three to answer."""


@pytest.fixture
def carriers() -> Iterator[tuple[RefusingCarrier, RefusingCarrier]]:
    with RefusingCarrier() as first, RefusingCarrier() as second:
        yield first, second


async def look_until(check: TrunkCheck, *away: str) -> None:
    """As the engine does, but more often."""
    async with asyncio.timeout(FOUND_OUT_SECONDS):
        while check.addresses != (FIRST, SECOND) or check.away != away:
            await asyncio.sleep(0.2)
            await check.look()


async def test_carriers_that_fall_silent_are_told_and_come_back(
    tmp_path: Path, carriers: tuple[RefusingCarrier, RefusingCarrier]
) -> None:
    """First one, then both, then none; the log has a line for each change, and no more."""
    first, second = carriers
    named = zip(("first", "second"), carriers, strict=True)
    declared = [Carrier(name=name, calls_to=[one.address], qualify_seconds=1) for name, one in named]
    counts: list[tuple[int, int, int]] = []
    with Pbx.start(tmp_path / "pbx", agents=0, carriers=Carriers(carriers=declared)) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            check = TrunkCheck(room.link, link_up=lambda: True, on_checked=lambda *now: counts.append(now))
            await look_until(check)
            with capture_logs() as logged:
                first.status = None
                await look_until(check, FIRST)
                one_away = check.trouble
                second.status = None
                await look_until(check, FIRST, SECOND)
                both_away = check.trouble
                first.status = second.status = "503 Service Unavailable"
                await look_until(check)

    assert one_away == f"{FIRST} does not answer: numbers are dialled at the carriers that do"
    assert both_away == f"no carrier answers ({FIRST}, {SECOND}): numbers outside cannot be dialled"
    assert check.trouble is None
    assert {(2, 1, 0), (2, 2, 0)} <= set(counts)
    assert counts[-1] == (2, 0, 0)
    said = [line.get("endpoints", ()) for line in logged if "carrier" in line["event"]]
    assert said[:2] == [(FIRST,), (FIRST, SECOND)]
    assert said[-1] == ()
    assert len(said) <= 4  # both may come back at once, or one after the other


async def test_without_a_declared_carrier_nothing_is_away(tmp_path: Path) -> None:
    """Who only takes calls has nothing to be told."""
    counts: list[tuple[int, int, int]] = []
    with Pbx.start(tmp_path / "pbx", agents=0) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            check = TrunkCheck(room.link, link_up=lambda: True, on_checked=lambda *now: counts.append(now))
            await check.look()

    assert (check.trouble, counts) == (None, [(0, 0, 0)])


ACCOUNT = "sip:0033199000000@acme.example"


class PaperLink:
    """Says what the test says; numbers are dialled nowhere."""

    def __init__(self) -> None:
        self.on_registry: OnEvent = lambda _: None

    def tells(self, *, events: Mapping[str, OnEvent]) -> None:
        """As AmiLink."""
        self.on_registry = events["Registry"]

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]:
        """As AmiLink."""
        answers: list[asyncio.Future[AmiMessage]] = [asyncio.get_running_loop().create_future() for _ in requests]
        for answer in answers:
            answer.set_result(AmiMessage({"Response": "Success", "Value": ""}))
        return answers

    def tried(self, status: str) -> None:
        """How a registration went; as Asterisk 22.10 writes it."""
        event = {"Event": "Registry", "ChannelType": "PJSIP", "Username": ACCOUNT, "Domain": "sip:x", "Status": status}
        self.on_registry(AmiMessage(event))


async def test_a_registration_that_fails_is_told_until_it_does_not() -> None:
    """However often it is tried: one line; and one that is not declared any more is forgotten."""
    link, seconds, counts = PaperLink(), [1000.0], []
    check = TrunkCheck(
        link, link_up=lambda: True, on_checked=lambda *now: counts.append(now), now_seconds=lambda: seconds[0]
    )
    with capture_logs() as logged:
        for status in ("Rejected", "Rejected"):
            link.tried(status)
            await check.look()
        failing = check.trouble
        link.tried("Registered")
        await check.look()
        well = check.trouble
        link.tried("Rejected")
        seconds[0] += FORGOTTEN_SECONDS
        await check.look()

    assert failing == f"we are not registered as {ACCOUNT}: its calls do not come in"
    assert (well, check.trouble) == (None, None)
    assert [count[2] for count in counts] == [1, 1, 0, 0]
    assert [line["log_level"] for line in logged] == ["error", "info", "error"]


async def test_a_real_registration_that_is_refused_is_told(tmp_path: Path) -> None:
    """Nobody is at the registrar's address: Asterisk says so, and the engine with it."""
    with RefusingCarrier() as carrier:
        account = Carrier(
            name="acme", calls_to=[carrier.address], registrar=carrier.address, user="0033199000000", secret="secret"
        )
        with Pbx.start(tmp_path / "pbx", agents=0, carriers=Carriers(carriers=[account])) as pbx:
            link = AmiLink(
                AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
            )
            check = TrunkCheck(link, link_up=lambda: True, on_checked=lambda *_: None)
            tasks = Tasks()
            tasks.start(link.run(), "link")
            async with asyncio.timeout(10):
                while link.state is not LinkState.UP:
                    await asyncio.sleep(0.05)
            carrier.status = "403 Forbidden"
            pbx.cli("pjsip send register trunk-acme-registration")
            async with asyncio.timeout(10):
                while not check.unregistered:
                    await asyncio.sleep(0.1)
            await link.close()

    assert check.unregistered == (f"sip:0033199000000@{carrier.address}",)
