"""PostgreSQL: the record of every journey, and what is read back from it.

`tables` declares the schema and `migrations/` builds it. `database` opens a server (its own, by `embedded`, or one that
somebody else runs), keeps the schema right (`schema`) and makes a sentence of what the server refuses (`refusals`).

Written: `recorder` takes calls that have ended, keeps them in memory, or in `spool` while PostgreSQL is away, and has
`writer` put them into the tables in batches; `rows` and `trace` say how a call becomes columns and JSON, and a call
again. `notifications` and `notification_spool` are the book and the spool of `callrouter.delivery`. `plans` keeps every
version of a plan that went live and what its client was called before, `promises` what it promised, `gaps` the times
nobody watched.

Read back: `calls`, `messages` and `callbacks` in pages (`paging`), `stats` the service figures, each call judged by the
promise of the version it walked.

`access` has the tokens, the audit trail, and the recordings with every access to them; `outgoing` what becomes of
callers who are to be called back.

Only this package imports SQLAlchemy and asyncpg.
"""
