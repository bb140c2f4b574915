"""Callers who wait in a team's line.

`turns` is since when they wait there, whatever they did in between; `priority` who goes first; `estimate` how long it
may take, `announcing` what they are told meanwhile.
"""
