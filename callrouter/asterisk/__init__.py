"""The edge towards Asterisk. Above it, channel ids are opaque references and wire names are unknown.

Bytes: `codec` frames and decodes AMI and encodes actions; `actions` prepares the actions every call needs; `commands`
writes AGI commands; `asyncagi` reads environments and results.

The link: `session` is one AMI connection and what is pending on it, `log_in` makes one, `batch` is what leaves in one
write, `link` keeps a connection and comes back; `leading` says when an engine may act. `event_time` dates what they
bring.

Calls: `switch` is the port that the driver commands, the directory of lines, and the table of events; a `line` is one
caller's channel, where effects become commands and results inputs, with `causes` for Asterisk's words and `say` for
values that are read aloud. `arrivals` makes an environment a call. `rings` reads what becomes of agents who are rung.
`transfers` are callers whom agents give to somebody else. `waiting` is about callers who wait in queues, `briefing` is
what an agent's telephone shows.

Agents at work are in `agents`; who oversees what they say, and what is recorded of it, is in `supervision`.

Of a whole PBX: `teams` brings queues and telephones to it from the folder; `pbx` compares its queues with the folder's,
ends legs whose media stopped, and says how many calls its limits refused.

What outlives a link, an engine, or both: `notes` reads what Asterisk's dialplan writes down of a living call,
`ended_row` what it leaves of one that has ended, `journal` collects those rows, `unseen` ends the calls that ended
with engine and Asterisk, and `catch_up` brings the lines up to date after the link was away. `adoption` goes on with
live calls of an engine that is gone. `provision` pushes to the PBX what it needs to serve alone, of which `alone` makes
each client's part.
"""
