"""Calls whose end nobody saw."""
