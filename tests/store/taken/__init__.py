"""Where those modules of `callrouter.store.taken` are tested whose name no test file has.

files        test_journal.py, test_killed.py
sameness     test_journal.py
"""
