"""Where those modules of `callrouter.asterisk.transfers` are tested whose name no test file has.

consultations   test_announced.py, test_codes.py

`desks` is the place that agents work at, and `test_blind` shows what becomes of `callrouter.asterisk.line.given`.
"""
