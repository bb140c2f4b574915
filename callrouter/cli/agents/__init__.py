"""`callrouter agents`: its `commands`."""

from callrouter.cli.agents.commands import agents

__all__ = ["agents"]
