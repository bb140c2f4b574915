"""From a document to a plan.

`frame` names what a client's nodes can name, `preferences` whom of a team it wants, `assembly` grows the tree,
`neighbours` finds the clients it leads to, `fallbacks` makes what Asterisk can do alone, `forms` what is asked for
messages that somebody writes down, `delivery` who is told of messages, `reports` who is sent one of each month,
`subscriptions` which systems are told what happens, `texts` collects all that is to be spoken, and `compiler` joins
these, and the proof, into what is `compiled`: a plan, or a list of issues.
"""
