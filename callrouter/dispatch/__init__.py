"""Tells people of messages, and systems of calls: what `callrouter worker` does, one process at a time, under a lease.

`sweeping` takes messages that are due a step further, `sending` sends what that brings; `parcels` makes of a message
what somebody is told of it, with what only they are to know (`enclosing`). `telling` tells other systems what happened,
`days` a day's figures; `reporting` sends people the report of a month. `listening` hears from PostgreSQL that there is
something to do. `sparing` has it look through what waits no more than a part of the time; `undelivered` says in the log
who is not told of calls. `working` runs them by a `due_clock`, and `heartbeat` says outside that it does.
`spoken` makes the sounds of calls that tell of a message, for the engine that places them. `receipts` hears what
became of mail that the next server took, and what people answered.
"""
