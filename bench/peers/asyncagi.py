"""AsyncAGI over callrouter's own link, but nothing else of it; with the option `wake`, each command wakes the channel.

Without it commands wait until the channel looks at its queue by itself, as with every AsyncAGI library. With the option
`together` the variable and the first sound leave in one write, and so does the engine's.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter

from bench.peers.common import PLAYS, STATE, Peer, ready, run
from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.asyncagi import AgiResult, parse_env
from callrouter.asterisk.batch import Batch
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.commands import AgiCommand
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.errors import AmiError
from callrouter.runtime.tasks import Tasks

LEASE_SECONDS = 30.0


class _Caller:
    """One call: each result sends the next command (or two)."""

    def __init__(self, peer: Peer, link: AmiLink, channel: str) -> None:
        self._peer = peer
        self._link = link
        self._channel = ChannelActions(channel)
        play = commands.playback((peer.tick,))
        self._todo: list[tuple[str, AgiCommand]] = [
            ("", commands.answer()),
            ("command", commands.set_variable("CR_STATE", STATE)),
            *[("play", play)] * PLAYS,
        ][::-1]
        self._running = 0
        self._began = 0.0
        self.next()

    def next(self) -> None:
        """Send what comes next."""
        batch = self._link.batch()
        if not self._todo:
            batch.post("Hangup", {"Channel": self._channel.channel, "Cause": "16"})
            batch.write()
            return
        kind = self._add(batch)
        if kind == "command" and "together" in self._peer.options:
            self._add(batch)
        if "wake" in self._peer.options:
            batch.raw(self._channel.wake(LEASE_SECONDS))
        self._began = perf_counter()
        batch.write()

    def _add(self, batch: Batch) -> str:
        kind, command = self._todo.pop()
        self._running += 1
        batch.agi(self._channel, command, partial(self._done, kind))
        return kind

    def _done(self, kind: str, outcome: AgiResult | AmiError) -> None:
        self._running -= 1
        if isinstance(outcome, AgiResult) and outcome.ok:
            if kind:
                self._peer.note(kind, self._began)
            if not self._running:
                self.next()


async def serve(peer: Peer) -> None:
    """Log in, and take calls."""
    pbx = peer.pbx
    address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)

    def on_event(message: AmiMessage) -> None:
        _Caller(peer, link, parse_env(message["Env"]).channel)

    def on_state(state: LinkState, _: str) -> None:
        if state is LinkState.UP:
            ready()

    link = AmiLink(address)
    link.tells(events={"AsyncAGIStart": on_event}, on_state=on_state)
    tasks = Tasks()
    tasks.start(link.run(), "link")
    await peer.stopping.wait()
    await link.close()
    await tasks.stop()


if __name__ == "__main__":
    run(serve)
