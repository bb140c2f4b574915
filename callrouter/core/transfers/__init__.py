"""Callers whom agents give to somebody else: `targets` says what a target means, `waits` what the caller does then, and
`consultations` keeps the books of whom an agent speaks to first.
"""
