"""Reading the manager's stream, beside panoramisk's own reader, on the recordings of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from bench.report import Section, Table, at_least
from callrouter.asterisk.codec import GREETING, Framer, decode_stream, event_name, parse
from callrouter.asterisk.session import RESULT_EVENT
from callrouter.asterisk.switch import EVENTS

RECORDINGS = Path(__file__).resolve().parents[1] / "tests" / "asterisk" / "recordings"
MEGABYTES = 8
ROUNDS = 5
READ_BYTES = 65_536
WANTED_EVENTS = (RESULT_EVENT, *EVENTS)
WANTED = frozenset(name.encode() for name in WANTED_EVENTS)
ABOUT = f"""\
The recordings of tests/asterisk/recordings (real calls, every event Asterisk has), repeated to {MEGABYTES} MB; the
fastest of {ROUNDS} rounds. Panoramisk decodes every message, as it has to know its name first; callrouter looks at
the name in the bytes and drops what nobody wants."""


def bench() -> Section:
    """Both readers, wanted events only and everything."""
    stream = _stream()
    chunks = [stream[start : start + READ_BYTES] for start in range(0, len(stream), READ_BYTES)]
    messages = sum(1 for _ in decode_stream(stream))
    wanted = sum(1 for _ in decode_stream(stream, WANTED))
    ours_all = _fastest(lambda: _callrouter(chunks, None))
    ours_wanted = _fastest(lambda: _callrouter(chunks, WANTED))
    theirs_all = _fastest(lambda: _panoramisk(chunks))
    theirs_wanted = _fastest(lambda: _panoramisk(chunks, WANTED_EVENTS))

    def row(name: str, seconds: float) -> list[str]:
        return [name, f"{messages / seconds:,.0f}", f"{len(stream) / seconds / 1e6:.0f}"]

    return Section(
        title="Reading AMI",
        about=f"{ABOUT} {messages:,} messages, {wanted:,} of them responses and wanted events.",
        tables=[
            Table(
                columns=("", "messages/s", "MB/s"),
                rows=[
                    row("panoramisk, every event told", theirs_all),
                    row("callrouter, every event decoded", ours_all),
                    row("panoramisk, wanted events told", theirs_wanted),
                    row("callrouter, wanted events decoded", ours_wanted),
                ],
            )
        ],
        checks=[
            at_least("everything decoded, beside panoramisk", theirs_all / ours_all, 3, "×"),
            at_least("wanted events only, beside panoramisk", theirs_wanted / ours_wanted, 3, "×"),
        ],
    )


def _stream() -> bytes:
    """The recordings one after the other, without the greetings."""
    parts = [path.read_bytes().partition(b"\r\n") for path in sorted(RECORDINGS.glob("*.ami"))]
    once = b"".join(rest if line.startswith(GREETING) else line + end + rest for line, end, rest in parts)
    return once * (MEGABYTES * 1_000_000 // len(once))


def _fastest(read: Callable[[], int]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        began = perf_counter()
        read()
        seconds.append(perf_counter() - began)
    return min(seconds)


def _callrouter(chunks: list[bytes], wanted: frozenset[bytes] | None) -> int:
    """What the link's session does with what it reads; how many messages were decoded."""
    framer = Framer(greeting=False)
    decoded = 0
    for chunk in chunks:
        for block in framer.feed(chunk):
            if wanted is not None and (name := event_name(block)) is not None and name not in wanted:
                continue
            parse(block)
            decoded += 1
    return decoded


def _panoramisk(chunks: list[bytes], patterns: Iterable[str] = ("*",)) -> int:
    """Panoramisk's protocol and its manager's dispatch; how many events were told."""
    told = 0

    def count(_manager: object, _event: object) -> None:
        nonlocal told
        told += 1

    manager = Manager(loop=asyncio.new_event_loop())
    try:
        for pattern in patterns:
            manager.register_event(pattern, count)
        protocol = AMIProtocol()
        protocol.connection_made(None)
        protocol.factory = manager
        protocol.encoding = "utf-8"
        for chunk in chunks:
            protocol.data_received(chunk)
    finally:
        manager.loop.close()
    return told
