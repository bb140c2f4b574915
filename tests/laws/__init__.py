"""The laws of the record, over many real calls in one run: what the telephones did, beside what we say they did.

`sip` is one port with all telephones on it; `town` is the clients' files, the teams, and everything started together.
`callers` call (`keying`: with their keys) and `answering` is who is called: each draws what it does by the run's seed,
and writes down what its telephone did (`notes`), by the one clock of this process; `shifts` has agents log in, pause
and leave; `day` is the run. `account` reads those notes and says what each journey and ring must be; `ours` reads our
rows and figures; `compared` puts them beside each other, and `laws` are what must hold (`of_journeys`, `of_rings`,
`of_sessions`).
"""
