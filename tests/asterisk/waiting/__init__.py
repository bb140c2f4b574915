"""Callers who wait in queues, on a real Asterisk. Where those modules of `callrouter.asterisk.waiting` are tested whose
name no test file has.

looks     ../test_switch_language.py, ../teams/test_derived.py
whisper   test_wait.py
"""
