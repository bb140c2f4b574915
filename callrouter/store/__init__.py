"""PostgreSQL: the record of every journey, and what is read back from it.

`tables` declares the schema and `migrations/` builds it. `database` opens a server (its own, by `embedded`, or one that
somebody else runs), keeps the schema right (`schema`; `indexing` makes what takes long beforehand) and makes a sentence
of what the server refuses (`refusals`); `connecting` finds the host that serves now and gives up one that is silent,
`pool` lends connections.

Written: `recorder` takes calls that have ended, keeps them in memory, or on disk while PostgreSQL is away, and has them
written in batches (`writing`); `trace` says how a call becomes JSON, and a call again, `incarnation` which of its lives
an engine is in. `notification_spool` is the spool of `callrouter.delivery`. `plans` keeps every version of a plan that
went live and what its client was called before, `promises` what it promised, `gaps` the times nobody watched.

Read back: `calls`, `messages` and `callbacks` in pages (`paging`; an agent's calls: `taking_part`), `stats` the service
figures, each call judged by the promise of the version it walked, from what is kept of days (`figures`); `sections`
what a report says beside them; `apart` has heavy work done by processes of its own.

`taken` keeps messages that somebody takes by form, on disk and then in the record; `dispatch` has who is told of
messages, and what came of it, `subscribed` what other systems are told of all that happens.

`consumption` keeps clients' tariffs, and issues what they pay: invoices that never change.

`access` has the tokens, the audit trail, and the recordings with every access to them; `outgoing` what becomes of
callers who are to be called back; `agents` the sessions of agents, their PINs and their figures;
`retention` deletes what is older than it is kept, `person` finds, exports and erases what is known of a number.

Only this package imports SQLAlchemy and asyncpg.
"""
