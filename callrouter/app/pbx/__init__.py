"""Between the engine and its PBX's queues and telephones.

`named_queues` runs in the engine, and says which queues must not go yet; `queues_ready` has derived ones there before
plans that need them go live; `watches` looks whether all is as we need it. `unit` is a process of its own on the PBX's
host, which applies what the engine hands over.
"""
