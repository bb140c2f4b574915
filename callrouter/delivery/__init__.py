"""What somebody is to be told, on its way to them: kept first, sent later, tried again until it is there.

`queue` is the way from end to end: an observer of facts, and a task that delivers what is due. `intake` sees to it that
nothing asked for is lost before it is in the book; `slots` gives every destination its fair turn, and lets a dead one
rest; `backoff` says when what failed is tried again, and when it is given up. `ports` holds what stands in the book and
what the queue needs from outside: the book and the spool are `store`'s.

`channel` says what a way to deliver must be able to do; `channels` lists those there are, one module each. The queue
knows no channel by name: the scheme of an address says which one delivers there. `servers` are those of the operator's
that channels need, `mailing` is how mail is handed to one, and `signing` how a web service sees who posts.
`event_webhook` has the live stream's events delivered, too.

`parcel` is what one contact is told of messages; `rendering` writes it as mail, as SMS or for a web service.
"""
