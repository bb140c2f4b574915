"""PostgreSQL: the record of every journey, and what is read back from it.

`tables` declares the schema and `migrations/` builds it; `database` opens a server (its own, by `embedded`, or
somebody else's) and keeps the schema right (`schema`). `recorder` takes calls that have ended, keeps them in memory
or in `spool` while PostgreSQL is away, and has `writer` put them down in batches; `rows` and `trace` say how a call
becomes columns and JSON, and a call again. `notifications` and `notification_spool` are the book and the spool of
`callrouter.delivery`. `calls`, `messages`, `stats`, `plans` and `gaps` read, one module for each thing read back. Only
this package imports SQLAlchemy and asyncpg.
"""
