"""Calls whose end nobody saw, for whatever died with them: `unfinished` ends those of an engine and its PBX."""
