"""Callers who wait in a team's line."""
