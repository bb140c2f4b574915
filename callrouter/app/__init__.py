"""Builds every object once, connects the ports, starts and stops them in a readable order.

Processes: `engine` serves calls, `web` answers questions about them, `worker` tells people of messages, `pbx` brings
queues and telephones to Asterisk; `up` starts all of them on one machine. `http` runs an application in our own loop,
`lifetime` turns signals into a stop, `realtime` takes precedence over other work, `folders` and `storage` make sure of
the disk and the database.

An engine has its place at the PBX before anything is made of it (`leading`).

The engine's parts, which `wiring` makes: `telephony` is everything that lives by the link to Asterisk, `collecting`
fetches calls that no engine saw, `observation` declares when nobody watched; `records` is all that is kept,
`operations` what an operator asks, `web_services` what reaches beyond the calls, and `outgoing_check` what of it the
settings refuse.

The clients' files: `dialplans` loads them and tells who acts on a change, `live` holds fast to what was live, `watch`
sees a change in the folder, `history` keeps every version that was live, `versions` finds one again, `publishing` shows
them and rolls back.
"""
