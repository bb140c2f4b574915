"""`make run`: real SIP calls to a real Asterisk, live, against the four demonstration clients.

Ends with 0 only if every caller got what its story says.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from deploy.asterisk.pbx import PbxError
from deploy.demo import stories
from deploy.demo.caller import place_call
from deploy.demo.screen import Screen
from deploy.demo.sipp import SippError
from deploy.demo.stack import Stack, StackError, running
from deploy.demo.verdict import Placed, complaints

_SECONDS_BETWEEN_CALLS = 1.3
_FIGURES = {
    "received": "received",
    "offered": "offered",
    "answered": "answered",
    "abandoned": "abandoned",
    "overflowed": "overflowed",
    "pickup_rate": "pickup",
    "service_level": "service level",
    "asa_seconds": "mean wait",
    "waiting_max_seconds": "longest wait",
    "aht_seconds": "mean talk",
}
_AT_ONCE = 10
_ROWS_SECONDS = 10.0
_REFRESH_SECONDS = 0.5
_MAIL_SECONDS = 1.0
"""Without a mail, and no more is expected."""


def main() -> int:
    """Returns the exit code: 0, 1 when a caller did not get what its story says, 2 when nothing could start."""
    options = _options()
    try:
        return asyncio.run(_demonstrate(options))
    except (PbxError, StackError, SippError) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    # A default that is text is read like an argument: what is no number is a sentence of the parser's, and status 2.
    parser.add_argument(
        "--calls", metavar="CALLS", type=_count, default=os.environ.get("CALLS") or "60", help="(default: %(default)s)"
    )
    parser.add_argument("--leave", action="store_true", default=os.environ.get("STAY") == "0", help="end by itself")
    parser.add_argument("--seed", type=int, default=1, help="of the order and the spacing of calls")
    parser.add_argument("--for-seconds", type=float, help="place calls for so long, instead of a number of them")
    return parser.parse_args()


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"CALLS is {text!r}, and must be a number, 0 or more")
    return int(text)


async def _demonstrate(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print("Starting Asterisk, agents, carrier and callrouter …")
    async with running() as stack:
        placed: list[Placed] = []
        wanted = options.calls if options.for_seconds is None else "many"
        try:
            async with _watched(stack, console, lambda: f"{len(placed)} of {wanted} calls ended"):
                await _place_calls(stack, _order(options, random.Random(options.seed)), placed)
                rows = await _rows(stack, len(placed))
        except ExceptionGroup as group:
            expected, others = group.split((httpx.HTTPError, SippError))
            if expected is None or others is not None:
                raise
            raise StackError(f"{expected.exceptions[0]!r}\n{stack.engine.last_words()}") from group
        found = complaints(placed, rows)
        await _show_figures(stack, console, rows)
        await _show_mails(stack, console)
        _show_verdict(console, placed, found)
        if not options.leave:
            _show_invitation(stack, console)
            with contextlib.suppress(asyncio.CancelledError):
                async with _watched(stack, console, lambda: "Ctrl-C ends it"):
                    await asyncio.Event().wait()
        return 1 if found else 0


async def _place_calls(stack: Stack, order: Iterator[stories.Story], placed: list[Placed]) -> None:
    """Calls come as they do in life: at random, several at once."""
    at_once = asyncio.Semaphore(_AT_ONCE)
    spacing = random.Random(0)

    async def place(story: stories.Story) -> None:
        try:
            outcome = await place_call(stack.sip_address, story.did, story.caller, story.script, seconds=120)
        finally:
            at_once.release()
        placed.append(Placed(story=story, outcome=outcome))

    async with asyncio.TaskGroup() as group:
        for story in order:
            await at_once.acquire()
            group.create_task(place(story), name=story.name)
            await asyncio.sleep(spacing.expovariate(1 / _SECONDS_BETWEEN_CALLS))


def _order(options: argparse.Namespace, rng: random.Random) -> Iterator[stories.Story]:
    """Every story in some order before any comes again; so many calls, or for so long."""
    shuffled = (story for _ in itertools.count() for story in rng.sample(stories.STORIES, len(stories.STORIES)))
    if options.for_seconds is None:
        return itertools.islice(shuffled, options.calls)
    deadline = time.monotonic() + options.for_seconds
    return itertools.takewhile(lambda _: time.monotonic() < deadline, shuffled)


async def _rows(stack: Stack, count: int) -> list[dict[str, Any]]:
    """Every row, once there are as many as calls; the last are written a moment after the hang-up."""
    deadline = asyncio.get_running_loop().time() + _ROWS_SECONDS
    while True:
        rows = await stack.engine.calls()
        if len(rows) >= count or asyncio.get_running_loop().time() > deadline:
            return rows
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def _watched(stack: Stack, console: Console, headline: Callable[[], str]) -> AsyncIterator[None]:
    """Show live and ended calls meanwhile."""

    async def refresh(screen: Screen) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                live = (await stack.engine.get("/live"))["calls"]
                screen.show(live, await stack.engine.calls(), headline())
            await asyncio.sleep(_REFRESH_SECONDS)

    with Screen(console) as screen:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(refresh(screen), name="screen")
            try:
                yield
            finally:
                watcher.cancel()
        screen.show([], await stack.engine.calls(), headline())


async def _show_figures(stack: Stack, console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    began = sorted(datetime.fromisoformat(row["clocks"]["ringing_at"]) for row in rows)
    if not began:
        return
    # The demonstration's clock is shifted: the calls themselves say which period it is.
    period = {"from": began[0].isoformat(), "to": (began[-1] + timedelta(hours=1)).isoformat()}
    clients = (await stack.engine.get("/api/stats", **period))["clients"]
    table = Table(title="Each client's figures")
    table.add_column("client", no_wrap=True)
    for title in _FIGURES.values():
        table.add_column(title, justify="right")
    for client in clients:
        table.add_row(client["client"], *(_figure(name, client[name]) for name in _FIGURES))
    console.print(table)
    for client in clients:
        console.print(
            f"{client['client']}: service level by {client['basis']}", markup=False, highlight=False, soft_wrap=True
        )


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name.endswith(("_level", "_rate")):
        return f"{value:.0%}"
    return f"{value:.1f} s" if name.endswith("_seconds") else str(value)


async def _show_mails(stack: Stack, console: Console) -> None:
    """Who was told of messages by mail."""
    await stack.mailbox.quiet(_MAIL_SECONDS)
    for mail in stack.mailbox.mails:
        line = f"mailed to {mail['To']}: {mail['Subject']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show_verdict(console: Console, placed: list[Placed], found: list[str]) -> None:
    for complaint in found:
        console.print(f"not as the story says: {complaint}", style="red", markup=False, soft_wrap=True)
    if not found:
        console.print(f"All {len(placed)} callers got what their stories say.", style="green")


def _show_invitation(stack: Stack, console: Console) -> None:
    engine, pbx = stack.engine, stack.pbx
    # What the commands need to find this record and this engine, by its shifted clock.
    settings = {
        "DATA_DIR": stack.root / "data",
        "ENGINE_URL": engine.engine_url,
        "API_TOKEN": engine.token,
        "CLOCK_SHIFT": engine.environment["CALLROUTER_CLOCK_SHIFT"],
    }
    lines = [
        "",
        "It stays up. Point a softphone on this machine at it (SIP over UDP, A-law):",
        f"  server    {pbx.sip_host}:{pbx.sip_port}",
        "  user      softphone",
        f"  password  {pbx.phone_secrets['softphone']}",
        "and dial",
        "  0199000010       the surgery",
        "  0199000020       the law office (closed: leave a message)",
        "  0199000030       the plumber",
        "  +442079460040    the bookshop",
        "Look at it with",
        f"  curl {engine.engine_url}/metrics",
        f"  curl -H 'Authorization: Bearer {engine.token}' {engine.web_url}/api/calls",
        f"  export {' '.join(f'CALLROUTER_{name}={value}' for name, value in settings.items())}",
        "  .venv/bin/callrouter status",
        "  .venv/bin/callrouter stats",
        "  .venv/bin/callrouter explain CALL    (a call_id of /api/calls)",
        f"  API documentation: {engine.web_url}/api/docs",
        f"  logs: {engine.log_path} and {pbx.log_path}",
        "Ctrl-C ends everything.",
        "",
    ]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
