"""Reading the manager's stream, beside panoramisk's own reader, on the recordings of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from panoramisk import utils
from panoramisk.message import Message as PanoramiskMessage

from bench.report import Section, Table, at_least
from callrouter.asterisk.codec import decode_stream
from callrouter.asterisk.link import WANTED_EVENTS

RECORDINGS = Path(__file__).resolve().parents[1] / "tests" / "asterisk" / "recordings"
MEGABYTES = 8
ROUNDS = 5
READ_BYTES = 65_536
WANTED = frozenset(name.encode() for name in WANTED_EVENTS)
ABOUT = f"""\
The recordings of tests/asterisk/recordings (real calls, every event Asterisk has), repeated to {MEGABYTES} MB; the fastest
of {ROUNDS} rounds. Panoramisk decodes every message, as it has to know its name first; callrouter looks at the name in
the bytes and drops what nobody wants."""
