"""What becomes of messages, as rows: the worker's lease, what is due, what is on its way, and who acknowledged.

`lease` lets one worker act at a time. `due` takes messages a step further, `outbox` has what is to be sent, and
`acknowledging` ends it.
"""
