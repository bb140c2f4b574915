"""Conversations controlled over HTTP, in both applications: `routes` is what may be done in one that goes on, `schemas`
what is answered. `here` carries it out, in the engine's process, `there` passes it on to that.
"""
