"""Where those modules of `callrouter.delivery` are tested whose name no test file has.

channel, parcel, servers   test_new_channel.py
ports     test_queue.py
"""
