"""Calls of our own: whoever is to be rung is rung when it is their turn, once, and what became of it is known.

`order` is one such call: what is asked of the switch, how far it is, what became of it. `callbacks` calls back whoever
asked for it, by the `rules` of their client's tree: `due` says whose turn it is, `trouble` whether the switch does its
part. `ports` is what that needs from outside: the book is `store`'s, the switch `asterisk`'s.

`telling` rings people to tell them of messages; `dialler` says who may be rung, and `message_ports` what that needs.
"""
