"""Where those modules of `callrouter.outgoing` are tested whose name no test file has.

callbacks, order, ports   ../asterisk/test_callbacks.py, ../asterisk/test_outgoing.py
"""
