"""What a recording says, as a machine understands it: off by default, beside the telling, and never before it.

`port` is what a machine must be able to do; `program` runs one that the operator brings, within bounds, and `whisper`
is such a program of ours, around faster-whisper. `scribe` has recordings written down, one at a time, in the worker.
"""
