"""What looks, again and again, whether Asterisk is as we need it."""

from __future__ import annotations

from dataclasses import dataclass

from callrouter.app.pbx.named_queues import NamedQueues
from callrouter.asterisk.pbx.agent_watch import AgentWatch
from callrouter.asterisk.pbx.database_size import DatabaseSize
from callrouter.asterisk.pbx.frozen import FrozenWatch
from callrouter.asterisk.pbx.media_watch import MediaWatch
from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.pbx.refused import RefusedCalls
from callrouter.asterisk.pbx.trunk_check import TrunkCheck
from callrouter.runtime.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class Watches:
    """All of them."""

    agents: AgentWatch
    queues: QueueCheck
    trunk: TrunkCheck
    media: MediaWatch
    refused: RefusedCalls
    names: NamedQueues
    frozen: FrozenWatch
    database: DatabaseSize

    def start(self, tasks: Tasks) -> None:
        """Look from now on, whether the link is up or not."""
        tasks.keep(self.frozen.run, "watch for a frozen Asterisk")
        tasks.keep(self.media.run, "watch over media")
        tasks.keep(self.agents.run, "watch over agents")
        tasks.keep(self.names.run, "queues that plans name")
        tasks.keep(self.queues.run, "check of the queues")
        tasks.keep(self.trunk.run, "check of the trunk")
        tasks.keep(self.refused.run, "count of refused calls")
        tasks.keep(self.database.run, "size of Asterisk's database")
