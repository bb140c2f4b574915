"""The live event stream: what happens to calls and agents, told within milliseconds to whoever may see it.

`events` are all kinds there are, with their schema: webhooks use the same. The engine's side is `feed`, an observer
that numbers and tells them while somebody listens; `making` makes them of facts, with a call's `cards`. The other side
is `hub`, which takes what the engine says, and what came into the record that no engine knows, and gives it to each
`reader`, by `views` that say who sees what; `picture` is what the engine's events add up to. For who comes back the
last ones are kept: in a `ring` there, of both sources (`recent`) here. Each who listens has an `outlet`, and may be
slow. `frames` are the bytes of Server-Sent Events.

Nothing here does I/O: `api.stream` has the pages and the connection between the two processes.
"""
