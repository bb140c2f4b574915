"""Callers whom agents give to somebody else: `targets` says what a target means, `waits` what the caller does then."""
