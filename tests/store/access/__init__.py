"""Where those modules of `callrouter.store.access` are tested whose name no test file has.

audit         test_trail.py
keeping       test_recordings.py
sound_file    test_recordings.py
"""
