"""Builds every object once, connects the ports, starts and stops them in a readable order.

`engine` is the process that serves calls, `web` the one that answers questions about them, `up` starts both on one
machine. `http` runs an application in our own loop, `lifetime` turns signals into a stop.
"""
