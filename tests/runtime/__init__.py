"""Where those modules of `callrouter.runtime` are tested whose name no test file has.

calls, ports    test_driver.py
notifications   ../store/test_notifications.py
outgoing        test_lookups.py
reload          ../app/test_reload.py
"""
