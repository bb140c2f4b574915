"""Live calls: the asyncio side of the engine.

`ports` says what it needs from outside. `driver` is the one place where inputs and effects meet; `calls` holds the
live calls, `clock` tells the time, and `listeners` are told what was concluded, `fact_log` among them. `lookups` asks
web services while a caller waits, `guarded_http` is the one guard of all requests (in `own_thread`, by connections of
`pools_by_host`), `breaker` leaves alone who has failed, `fence` says when nobody may be asked. `reload` holds the
plans in service and replaces them; `first_calls` ring before there are any, and `giving_way` is how long work in a
thread lets calls be served. `tasks` is the one way to start a background task, `pauses` the one to wait until
something is due, `watch` the one to look at something from time to time for Prometheus.
"""
