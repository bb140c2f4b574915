"""Live calls: the asyncio side of the engine.

`ports` says what it needs from outside, `driver` is the one place where inputs and effects meet, `calls` holds
the live calls, `tasks` is the one way to start a background task.
"""
