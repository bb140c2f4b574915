"""Where the modules of `callrouter.core.transfers` are tested.

targets, waits   test_given_away.py
"""
