"""Where those modules of `callrouter.delivery` are tested whose name no test file has.

channel, servers   test_new_channel.py
parcel   rendering
mailing   channels
ports     test_asking.py, ../dispatch/test_bodies.py
"""
