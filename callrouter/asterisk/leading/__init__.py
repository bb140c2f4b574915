"""One engine at a time at a PBX.

`place` says when an engine may act, `claim` takes the place with a session. Who has it says every second that it lives
(`heartbeat`); a standby sees that, or does not (`watching`), through the eyes of a second AMI user (`watcher`).
"""
