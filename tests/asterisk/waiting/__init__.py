"""Callers who wait in queues, on a real Asterisk."""
