"""How calls that have ended get into the tables: `rows` of each, which `writer` puts down in batches.

Of two records of one call the higher revision stands (`merge`). `spool` keeps calls on disk while PostgreSQL is away,
`fact_journal` what grows with a living call, against the engine's death, `live_journal` what it has reached, against
Asterisk's and the machine's too; `message_rows` has messages in their table while their call goes on. `files` is how
the three on disk share a folder with those of other engines. `soon` is the loop of other rows that wait in memory:
agents' sessions, the audit trail.
"""
