"""ARI: events by a WebSocket, commands by HTTP requests over kept connections, with aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import json
from time import perf_counter

import aiohttp

from bench.peers.common import PLAYS, STATE, Peer, ready, run


class _Application:
    """All calls of the Stasis application `bench`."""

    def __init__(self, peer: Peer, http: aiohttp.ClientSession, tasks: asyncio.TaskGroup) -> None:
        self._peer = peer
        self._http = http
        self._tasks = tasks
        self._playing: dict[str, asyncio.Future[None]] = {}

    def take(self, text: str) -> None:
        """One event."""
        event = json.loads(text)
        if event["type"] == "StasisStart":
            self._tasks.create_task(self._call(event["channel"]["id"]))
        elif event["type"] == "PlaybackFinished":
            found = self._playing.pop(event["playback"]["id"], None)
            if found is not None and not found.done():
                found.set_result(None)

    async def _call(self, channel: str) -> None:
        with contextlib.suppress(aiohttp.ClientError):  # the caller has gone
            await self._serve(channel)

    async def _serve(self, channel: str) -> None:
        await self._post(f"/ari/channels/{channel}/answer")
        began = perf_counter()
        await self._post(f"/ari/channels/{channel}/variable", variable="CR_STATE", value=STATE)
        self._peer.note("command", began)
        for number in range(PLAYS):
            began = perf_counter()
            playback = f"{channel}-{number}"
            ended = self._playing[playback] = asyncio.get_running_loop().create_future()
            path = f"/ari/channels/{channel}/play/{playback}"
            await self._post(path, media=f"sound:{self._peer.tick}")
            await ended
            self._peer.note("play", began)
        async with self._http.delete(f"/ari/channels/{channel}"):
            pass

    async def _post(self, path: str, **query: str) -> None:
        async with self._http.post(path, params=query) as answer:
            answer.raise_for_status()
            await answer.read()


async def serve(peer: Peer) -> None:
    """Register the application, and take calls."""
    pbx = peer.pbx
    base = f"http://{pbx.ami_host}:{pbx.http_port}"
    access = aiohttp.BasicAuth(pbx.ari_user, pbx.ari_secret)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(base, auth=access, connector=connector) as http,
        asyncio.TaskGroup() as tasks,
        http.ws_connect("/ari/events", params={"app": "bench"}) as events,
    ):
        application = _Application(peer, http, tasks)
        ready()

        async def listen() -> None:
            async for message in events:
                application.take(message.data)

        listening = tasks.create_task(listen())
        await peer.stopping.wait()
        listening.cancel()


if __name__ == "__main__":
    run(serve)
