"""Hand-written controllers, as short as one would write them: they do with a call what bench.yaml's tree does.

Answer; set one variable of the size of a call's state (that round trip is *command*); play four empty sounds one after
the other (each *play*); hang up. No decision, no record, no lease but where one says so.
"""
