"""How it is learnt what became of mail that the next server took.

`entrance` is where the mail server hands us what came back, by LMTP. `reading` says of which telling that is and what
it says became of it, without I/O; `parts` are what such a mail is made of. `noting` has it written down.
"""
