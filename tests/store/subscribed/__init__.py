"""Where those modules of `callrouter.store.subscribed` are tested whose name no test file has.

days       ../../dispatch/test_days.py
happened   ../../dispatch/test_telling.py
monthly    ../../dispatch/test_reporting.py
streamed   ../../dispatch/test_streamed.py
"""
