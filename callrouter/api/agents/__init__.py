"""Agents over HTTP, in both applications: `routes` is where they stand and what is done for them, `wishes` what may be
wanted and on whose behalf, `schemas` what is answered. `here` carries it out, in the
engine's process, `there` passes it on to that.
"""
