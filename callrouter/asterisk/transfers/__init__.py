"""Transfers at the edge: `given` reads what Asterisk's dialplan says of a caller who was given away, and says how a
colleague's telephone is rung for them; `consultations` are announced transfers.
"""
