"""How answers are given that are large, or asked for again and again.

`unchanged`: whoever has an answer already is told that it is still the same.
"""
