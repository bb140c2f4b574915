"""Agents: their `sessions` (logged in, paused, in wrap-up) as rows, and the hashes of their `pins`; their `figures` of
a period, made of what `rows` reads by `work`, which computes with `spans`; and a `line` that they answer as it was,
half hour by half hour.
"""
