"""The folder of all clients' files, on disk.

`look` says what is there and what has changed, `loader` reads and compiles that alone, `catalogue` holds the plans of
all clients by number, `publish` replaces a folder as a whole, and `revisions` reads older ones from git.
"""
