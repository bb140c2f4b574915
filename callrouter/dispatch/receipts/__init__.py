"""How it is learnt what became of mail that the next server took, and what people answer.

`entrance` is where the mail server hands us what came back, by LMTP. `reading` says of which telling that is and what
it says became of it, `answers` what a person wrote, both without I/O; `parts` are what such a mail is made of.
`noting` has it written down.
"""
