"""How many agents a line needs, from what was measured: pure, and seeded where there is chance.

`model` has the words: what comes, what is promised, and what share of callers is served how. `erlang` answers by
formulas, for callers who wait for ever and for those who do not; `patience` says how long callers wait, of whom most
are answered before it is known; `simulation` plays a line by this product's own rules; `needs` asks all of them how
many agents it takes, and `line` does so for each half hour of one that was measured.
"""
