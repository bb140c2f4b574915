"""Live calls of an engine that is gone: this one goes on with them where they are.

`snapshot` is what one question tells of all channels, `adopting` what is done about each.
"""
