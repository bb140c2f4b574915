"""Callers who wait in a team's line: `turns`, since when they wait there, whatever they did in between."""
