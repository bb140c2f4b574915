"""How soon after a message is complete the mail server has it, while 20 calls a second go on.

    python -m bench.message_mailed [--messages 60]

The demonstration's whole stack: Asterisk, the engine, the worker, PostgreSQL, a mail server, telephones. Callers speak,
press #, and their message is complete; beside them 20 callers a second come, and hang up after a second.
Told is the time between two instants of one clock in the record: the message complete, and the mail server's yes. The
target is 2 s for the 99th percentile, from when the caller hung up, which is later.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

if __package__ in (None, ""):  # run as a script: the project is one folder up
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.callers import Callers, Sink
from deploy.demo import stories
from deploy.demo.caller import place_call
from deploy.demo.sipp import CallerIdentity
from deploy.demo.stack import Stack, running

PER_SECOND = 20
APART_SECONDS = 1.0
"""Between two who leave a message."""
QUIET_SECONDS = 5.0


async def _main(messages: int) -> None:
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    async with running() as stack:
        sink = Sink()
        calls = int(PER_SECOND * (messages * APART_SECONDS + 20))
        crowd = Callers(
            stack.root / "crowd",
            stack.sip_address,
            story.did,
            calls=calls,
            rate=PER_SECOND,
            sink=sink,
            hold_seconds=1.0,
        )
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(messages):
                    caller = CallerIdentity(number=f"+3363998{2000 + number}", name="")
                    speaking = place_call(stack.sip_address, story.did, caller, story.script, seconds=120)
                    group.create_task(speaking, name=caller.number)
                    await asyncio.sleep(APART_SECONDS)
            await asyncio.sleep(QUIET_SECONDS)
            took = [await _took(stack, one) for one in await _messages(stack)]
        finally:
            crowd.stop()
            sink.close()
    told = sorted(one for one in took if one is not None)
    parts = quantiles(told, n=100)
    print(
        f"{len(took)} messages at {PER_SECOND} calls/s, {len(took) - len(told)} not told: "
        f"p50 {parts[49]:.2f} s, p99 {parts[98]:.2f} s (2), longest {told[-1]:.2f} s"
    )


async def _messages(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await stack.engine.get("/api/messages", limit=500))["messages"]
    return found


async def _took(stack: Stack, message: dict[str, Any]) -> float | None:
    """Seconds from the message complete to the mail server's yes; None: there was none."""
    trail = await stack.engine.get(f"/api/messages/{message['message_id']}/delivery")
    sent = next((one["at"] for one in trail["events"] if one["what"] == "sent"), None)
    if sent is None:
        return None
    return (datetime.fromisoformat(sent) - datetime.fromisoformat(message["taken_at"])).total_seconds()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=60)
    asyncio.run(_main(parser.parse_args().messages))
