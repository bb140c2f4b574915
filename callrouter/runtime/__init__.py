"""Live calls: the asyncio side of the engine.

`ports` says what it needs from outside, `driver` is the one place where inputs and effects meet, `calls` holds
the live calls, `tasks` is the one way to start a background task.

`lookups` asks web services for calls that wait; `guarded_http` is the one guard of all requests, `breaker` leaves alone
who has failed.
"""
