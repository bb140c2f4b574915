"""Where those modules of `callrouter.delivery.channels` are tested whose name no test file has.

webhook   test_channels.py
"""
