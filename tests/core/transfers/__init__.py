"""Where those modules of `callrouter.core.transfers` are tested whose name no test file has.

targets, waits   test_given_away.py
"""
