"""Where those modules of `callrouter.core.dispatch` are tested whose name no test file has.

monthly        ../../dialplan/test_reports.py
house          ../../dispatch/test_sending.py
subscription   ../../dialplan/test_subscriptions.py
trail          test_progress.py
"""
