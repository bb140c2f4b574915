"""What becomes of callers who are to be called back, and of people who are told of messages by telephone.

`book` is the book of `callrouter.outgoing`: open callbacks, and the calls placed for them. `worklist` lists callers who
gave up, and `by_hand` takes what people say who call back themselves.
`watch` counts who is to be called back, for Prometheus. `telling` is the book of calls that tell people of messages.
`far_leg` is the leg of whoever was rung; `names` knows that a client was called otherwise before.
"""
