"""Where those modules of `callrouter.core.waiting` are tested whose name no test file has.

estimate   test_announcing.py
"""
