"""A plan for people: drawn as `text`, `svg` (placed by `layout`) or `mermaid`; and a `week` of its hours."""
