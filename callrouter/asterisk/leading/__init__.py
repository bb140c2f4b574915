"""One engine at a time at a PBX: `place` says when an engine may act."""
