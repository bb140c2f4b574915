"""Where those modules of `callrouter.outgoing` are tested whose name no test file has.

callbacks, ports   ../asterisk/test_callbacks.py
"""
