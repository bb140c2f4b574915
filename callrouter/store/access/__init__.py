"""Who may do what, and who did what: tokens, the audit trail, and the recordings, whose every access is in it.

`tokens` are made and looked up; `audit` is the trail as rows, `trail` how deeds get there; `recordings` are listed,
played and deleted, `sound_file` is one of their files, and `keeping` looks after them while nobody asks.
"""
