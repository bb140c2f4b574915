"""`callrouter upgrade`: its `commands`."""

from callrouter.cli.upgrade.commands import upgrade

__all__ = ["upgrade"]
