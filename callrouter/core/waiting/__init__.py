"""Callers who wait in a team's line.

`turns` is since when they wait there, whatever they did in between; `announcing` what they are told meanwhile.
"""
