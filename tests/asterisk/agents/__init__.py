"""Where those modules of `callrouter.asterisk.agents` are tested whose name no test file has.

answers, feature_codes, moves, roster   test_log_in.py
at_work                                 ../../acceptance/test_agents.py
members, mending                        test_comparison.py
"""
