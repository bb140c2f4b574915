"""Callers who wait in queues: what goes on beside their channel.

`looks` asks how queues stand before a caller enters one, `stands` who waits in one, and in which order. `waits` knows
everybody's turn, finds the place of a caller who comes back, and begins a `wait`: what one caller is told, and when.
`whisper` says it to them.
"""
