"""What a PBX alone reads: `ready_made` writes a client's ready-made answers, and from when on each of them holds.

`callrouter.asterisk.provision` brings them to the PBX.
"""
