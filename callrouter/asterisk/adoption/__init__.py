"""Live calls of an engine that is gone: this one goes on with them where they are.

`snapshot` is what one question tells of all channels, `legs` what it tells of those who were rung for a caller,
`adopting` what is done about each caller.
"""
