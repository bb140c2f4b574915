"""What changes between two versions of a client's tree, in callers and times.

`compare` asks all occasions of both trees; `side_by_side` walks the two with one caller, each `side` as far as the
decisions lead it, and `diagram` keeps which decisions lead to which difference. `experience` says what a caller meets,
`same_tree` which parts are equal, `settings` what changes without any caller meeting it, `forms` what is asked for
messages, `delivery` who is told of them, `subscriptions` which systems are told what happens.
`wording` makes sentences, with `wording_times` and `wording_conditions`, and `told` adds what no comparison of calls
can say.
"""
