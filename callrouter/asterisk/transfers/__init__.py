"""Transfers at the edge, beyond a caller's own channel (`line.given` reads what that says of a blind one).

`consultations` are announced transfers: whom an agent speaks to first, and what becomes of it. `control` is what
programs do in a conversation.
"""
