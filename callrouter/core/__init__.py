"""Decisions, and nothing else: plain data in, plain data out.

`inputs` is all the switch can tell us, `effects` all we can ask of it, `facts` all we conclude and keep.
`call` is the state of one call, `lifecycle` the table of its states, `state` its serialised form, of the arrays of
`parts`, which rows hold too.
`plan` and `nodes` are the compiled tree; `engine` walks it. `schedule`, `numbers` and `service_level` are
the arithmetic the nodes and reports need, `explain` says why a call ended where it did.

Nothing here knows asyncio, a clock, randomness, logging or YAML (import-linter holds us to it): the same
engine serves live calls, `callrouter route`, the tests and the bench.
"""
