"""Decisions, and nothing else: plain data in, plain data out.

`inputs` is all the switch can tell us, `effects` all we can ask of it, `facts` all we conclude and keep. `call` is the
state of one call, `lifecycle` the table of its states, `state` its serialised form (of the arrays of `parts`, which
rows hold too). `plan` and `nodes` are the compiled tree; `engine` takes a step through it, of which `steps` are the
parts. `books` keeps who answered, and the one disposition at the end; `waiting` is about callers in a team's line,
`transfers` says where a caller goes whom an agent gives away. `fallback` is what Asterisk alone can do of a plan.
`conditions` are what a branch asks, `templates` texts with variables for others, `read_aloud` values that are spoken.
`schedule`, `rota`, `numbers`, `dialling` (what may be dialled), `identity` (who we are then), `agents` (who answers
callers) and `service_level` are the arithmetic the nodes and reports need, `forms` what is asked of callers for a
message that somebody writes down, `dispatch` who is told of it, `retention` how long what is kept, `explain` says why
a call ended where it did.

Nothing here knows asyncio, a clock, randomness, logging or YAML (import-linter holds us to it): the same engine serves
live calls, `callrouter route`, the tests and the bench.
"""
