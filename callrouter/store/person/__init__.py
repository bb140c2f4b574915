"""What is known of a person, by a telephone number: found, exported and erased everywhere, with a receipt.

`naming` knows a number however it is written, and what stands in its place afterwards; `places` says where persons are
in the record, `finding` finds them there, `exporting` makes a file of it. `erasing` blanks them in rows that stay, step
by step, so that one that was killed goes on; `late` does it again with rows that come afterwards; `receipts` keeps what
was done, `outside` looks at what is not in PostgreSQL or not ours to change.
"""
