"""Where those modules of `callrouter.store.retention` are tested whose name no test file has.

border, deleting, history, keeper, rules, watch   test_running.py
"""
