"""Where those modules of `callrouter.store.dispatch` are tested whose name no test file has.

events   test_acknowledging.py, test_again.py
"""
