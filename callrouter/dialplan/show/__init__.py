"""Drawings of a plan: `text`, `svg` (placed by `layout`) and `mermaid`."""
