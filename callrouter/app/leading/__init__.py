"""One engine of two: its `place` at the PBX is waited for, as a `standby`, before anything is made of it.

`front` is what a standby answers over HTTP. `upgrade` restarts both, and no call notices.
"""
