"""What the API answers. Instants are UTC, durations seconds, numbers E.164 where they could be read.

`calls` have ended, with the `parts` that each went through; `live` ones are in progress. `recorded` is what was said in
them, `called_back` who is to be called back, `stats` the figures, `reports` those that people print,
`consumption` what clients pay, `audit` who did what, `happened` what subscriptions are posted. `service` says whether a
process is well, and why a request was not served. `base` is what all are made of.
"""
