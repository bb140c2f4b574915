"""Callers who wait in queues: what goes on beside their channel.

`stands` asks how a queue stands, who waits there and in which order. `waits` knows everybody's turn, finds the place
of a caller who comes back, and begins a `wait`: what one caller is told, and when. `whisper` says it to them.
"""
