"""How one mail is handed to the operator's mail server: loaded with the first one.

`connections` are kept for a while, so that a batch of mail needs one; `attempt` is one transaction, and what it came
to.
"""
