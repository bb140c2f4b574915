"""FastAGI: Asterisk connects for each call, and waits for one line at a time."""

from __future__ import annotations

import asyncio
import contextlib
from time import perf_counter

from bench.peers.common import PLAYS, STATE, Peer, ready, run


async def serve(peer: Peer) -> None:
    """Listen, and tell Asterisk where."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _call(peer, reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.to_thread(peer.pbx.cli, f"dialplan set global BENCH_FASTAGI_PORT {port}")
    ready()
    await peer.stopping.wait()
    server.close()


async def _call(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n\n")  # the environment

    async def command(text: str) -> bytes:
        writer.write(text.encode() + b"\n")
        return await reader.readuntil(b"\n")

    await command("ANSWER")
    began = perf_counter()
    await command(f'SET VARIABLE CR_STATE "{STATE}"')
    peer.note("command", began)
    for _ in range(PLAYS):
        began = perf_counter()
        await command(f'EXEC Playback "{peer.tick}"')
        peer.note("play", began)
    await command("HANGUP")


if __name__ == "__main__":
    run(serve)
