"""Agents: `standing` is who they are and what they may be doing, `sessions` the times that tell it afterwards;
`preference` is whom of a team a client wants first, or never, and the queue derived from the team's for that.
"""
