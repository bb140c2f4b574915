"""Agents: their `sessions` (logged in, paused, in wrap-up) as rows, and the hashes of their `pins`."""
