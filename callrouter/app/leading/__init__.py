"""One engine of two: its `place` at the PBX is waited for, as a `standby`, before anything is made of it.

`front` is what a standby answers over HTTP. `spare` is an engine that waits for the end of another process, not for a
place: it is loaded, and nothing more. By `started` a part of `callrouter up` says that it could start. `upgrade`
restarts both, and no call notices.
"""
