"""Agents at work: who is logged in where, who is paused and why, and how long they are left alone.

`roster` is where every agent stands, and the one place that changes it; `mending` says how Asterisk's queues differ
from that; `members` reads and writes Asterisk's members, and what must outlive the engine. `moves` is what a change of
standing changes there, `comparison` mends what differs. `offers` hears of rings that were missed, and of wrap-ups that
Asterisk's dialplan has begun; `feature_codes` is what agents key in at their telephones, `answers` what they hear.
`directory` says where they are to those who give them a caller. `last_crew` is who they all are while the files are
wrong, or a team is taken out of them, `derived_crew` adds the queues derived from their teams'. `at_work` puts all of
it together.
"""
