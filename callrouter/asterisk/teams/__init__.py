"""A PBX's teams and telephones, from the clients' folder to a running Asterisk.

`document` is what travels: the teams and telephones that a PBX is to have; `handover` is the engine's end of the way.
On the PBX's own host `applier` makes Asterisk so: `folder` holds the files that Asterisk includes, `sections` writes
what stands in them, and `console` has Asterisk read them again, at its local socket.
"""
