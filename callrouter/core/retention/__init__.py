"""How long what is kept: `rule` has the kinds, what may be said of them, and what a client's file says."""
