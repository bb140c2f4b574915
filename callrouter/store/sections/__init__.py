"""What a report says beside the figures of calls, a section each: `messages`, `callbacks`, `abandoned` callers, and the
`handling` of calls by agents; `whose` they are and when, and the `spread` of delays.

Each is `read_…(database, period, now=…, clients=None, zone=None)`, and gives a row for each client that has any: under
its present name, by its own clocks unless a zone is named.
"""
