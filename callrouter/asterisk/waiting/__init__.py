"""Callers who wait in queues: what goes on beside their channel.

`stands` asks how a queue stands, who waits there and in which order; `waits` knows everybody's turn, and finds the place
of a caller who comes back.
"""
