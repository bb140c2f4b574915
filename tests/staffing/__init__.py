"""How many agents a line needs.

model     test_erlang.py
"""
