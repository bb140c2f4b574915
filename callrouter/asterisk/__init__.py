"""The edge towards Asterisk. Above it, channel ids are opaque references and wire names are unknown.

Pure: `codec` frames, decodes and encodes AMI; `commands` writes AGI commands; `asyncagi` reads environments
and results; `actions` prepares the actions every call needs. With I/O: `session` is one AMI connection and
what is pending on it (`batch` is what leaves in one write), `link` makes it and keeps it;
`media_watch` ends legs whose media stopped; `queue_check` compares the queues that trees name with the PBX's.
"""
