"""Messages that somebody takes by form: an agent, through the API or at the command line.

`composing` makes a message of what was given, or says what is wrong with it; `sameness` says whether two are the same
one, sent twice. `journal` keeps them on the web process's own disk (`files`) until PostgreSQL has them.
"""
