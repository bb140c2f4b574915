"""Whatever comes in from outside, hostile: one module for each entrance.

Each has a generator (a grammar, and mutations of what was recorded of the real thing), the law that holds whatever
comes, and two forms: a short one in `make test`, the same at every run, and a long one, `make fuzz [SEED=11]
[CASES=1000000]`. `tally` says how many cases each gets, and counts them; `conftest` prints the counts. A finding is
printed as the smallest case that hypothesis found, and the same seed finds it again.

- `test_ami_bytes`: what Asterisk's manager interface sends; `edge` is what hears it.
- `test_agi_results`: results of commands on two callers' channels.
- `test_channel_state`: the call that a channel carries, and rows of Asterisk's journal.
- `test_sip`: From, Diversion and their kind, on a real Asterisk with a real engine.
- `test_yaml`: clients' and shared files.
- `test_tariffs`: tariffs of clients, and what their months come to.
- `test_http_api`: requests to web and engine, on a real PostgreSQL.
- `test_reports`: mail that comes back, and whoever hands it to us by LMTP.
- `test_web_services`: answers to lookups, and what they do to calls, from a real server.

What is *not* here: bytes that harm software of others. Fuzzers of theirs belong to them; `docs/security.md` names our
guard before each.
"""
