"""The worker: `process` runs it, of `parts` that are made by the operator's settings."""
