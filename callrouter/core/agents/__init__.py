"""Agents: `standing` is who they are and what they may be doing, `sessions` the times that tell it afterwards."""
