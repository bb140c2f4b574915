"""A plan for people: drawn as `text`, `svg` (placed by `layout`) or `mermaid`; its `forms`, and the `delivery` of its
messages; a `week` of its hours; the queues that plans have `derived` from teams'.
"""
