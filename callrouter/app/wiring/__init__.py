"""The parts of the engine, each made of those that it uses; `app.engine` puts them together.

`ground` is what nearly everything stands on, `parts` the groups of objects that belong together.
"""
