"""A seeded history of calls, as large as it is asked for: what figures and pages are measured on.

    clients.py   whose calls: 800 clients of very different size, their numbers, versions, promises and zones
    days.py      the calls of one day, with visits, offers, legs, holds and messages, as rows for COPY
    filling.py   a PostgreSQL of its own with all of it: `python -m bench history --calls 1000000 --folder F`
    asking.py    every question of figures and pages, of an earlier build, of this one and of DuckDB: `bench figures`
    probe.py     what is asked of one build, in a process of its own
    traffic.py   fifty calls a second meanwhile

The same seed and size give the same rows, whoever makes them, in however many processes: each day has its own
generator. Nothing of it depends on the clock of the machine.
"""
