"""A line: one caller's channel in AsyncAGI, from its start to the end of its call.

`state` says who has the channel, we or Asterisk: what may be sent in each state and what an event means there, as a
table with its theory. `commanded` is the half that sends: batches, each with its wake-up and its lease. `line` is the
whole, with the half that hears. `translate` makes effects commands, and results inputs. `round_trips`, `read_keys`,
`hold_music`, `recordings` and `first_sound` (the pause before it) each know one thing about its commands, `given` what
a caller's channel says whom an agent gave away, and how a colleague is rung for them.
"""
