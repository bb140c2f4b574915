"""What becomes of messages, as people see it and change it: `core.dispatch` says what it should be.

The worker's: `lease` lets one of them act at a time, `due` takes messages a step further, `outbox` has what is to be
sent, within `limits`, and `receipts` what the other side says later of what it took; `clock_set` keeps waits as long as
they are. The engine's: `asked` queues what calls ask to have delivered. People's: `reading` has one message's whole
trail, `board` those that somebody must look at (`watch` counts them for Prometheus), `delays` how long clients' people
took, `asked_for` what systems were not told. `enclosed` is what a telling holds that nobody learns from the record:
`links`, what opens those to confidential messages (`opening`), and what people answer with (`replies`).
`acknowledging` stops everything because somebody took a message on, `again` sends what failed once more, or begins
anew; `events` writes both down.

Whoever changes a message's telling locks its dispatch first, and deliveries after it.
"""
