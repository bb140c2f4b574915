"""What becomes of callers who are to be called back.

`book` is the book of `callrouter.outgoing`: open callbacks, and the calls placed for them.
"""
