"""What call control and supervision share: something is done in one conversation that goes on, on behalf of somebody.

`routes` finds the call and says what went wrong, in both applications; `here` is the engine's own side, with the audit
trail, `there` web's way to it.
"""
