"""A plan for people: drawn as `text`, `svg` (placed by `layout`) or `mermaid`; its `forms`, the `delivery` of its
messages, its `reports`, its `retention` and its `subscriptions`; a `week` of its hours; the queues that plans have
`derived` from teams'.
"""
