"""Where those modules of `callrouter.store.consumption` are tested whose name no test file has.

billing, frozen, invoices   test_issuing.py
tariffs, comparing          test_issuing.py
unbilled                    ../retention/test_running.py
"""
