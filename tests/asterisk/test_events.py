"""The events that are wanted are those that something is done with: no handler is without a filter."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path

from callrouter.asterisk import codec
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.log_in import AmiAddress, choose_events
from callrouter.asterisk.session import RESULT_EVENT, OnEvent
from callrouter.asterisk.switch import EVENTS, AsteriskSwitch
from callrouter.runtime.clock import SystemClock
from tests.asterisk.test_line_state import Bench, Socket

ROOT = Path(__file__).parents[2]


def switch_on(link: AmiLink) -> AsteriskSwitch:
    """A switch that nobody listens to."""
    meter, places = Bench(), Places(recordings_dir="/nowhere")
    return AsteriskSwitch(link, clock=SystemClock(), meter=meter, places=places, region="FR")


async def filters_of(link: AmiLink) -> list[str]:
    """The events for which Asterisk is asked at a log-in, in order."""
    session, socket = link._idle_session(), Socket()
    session.connection_made(socket)
    choosing = asyncio.get_running_loop().create_task(choose_events(session, link.wanted_events))
    await asyncio.sleep(0)
    choosing.cancel()
    criteria = [codec.field(block, b"\r\nMatchCriteria: ").decode() for actions in socket.writes for block in actions]
    return [found[1] for text in criteria if (found := re.fullmatch(r"name\((\w+)\),method\(none\)", text))]


async def test_asterisk_is_asked_for_the_keys_of_the_table_and_nothing_else() -> None:
    """In the table's order, because it tries the filters in that order; results, the most frequent, come first."""
    link = AmiLink(AmiAddress(host="test", port=1, username="", secret=""))
    assert await filters_of(link) == [RESULT_EVENT]
    switch_on(link)

    assert await filters_of(link) == [RESULT_EVENT, *EVENTS] == list(link.wanted_events)


async def test_each_handler_of_the_switch_stands_in_the_table() -> None:
    """A method that is written and forgotten there would never run."""
    handlers = {name for name in vars(AsteriskSwitch) if name.startswith("_on_")} - {"_on_link_state", "_on_event"}

    assert {handler.__name__ for handler in EVENTS.values()} == handlers


async def test_each_event_reaches_its_handler() -> None:
    """By its name; an event that nobody asked for is dropped before it is decoded."""
    link = AmiLink(AmiAddress(host="test", port=1, username="", secret=""))
    switch_on(link)
    session = link._idle_session()
    session.connection_made(Socket())
    session.data_received(b"Asterisk Call Manager/11.0.0\r\n")
    told: list[str] = []

    def noted(handler: OnEvent, message: codec.AmiMessage) -> None:
        told.append(message.event)
        handler(message)

    for name, handler in list(link._events.items()):
        link._events[name] = partial(noted, handler)
    for event in (*EVENTS, "Newchannel"):
        session.data_received(f"Event: {event}\r\nUniqueid: 1.0\r\n\r\n".encode())

    assert told == list(EVENTS)
    assert link.counters.events_dropped == 1


def test_the_pbx_writes_every_event_that_is_named() -> None:
    """What `disabledevents` of manager.conf leaves out is asked for nowhere in the package."""
    conf = (ROOT / "deploy/asterisk/etc/manager.conf").read_text(encoding="utf-8")
    (left_out,) = re.findall(r"^disabledevents = (.+)$", conf, re.MULTILINE)
    package = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "callrouter").rglob("*.py"))

    assert [name for name in left_out.split(",") if f'"{name}"' in package] == []
