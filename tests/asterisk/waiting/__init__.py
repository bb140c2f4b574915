"""Callers who wait in queues, on a real Asterisk. Where those modules of `callrouter.asterisk.waiting` are tested whose
name no test file has.

stands    test_waits.py
whisper   test_wait.py
"""
