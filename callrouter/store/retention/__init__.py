"""What is kept for how long: the rules that count, and the one run that deletes what is older.

`rules` says what counts for whom: a shorter rule waits a day. `border` keeps days of figures whose calls go. `deleting`
deletes some of a client at a time, `running` all of everybody, and puts down what it did; `keeper` has the worker do it
(with the recordings, `store.access.keeping`), `history` reads the runs, `watch` tells Prometheus of the last one.
"""
