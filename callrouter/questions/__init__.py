"""Questions about clients' trees, answered without a telephone, by the engine that serves calls.

`decisions` says what has to be decided at a wait of a call, and the options; `waits` what happens then. `rehearsal`
plays one call, with a cast that decides for caller, agents and web services; `asking` and `instants` read one from
texts, for `route` and for the tables beside the clients that `expected` plays. `occasions` lists who may call and when,
`examples` one example of each kind of value that some condition tells apart, and `ahead` says what of a call can still
matter at a node. `exploring` follows every way a call can go, and `outcomes` tells them for `route --all`. `alone` says
what Asterisk does by a tree without an engine, `delivered` who is told of a message, and when. `diff` compares two
trees. `once` keeps answers that are asked for again and again.
"""
