"""Four times as many calls at once as the PBX admits, for a while: who is held, and how soon all is as before."""

from __future__ import annotations

import re
import time

from bench.report import Section, Table, at_most, exactly
from bench.stand import DID, Stand

LIMIT = 100
"""Calls at once that the PBX admits."""
HELD = 40
OFFERED = 4 * LIMIT
"""As many as would be there at once, if all were admitted."""
RATE = 200.0
HOLD_SECONDS = OFFERED / RATE
HELD_CALLER, MENU_CALLER = "+33612000120", "+33612000120"
PROBE_RATE, PROBE_SECONDS = 10.0, 15.0
RECOVERY_SECONDS = 5.0
LEAD_SECONDS = 4.0
TAIL_SECONDS = 10.0
ABOUT = f"""\
The PBX admits {LIMIT} calls at once, and {HELD} are held in menus. {RATE:g} more a second want to stay
{HOLD_SECONDS:g} s each, {OFFERED} at once: what is beyond the limit is refused with 503. When they stop, calls of the
five-step tree come at {PROBE_RATE:g} a second, and the last of them that fails says when all is as before."""


def bench(stand: Stand, seconds: float) -> Section:
    """For so many seconds."""
    engine = stand.engine()
    stay = LEAD_SECONDS + seconds + PROBE_SECONDS + TAIL_SECONDS
    held = stand.callers(DID, calls=HELD, rate=HELD / 2, caller=HELD_CALLER, hold_seconds=stay)
    time.sleep(LEAD_SECONDS)
    calls = round(RATE * seconds)
    flood = stand.callers(DID, calls=calls, rate=RATE, caller=MENU_CALLER, hold_seconds=HOLD_SECONDS)
    time.sleep(seconds)
    probes = stand.callers(DID, calls=round(PROBE_RATE * PROBE_SECONDS), rate=PROBE_RATE)
    flooded, probed, kept = flood.finish(), probes.finish(), held.finish()
    recovery = probes.last_failure_seconds()
    rows = sum(engine.rows().values())
    refused = _refused(stand)
    engine.stop()
    lost = calls + probed.calls - flooded.succeeded - probed.succeeded - refused
    return Section(
        title="Too many calls",
        about=ABOUT,
        tables=[
            Table(
                columns=("", "found"),
                rows=[
                    ["calls offered / admitted / refused", f"{calls:,} / {flooded.succeeded:,} / {refused:,}"],
                    ["all as before after, s", f"{recovery:.1f}"],
                    ["of the calls that came then failed", f"{probed.failed} of {probed.calls}"],
                ],
            )
        ],
        checks=[
            exactly("held calls that were disturbed", kept.failed, 0),
            at_most("all as before", recovery, RECOVERY_SECONDS, "s", 1),
            exactly("calls that were neither admitted nor refused", lost, 0),
            exactly("rows written, of the calls admitted", rows, HELD + flooded.succeeded + probed.succeeded),
        ],
    )


def _refused(stand: Stand) -> int:
    """By the PBX's own count."""
    found = re.findall(
        r"^/callrouter/refused/\S+\s*: (\d+)", stand.pbx.cli("database show callrouter/refused"), re.MULTILINE
    )
    return sum(map(int, found))
