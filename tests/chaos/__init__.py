"""Faults at random instants under real calls, judged by the telephones' own count: `make chaos FAULT=NAME`.

`clients` are the firms that are called, and `sounds` what they play: each sound is a tone, so that a telephone
(`ear`) knows what it hears; `media` is all telephones' sockets and their clock. `callers` call and do what the seed
has drawn; `answering` is who is rung; `service` is the web service that lookups ask. All telephones are on one port
(`tests.laws.sip`). `town` starts everything, with a line to cut (`tests.weak_line`) and a PostgreSQL to stop where a
fault wants them. `faults` is the table: how large, how often, and what is promised; `striking` does them, and
`rounds` plays one round. `notes` is what the telephones wrote down, and `verdict` compares it with our rows (`heard`:
silence): both plain values, tested without a call. `__main__` is the command, and `short` what the tests play.
"""
