"""The event stream over HTTP, as Server-Sent Events.

`page` is what readers ask web for; `engine_page` is what web asks the engine for, on the engine's own port, and `link`
is the one connection between the two; `record` is web's look at what no engine knows. `response` is how both are
written: never faster than who reads, and never kept for who does not.
"""
