"""Figures by day: exact, at once, and made again from the calls as soon as one of them comes late.

`encoding` says how journeys stand in rows, `days` what the days of a zone are, `zones` which zone a client's are in.
`making` makes rows from calls, `rebuilding` keeps them, for the worker (`keeping`) and by command: `cutting` all days
of clients, `folding` what becomes one row when a month is over. `verifying` compares what is kept with the calls,
`watch` says to Prometheus how long marks wait.
`asking` says what is asked for, `rows` reads what is kept where it is right and the calls where it is not, `months`
some days of a month's row; both give what `summed` has. `reading` and `measuring` make figures of journeys, `visits` of
visits to queues; `model` is what figures are.
"""
