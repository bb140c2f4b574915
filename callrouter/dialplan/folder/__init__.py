"""The folder of all clients' files, on disk.

`look` says what is there and what has changed, `kept` reads and understands that alone, and `loader` compiles it;
`beside` compares one file with those around it. `catalogue` holds the plans of all clients by number, `publish`
replaces a folder as a whole, and `revisions` reads older ones from git.
"""
