"""The engine's PBX: `teams` is what its unit is handed and what it says of it, `draining` has it take no new call
before a restart.
"""
