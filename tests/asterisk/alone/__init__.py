"""A PBX without an engine: what is published for it, and what its callers get."""
