"""What somebody is to be told, on its way to them: kept first, sent later, tried again until it is there.

`asking` is an observer of facts, and a task that brings into the queue what calls ask for; `intake` sees to it that
nothing asked for is lost before it is there. The queue is rows, and `callrouter.dispatch` sends them: `slots` gives
every destination its fair turn, and lets a dead one rest; `backoff` says when what failed is tried again, and when it
is given up. `ports` holds what is delivered and what the way into the queue needs from outside: the book, which the
queue is to an engine, and the spool are `store`'s.

`channel` says what a way to deliver must be able to do; `channels` lists those there are, one module each. Who sends
knows no channel by name: the scheme of an address says which one delivers there. `servers` are those of the operator's
that channels need, `mailing` is how mail is handed to one, and `signing` how a web service sees who posts.
`event_webhook` has the live stream's events delivered, too.

`parcel` is what one contact is told of messages; `rendering` writes it as mail, as SMS or for a web service.
"""
