"""The folder of all clients' files, on disk.

`look` says what is there and what has changed, `files` reads documents, `sound_files` finds sounds, `loudness` says how
loud they are. `kept` reads and understands what has changed alone, and `loader` compiles it; `beside` compares one file
with those around it. `catalogue` holds the plans of all clients by number, `derived_bound` bounds the
queues that they derive from teams', `publish` replaces a folder as a whole, and
`revisions` reads older ones from git. The rest of `dialplan` touches no disk.
"""
