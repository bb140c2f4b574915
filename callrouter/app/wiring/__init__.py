"""The parts of the engine, each made of those that it uses; `app.engine` puts them together.

`ground` is what nearly everything stands on. `kept` is what is in service and what is kept of what happens, `calls` are
those in progress and who works on them, `operation` is what keeps the engine at work, and `front` answers those who ask
over HTTP, on a socket of `listening`.
"""
