"""Callers who wait in queues, on a real Asterisk. Where those modules of `callrouter.asterisk.waiting` are tested whose
name no test file has.

whisper   test_wait.py
"""
