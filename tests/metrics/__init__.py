"""Where those modules of `callrouter.metrics` are tested whose name no test file has.

calls, clients, dialplans, exposition, fast   test_engine.py
lookups, shown_numbers, sources               test_engine.py
recorded                                      test_bounded.py
"""
