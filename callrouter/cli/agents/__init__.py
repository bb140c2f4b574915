"""`callrouter agents`: its `commands`, and how their `figures` are shown."""

from callrouter.cli.agents.commands import agents

__all__ = ["agents"]
