"""`callrouter staffing`: its `command`, and the `table` that it shows."""

from callrouter.cli.staffing.command import staffing

__all__ = ["staffing"]
